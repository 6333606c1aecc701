import type { CachedErrorRule } from '../cache/cached-errors.js';
import type { CacheDefinition, CacheReference, SyncMode } from '../cache/cache-handle.js';
import type { KeyPart } from '../cache/cache-key.js';
import type { CacheCodec, CacheCompressor } from '../cache/codec.js';
import type { RetentionChoice, TimeChoice } from '../cache/time-settings.js';
import type { Duration } from '../duration.js';
import type { CacheManager } from '../manager/cache-manager.js';

/**
 * A function in an option. What it may take is checked against the decorated method, field by field; a parameter
 * without a type is `never`, so using it is an error instead of an unnoticed `any`.
 *
 * `this` is the instance for functions and shorthand methods; an arrow function cannot see it.
 */
export type Callback<Result> = (...args: never[]) => Result;

/** What a {@link KeyGenerator} knows of the call. */
export interface KeyGeneratorContext {
  /** The instance, or the class for static methods. */
  readonly self: unknown;
  /** The method's name. */
  readonly method: PropertyKey;
  readonly args: readonly unknown[];
  /** The cache's name. */
  readonly cache: string;
}

/** Builds keys for many methods by one rule. Must be synchronous and pure. */
export type KeyGenerator = (context: KeyGeneratorContext) => KeyPart | readonly KeyPart[];

/** How a method that takes a list of ids is cached id by id. */
export interface EachOptions {
  /** The position of the list among the arguments, from 0. */
  readonly arg: number;
  /**
   * The id of an item in the method's result. Without it the method returns a `Map` by id, or an array of the same
   * length and order as the list.
   */
  readonly idOf?: ((item: never) => KeyPart) | undefined;
}

/** Options of all three operations. */
export interface OperationOptions {
  /**
   * The cache, or several.
   * @defaultValue the class' `@CacheConfig({ cache })`, else `ClassName.methodName`
   */
  readonly cache?: CacheReference | readonly CacheReference[] | undefined;
  /**
   * The key. One part equals the tuple of that one part.
   * @defaultValue all arguments, typed and escaped; see docs/KEYS.md
   */
  readonly key?: Callback<KeyPart | readonly KeyPart[]> | undefined;
  /** Builds the key by a rule for many methods. Excludes `key`; a `key` wins over a class' `keyGenerator`. */
  readonly keyGenerator?: KeyGenerator | undefined;
  /** Whether the operation takes part in this call. Evaluated once, before everything else. */
  readonly condition?: Callback<boolean> | undefined;
  /** See {@link CacheDefinition.onError}. */
  readonly onError?: CacheDefinition['onError'];
  /** The manager, or a function that gives it. */
  readonly manager?: CacheManager | (() => CacheManager) | undefined;
}

/** Options of the operations that store. */
export interface StoringOptions extends OperationOptions, RetentionChoice {
  /** Whether the result is kept out of the cache. */
  readonly unless?: Callback<boolean> | undefined;
  /** See {@link CacheDefinition.ttl}; a function gets the result, then the arguments. */
  readonly ttl?: Duration | Callback<Duration> | undefined;
  /** See {@link CacheDefinition.nullTtl}. */
  readonly nullTtl?: Duration | Callback<Duration> | undefined;
  /** See {@link CacheDefinition.jitter}. */
  readonly jitter?: number | undefined;
  /** Tags, known before the call: fixed, or from the arguments. They add to the cache's and the class'. */
  readonly tags?: readonly string[] | Callback<readonly string[]> | undefined;
  /** Further tags, from the result, then the arguments. */
  readonly tagsOf?: Callback<readonly string[]> | undefined;
  /** See {@link CacheDefinition.compress}. */
  readonly compress?: boolean | CacheCompressor | undefined;
  /** See {@link CacheDefinition.codec}. */
  readonly codec?: CacheCodec | undefined;
}

/** Options of `@Cacheable`. */
export interface CacheableOptions extends StoringOptions, TimeChoice {
  /** Whether to load and store without looking the key up. */
  readonly refresh?: Callback<boolean> | undefined;
  /** See {@link CacheDefinition.sync}. */
  readonly sync?: SyncMode | undefined;
  /** Caches a list of ids id by id; only the missing ones reach the method. Excludes `key` and `cacheErrors`. */
  readonly each?: EachOptions | undefined;
  /** Which errors of the method are cached, and how long. The first rule that fits counts. */
  readonly cacheErrors?: readonly CachedErrorRule[] | undefined;
}

/** Options of `@CachePut`. */
export interface CachePutOptions extends StoringOptions {
  /** The key, from the result, then the arguments. Excludes `key` and `keyGenerator`. */
  readonly keyOf?: Callback<KeyPart | readonly KeyPart[]> | undefined;
}

/** Options of `@CacheEvict`. */
export interface CacheEvictOptions extends OperationOptions {
  /** The key, from the result, then the arguments. Excludes `key`, `keys`, `keyGenerator` and `beforeInvocation`. */
  readonly keyOf?: Callback<KeyPart | readonly KeyPart[]> | undefined;
  /** Several keys, evicted in one round trip. */
  readonly keys?: Callback<readonly (KeyPart | readonly KeyPart[])[]> | undefined;
  /**
   * Clears the whole cache; no key is built.
   * @defaultValue false
   */
  readonly allEntries?: boolean | undefined;
  /**
   * Evicts before the method runs, and so also when it throws; otherwise after it has succeeded.
   * @defaultValue false
   */
  readonly beforeInvocation?: boolean | undefined;
  /** Evicts every entry, of any cache of the manager, that carries one of these tags. */
  readonly tags?: readonly string[] | Callback<readonly string[]> | undefined;
  /** Evicts the keys of the cache that match a glob; see docs/KEYS.md. */
  readonly pattern?: string | Callback<string> | undefined;
}

/** Options of `@Caching`: several operations on one method. */
export interface CachingOptions {
  readonly cacheable?: CacheableOptions | readonly CacheableOptions[] | undefined;
  readonly put?: CachePutOptions | readonly CachePutOptions[] | undefined;
  readonly evict?: CacheEvictOptions | readonly CacheEvictOptions[] | undefined;
}

/** Options of `@CacheConfig`: defaults of all operations of a class and its subclasses. */
export interface CacheConfigOptions extends TimeChoice {
  /** The cache, or several, of all methods that name none. */
  readonly cache?: CacheReference | readonly CacheReference[] | undefined;
  /** Builds the keys of all methods that have no `key`. */
  readonly keyGenerator?: KeyGenerator | undefined;
  /** See {@link CacheDefinition.ttl}. */
  readonly ttl?: Duration | undefined;
  /** See {@link CacheDefinition.nullTtl}. */
  readonly nullTtl?: Duration | undefined;
  /** See {@link CacheDefinition.jitter}. */
  readonly jitter?: number | undefined;
  /** See {@link CacheDefinition.sync}. */
  readonly sync?: SyncMode | undefined;
  /** Tags of every entry that the methods store, beside their own. */
  readonly tags?: readonly string[] | undefined;
  /** See {@link CacheDefinition.onError}. */
  readonly onError?: CacheDefinition['onError'];
  /** See {@link CacheDefinition.compress}. */
  readonly compress?: boolean | CacheCompressor | undefined;
  /** See {@link CacheDefinition.codec}. */
  readonly codec?: CacheCodec | undefined;
  /** The manager of all methods that name none, or a function that gives it. */
  readonly manager?: CacheManager | (() => CacheManager) | undefined;
}
