import type { Duration } from '../duration.js';
import type { CacheTiers } from './backend.js';
import type { CacheCodec, CacheCompressor } from './codec.js';
import type { KeyPart } from './cache-key.js';
import type { RefreshAhead } from './time-settings.js';

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
   * How many concurrent loads of one cold key there may be: `'local'` = one per process, `'cluster'` = one among all
   * processes that share the store, `false` = one per caller.
   *
   * Under `'cluster'` the other processes wait until the load has ended, or its process no longer gives a sign of life,
   * and look again; when there is still nothing, the next one loads. A store that is not shared makes it `'local'`; a
   * shared one without leases is refused with {@link CacheConfigurationError} at the first call. While the store fails,
   * each process loads once. A load inside another load waits for its turn for 2 seconds at the most, because two
   * processes could wait for each other.
   * @defaultValue 'local'
   */
  readonly sync?: SyncMode | undefined;
  /**
   * What a failing cache does to a call: `'bypass'` = the call goes on without the cache, and the failure is an
   * event and a log line; `'throw'` = the call rejects with the {@link CacheError}.
   * @defaultValue 'bypass'
   */
  readonly onError?: ErrorMode | undefined;
  /**
   * How long after its expiry an entry is still served, while one background load per process refreshes it. 0 = not at
   * all. `get`, `getMany` and `has` count such an entry as there, though they have nothing to refresh it with.
   *
   * A stale answer counts in `stales` and is an event of that name. What was invalidated is never served as stale.
   * @defaultValue 0
   */
  readonly staleWhileRevalidate?: Duration | undefined;
  /**
   * How long after its expiry an entry is served when its load fails, or takes longer than `softTimeout` or
   * `hardTimeout`. 0 = not at all. `get`, `getMany` and `has` count such an entry as absent; `getEntry` shows it, with
   * the status `stale`. Before it is served the store is asked once more, so that what was invalidated during the load is
   * not; a store that does not answer changes nothing.
   * @defaultValue 0
   */
  readonly staleIfError?: Duration | undefined;
  /**
   * How long after a failed refresh a key is not tried again by this process, as long as there is an entry to serve.
   * 0 = it is tried at every read. At most 10,000 keys are remembered.
   * @defaultValue '30s'
   */
  readonly staleThrottle?: Duration | undefined;
  /**
   * How long a load may take before an expired entry is served instead; the load goes on and stores its result. Needs
   * `staleIfError` or `staleWhileRevalidate`. `Infinity` = as long as it takes.
   * @defaultValue Infinity
   */
  readonly softTimeout?: Duration | undefined;
  /**
   * How long a call waits for a load, its turn under `sync: 'cluster'` included, before it rejects with
   * {@link LoadTimeoutError}, unless `staleIfError` has an entry to serve. Whatever `onError` says. The load goes on, and
   * stores its result; until it ends, later callers wait for it too. Above 0; `Infinity` = as long as it takes.
   * @defaultValue Infinity
   */
  readonly hardTimeout?: Duration | undefined;
  /**
   * Refreshes entries before they expire, by one background load per process (under `sync: 'cluster'` one in the
   * cluster): at a read after this fraction of the ttl, above 0 and below 1; or `'xfetch'`, at a read chosen by chance,
   * the likelier the dearer the load was and the nearer the expiry is. `false` = not.
   * @defaultValue false
   */
  readonly refreshAhead?: RefreshAhead | undefined;
  /**
   * How long an entry lives that nobody reads. Each read by a call that has this option begins the time anew, to a tenth
   * of it; `ttl` remains the bound that reads cannot move. Excludes the `stale…` options and `refreshAhead`. Above 0;
   * `Infinity` = as long as the ttl.
   * @defaultValue Infinity
   */
  readonly idleTtl?: Duration | undefined;
  /**
   * The longest that a process' own tier keeps an entry of a backend with tiers.
   * @defaultValue Infinity
   */
  readonly l1Ttl?: Duration | undefined;
  /**
   * Where a backend with tiers keeps the entries: in both, `'l1'` = only in the process' own tier, `'l2'` = only in the
   * shared one.
   * @defaultValue 'both'
   */
  readonly tiers?: CacheTiers | undefined;
}

/** See {@link CacheDefinition.sync}. */
export type SyncMode = 'local' | 'cluster' | false;

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
  'staleWhileRevalidate',
  'staleIfError',
  'staleThrottle',
  'softTimeout',
  'hardTimeout',
  'refreshAhead',
  'idleTtl',
  'l1Ttl',
  'tiers',
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
