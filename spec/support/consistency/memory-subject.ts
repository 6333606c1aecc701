import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { cacheSubject } from '#internal/testing/consistency/cache-subject.js';
import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';

export const openSubject: OpenSubject = () =>
  cacheSubject(new CacheManager({ backend: new MemoryBackend() }));
