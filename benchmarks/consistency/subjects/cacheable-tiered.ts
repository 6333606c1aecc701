import KeyvRedis from '@keyv/redis';
import { RedisMessageProvider } from '@qified/redis';
import { Cacheable } from 'cacheable';
import type { OpenSubject } from 'cachewell/testing';
import { cacheableSubject } from '../cacheable-subject.js';
import type { SubjectOptions } from '../subject-options.js';

/**
 * Memory in each process over Redis, kept in step by its sync, as its documentation sets it up. The sync tells the
 * others of what is set and deleted, not that a cache was cleared, so it is not asked to clear.
 */
export const openSubject: OpenSubject = ({ options }) => {
  const { url } = options as SubjectOptions;
  const provider = new RedisMessageProvider({ uri: url });
  const cache = new Cacheable({ secondary: new KeyvRedis(url), sync: { qified: provider } });
  return cacheableSubject(cache, ['key', 'keys', 'put'], async () => {
    await cache.disconnect();
    await provider.disconnect();
  });
};
