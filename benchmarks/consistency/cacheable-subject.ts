import type { Cacheable } from 'cacheable';
import type { ConsistencySubject, InvalidationKind } from 'cachewell/testing';
import { TTL_MS } from './subject-options.js';

/**
 * Cacheable by its documented API. `getOrSet` takes no tags, so there is no invalidation by them; it has no patterns,
 * no refresh, no expiry of a key and no bulk loads.
 */
export function cacheableSubject(
  cache: Cacheable,
  invalidations: readonly InvalidationKind[],
  close: () => Promise<void>,
): ConsistencySubject {
  // Without a listener a failure of Redis would end the process; the calls report it as well.
  cache.on('error', () => undefined);
  return {
    invalidations,
    get: (key) => cache.get(key),
    read: (key, load) => cache.getOrSet(key, load, { ttl: TTL_MS, throwErrors: 'function' }),
    put: (key, value) => cache.set(key, value, TTL_MS),
    invalidate: async (target) => {
      switch (target.kind) {
        case 'key':
          await cache.delete(target.key);
          return;
        case 'keys':
          await cache.deleteMany([...target.keys]);
          return;
        case 'clear':
          return cache.clear();
        default:
          throw new TypeError(`not offered: ${target.kind}`);
      }
    },
    close,
  };
}
