import { CacheManager, MemoryBackend } from 'cachewell';
import { cacheSubject, type OpenSubject } from 'cachewell/testing';

/** One process alone. */
export const openSubject: OpenSubject = () =>
  cacheSubject(new CacheManager({ backend: new MemoryBackend() }));
