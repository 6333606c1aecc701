import { CacheManager, TieredBackend } from 'cachewell';
import { RedisBackend, RedisBus } from 'cachewell/redis';
import { cacheSubject, type OpenSubject } from 'cachewell/testing';
import type { SubjectOptions } from '../subject-options.js';

/** Memory in each process over Redis, kept in step by a bus. */
export const openSubject: OpenSubject = ({ options }) => {
  const { url } = options as SubjectOptions;
  const backend = new TieredBackend({
    l2: new RedisBackend({ url }),
    bus: new RedisBus({ url }),
  });
  return cacheSubject(new CacheManager({ backend }));
};
