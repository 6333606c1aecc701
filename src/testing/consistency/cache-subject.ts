import type { CacheDefinition } from '../../cache/cache-handle.js';
import type { Cache } from '../../cache/cache.js';
import type { ConsistencySubject, EntryTags, InvalidationTarget } from './consistency-subject.js';
import type { OriginValue } from './operation-record.js';

/** What {@link cacheSubject} needs of a `CacheManager`. */
export interface SubjectManager {
  /** A cache by name. */
  cache<Key extends readonly [string], Value>(
    name: string,
    definition?: CacheDefinition,
  ): Cache<Key, Value>;
  /** Ends the manager. */
  close(): Promise<void>;
}

/** Details of {@link cacheSubject}. */
export interface CacheSubjectOptions {
  /**
   * The name of the cache that is used.
   * @defaultValue 'consistency'
   */
  readonly cache?: string | undefined;
  /** How that cache keeps its entries, `onError` excepted. */
  readonly definition?: Omit<CacheDefinition, 'onError'> | undefined;
}

/**
 * A manager of this library as a subject of the consistency checker. The subject closes the manager.
 *
 * Loads go on when the store fails (`onError: 'bypass'`), for that is when stale values slip in; invalidations report
 * the failure, because one that the store did not take is not acknowledged.
 *
 * @example
 * ```ts
 * import { CacheManager } from 'cachewell';
 * import { RedisBackend } from 'cachewell/redis';
 * import { cacheSubject, type OpenSubject } from 'cachewell/testing';
 *
 * export const openSubject: OpenSubject = ({ options }) => {
 *   const { url } = options as { url: string };
 *   return cacheSubject(new CacheManager({ backend: new RedisBackend({ url }) }));
 * };
 * ```
 */
export function cacheSubject(
  manager: SubjectManager,
  { cache: name = 'consistency', definition = {} }: CacheSubjectOptions = {},
): ConsistencySubject {
  const cache = manager.cache<[string], OriginValue>(name, { ...definition, onError: 'throw' });
  const loading = ({ known }: EntryTags): { tags: readonly string[]; onError: 'bypass' } => ({
    tags: known,
    onError: 'bypass',
  });
  return {
    invalidations: ['key', 'keys', 'pattern', 'tags', 'allTags', 'clear', 'expire', 'put'],
    get: (key) => cache.get(key),
    read: (key, load, tags) =>
      cache.getOrSet(
        key,
        (context) => {
          context.tags.add(...tags.found);
          return load();
        },
        loading(tags),
      ),
    refresh: (key, load, tags) =>
      cache.getOrSet(
        key,
        (context) => {
          context.tags.add(...tags.found);
          return load();
        },
        { ...loading(tags), refresh: true },
      ),
    bulk: (keys, loadMany, tags) =>
      cache.getOrSetMany(
        keys,
        (missing, context) => {
          context.tags.add(...tags.found);
          return loadMany(missing);
        },
        loading(tags),
      ),
    warm: async (keys, load, { known, found }) => {
      const entries = keys.map((key) => [key, () => load(key)] as const);
      await cache.warm(entries, { tags: [...known, ...found] });
    },
    put: (key, value, { known, found }) => cache.set(key, value, { tags: [...known, ...found] }),
    invalidate: (target) => invalidate(cache, target),
    close: () => manager.close(),
  };
}

async function invalidate(
  cache: Cache<[string], OriginValue>,
  target: InvalidationTarget,
): Promise<void> {
  switch (target.kind) {
    case 'key':
      await cache.delete(target.key);
      return;
    case 'keys':
      await cache.deleteMany(target.keys);
      return;
    case 'pattern':
      await cache.deletePattern(target.glob);
      return;
    case 'tags':
      return cache.invalidateTags(...target.tags);
    case 'allTags':
      return cache.invalidateTags({ all: target.tags });
    case 'clear':
      return cache.clear();
    case 'expire':
      await cache.expire(target.key, 0);
      return;
  }
}
