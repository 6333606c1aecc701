import type { BentoCache } from 'bentocache';
import type { ConsistencySubject, EntryTags } from 'cachewell/testing';
import { TTL_MS } from './subject-options.js';

/** What the checker uses of a BentoCache, whatever its stores. */
type Bento = Pick<
  BentoCache<Record<string, never>>,
  'get' | 'getOrSet' | 'set' | 'delete' | 'deleteMany' | 'deleteByTag' | 'expire' | 'clear'
> & { disconnectAll(): Promise<void> };

/**
 * BentoCache by its documented API: `getOrSet` with `forceFresh` as refresh, `deleteByTag` for any of several tags. It
 * has no patterns, no bulk loads, and no invalidation by all of several tags. Invalidations report failures of Redis
 * (`suppressL2Errors: false`), for one that failed is not acknowledged.
 */
export function bentocacheSubject(bento: Bento): ConsistencySubject {
  const stored = ({ known, found }: EntryTags): { ttl: number; tags: string[] } => ({
    ttl: TTL_MS,
    tags: [...known, ...found],
  });
  const strictly = { suppressL2Errors: false };
  return {
    invalidations: ['key', 'keys', 'tags', 'clear', 'expire', 'put'],
    get: async (key) => (await bento.get({ key })) ?? undefined,
    read: (key, load, tags) => bento.getOrSet({ key, factory: load, ...stored(tags) }),
    refresh: (key, load, tags) =>
      bento.getOrSet({ key, factory: load, forceFresh: true, ...stored(tags) }),
    put: (key, value, tags) => bento.set({ key, value, ...stored(tags), ...strictly }),
    invalidate: async (target) => {
      switch (target.kind) {
        case 'key':
          await bento.delete({ key: target.key, ...strictly });
          return;
        case 'keys':
          await bento.deleteMany({ keys: [...target.keys], ...strictly });
          return;
        case 'tags':
          await bento.deleteByTag({ tags: [...target.tags], ...strictly });
          return;
        case 'expire':
          await bento.expire({ key: target.key, ...strictly });
          return;
        case 'clear':
          return bento.clear(strictly);
        default:
          throw new TypeError(`not offered: ${target.kind}`);
      }
    },
    close: () => bento.disconnectAll(),
  };
}
