import type { CacheDefinition, CacheHandle } from './cache-handle.js';
import type { KeyPart } from './cache-key.js';
import { BUILT_IN_DEFAULTS, resolveCacheSettings } from './cache-settings.js';

/**
 * A typed handle of a cache. Used in a decorator it makes the key tuple and the result part of the type check;
 * `manager.cache(handle)` is a `Cache` of those types.
 *
 * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
 *
 * @example
 * ```ts
 * import { Cacheable, defineCache } from 'cachewell';
 *
 * const users = defineCache<[id: number], { name: string }>('users', { ttl: '10m' });
 *
 * class Users {
 *   @Cacheable({ cache: users, key: (id: number) => [id] })
 *   async find(id: number): Promise<{ name: string }> {
 *     return { name: `User ${id}` };
 *   }
 * }
 * ```
 */
export function defineCache<Key extends readonly KeyPart[] = readonly KeyPart[], Value = unknown>(
  name: string,
  definition: CacheDefinition = {},
): CacheHandle<Key, Value> {
  resolveCacheSettings(name, definition, BUILT_IN_DEFAULTS);
  return Object.freeze({ name, definition: Object.freeze({ ...definition }) });
}
