import type { Duration } from '../duration.js';
import type { CacheCodec, CacheCompressor } from './codec.js';
import type { KeyPart } from './cache-key.js';

/** A class whose instances a cache holds. */
export type ModelClass<Instance = unknown> = new (...args: never[]) => Instance;

/**
 * How one cache keeps its entries.
 *
 * The same options stand, as defaults, on the manager, and closer to the method on `@CacheConfig` and on the
 * decorators. The closest wins: built-in < manager < cache < class < decorator.
 */
export interface CacheDefinition {
  /**
   * How long an entry is fresh. 0 = do not store, `Infinity` = for ever.
   * @defaultValue the manager's `ttl`, which is 1 hour
   */
  readonly ttl?: Duration | undefined;
  /**
   * The same for entries whose value is `null`.
   * @defaultValue the `ttl`
   */
  readonly nullTtl?: Duration | undefined;
  /**
   * Upper bound of every ttl; longer ones are cut to it, an endless one too.
   * @defaultValue the manager's `maxTtl`, which is `Infinity`
   */
  readonly maxTtl?: Duration | undefined;
  /**
   * Spreads expiries: each ttl is multiplied by a random factor from `1 - jitter` to `1 + jitter`. 0 to 1.
   * @defaultValue 0
   */
  readonly jitter?: number | undefined;
  /**
   * Part of every key: under another version none of the present entries is seen.
   * @defaultValue 'v1'
   */
  readonly version?: string | undefined;
  /** Tags that every entry of this cache carries. */
  readonly tags?: readonly string[] | undefined;
  /**
   * The class of the values: they come back as its instances, validated by its class-validator decorators. An
   * entry that no longer fits is dropped and counts as a miss. Needs class-transformer and class-validator.
   */
  readonly model?: ModelClass | undefined;
  /** Writes this cache's values; the manager's codec when absent. */
  readonly codec?: CacheCodec | undefined;
  /**
   * Whether, and with what, large values are compressed: `true` = the manager's compressor (gzip when it has
   * none), `false` = not at all.
   * @defaultValue the manager's compressor, which is none
   */
  readonly compress?: boolean | CacheCompressor | undefined;
  /**
   * How many concurrent loads of one cold key there may be: `'local'` = one per process, `false` = one per caller.
   * @defaultValue 'local'
   */
  readonly sync?: SyncMode | undefined;
  /**
   * What a failing cache does to a call: `'bypass'` = the call goes on without the cache, and the failure is an
   * event and a log line; `'throw'` = the call rejects with the {@link CacheError}.
   * @defaultValue 'bypass'
   */
  readonly onError?: ErrorMode | undefined;
}

/** See {@link CacheDefinition.sync}. */
export type SyncMode = 'local' | false;

/** See {@link CacheDefinition.onError}. */
export type ErrorMode = 'bypass' | 'throw';

/** The options that a {@link CacheDefinition} knows, for checks at run time. */
export const CACHE_DEFINITION_OPTIONS: readonly (keyof CacheDefinition)[] = [
  'ttl',
  'nullTtl',
  'maxTtl',
  'jitter',
  'version',
  'tags',
  'model',
  'codec',
  'compress',
  'sync',
  'onError',
];

/**
 * A cache's name together with the types of its keys and values, made by {@link defineCache}.
 *
 * Used in a decorator it makes key and result part of the type check; `manager.cache(handle)` is a
 * `Cache<Key, Value>`.
 */
export interface CacheHandle<Key extends readonly KeyPart[] = readonly KeyPart[], Value = unknown> {
  readonly name: string;
  readonly definition: CacheDefinition;
  /** Exists for the type checker only; always `undefined`. */
  readonly '~types'?: { readonly key: Key; readonly value: Value } | undefined;
}

/** A cache by name, or by its typed handle. */
export type CacheReference = string | CacheHandle;
