import { CacheManager } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { cacheSubject, type OpenSubject } from 'cachewell/testing';
import type { SubjectOptions } from '../subject-options.js';

/** All entries in Redis. */
export const openSubject: OpenSubject = ({ options }) => {
  const { url } = options as SubjectOptions;
  return cacheSubject(new CacheManager({ backend: new RedisBackend({ url }) }));
};
