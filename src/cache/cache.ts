import type { Duration } from '../duration.js';
import type { TagSelection } from './backend.js';
import type { CacheCodec, CacheCompressor } from './codec.js';
import type { ErrorMode, SyncMode } from './cache-handle.js';
import type { KeyPart } from './cache-key.js';
import type { CacheStatistics } from './cache-statistics.js';
import type { Lookup } from './entry.js';
import type { LoadContext } from './load-context.js';
import type { RetentionChoice, TimeChoice } from './time-settings.js';

/** How a key may be given: as its tuple, or, where the tuple has one part, as that part. */
export type KeyInput<Key extends readonly KeyPart[]> = number extends Key['length']
  ? KeyPart | Key
  : Key extends readonly [infer Only]
    ? Key | Only
    : Key;

/** Options of the calls that store. What is left out is the cache's. */
export interface SetOptions extends RetentionChoice {
  /** How long the entry is fresh. 0 = do not store, `Infinity` = for ever. */
  readonly ttl?: Duration | undefined;
  /** The same for `null`. */
  readonly nullTtl?: Duration | undefined;
  /** See `CacheDefinition.jitter`. */
  readonly jitter?: number | undefined;
  /** Tags of the entry, beside the cache's own. */
  readonly tags?: readonly string[] | undefined;
  /** Whether, and with what, the value is compressed when it is large. */
  readonly compress?: boolean | CacheCompressor | undefined;
  /** Writes the value instead of the cache's codec. */
  readonly codec?: CacheCodec | undefined;
  /** See `CacheDefinition.onError`. */
  readonly onError?: ErrorMode | undefined;
}

/** Options of `getOrSet`. */
export interface GetOrSetOptions extends SetOptions, TimeChoice {
  /**
   * Whether to load and store without looking the key up.
   * @defaultValue false
   */
  readonly refresh?: boolean | undefined;
  /** See `CacheDefinition.sync`. */
  readonly sync?: SyncMode | undefined;
  /**
   * Ends this caller's waiting: the call rejects with the signal's reason at once. The load goes on for the others; when
   * all its callers had a signal, and all have been aborted, its own `context.signal` is aborted, and what it gives is
   * not stored.
   */
  readonly signal?: AbortSignal | undefined;
}

/** Which keys to list. */
export interface KeysOptions {
  /** A glob over key texts; see docs/KEYS.md. */
  readonly pattern?: string | undefined;
  /** The `cursor` of the page before; absent at the start. */
  readonly cursor?: string | undefined;
  /**
   * About how many keys a page has, from 1 to 10,000.
   * @defaultValue 100
   */
  readonly count?: number | undefined;
}

/** A page of key texts; `cursor` is `'0'` when there are no more. */
export interface KeysPage {
  readonly keys: readonly string[];
  readonly cursor: string;
}

/** Entries to warm a cache with: pairs of a key and its value, or of a key and a function that loads it. */
export type WarmEntries<Key extends readonly KeyPart[], Value> =
  | Iterable<readonly [KeyInput<Key>, Value | (() => Promise<Value>)]>
  | AsyncIterable<readonly [KeyInput<Key>, Value | (() => Promise<Value>)]>;

/** How `warm` goes about it. */
export interface WarmOptions extends SetOptions {
  /**
   * How many entries are loaded at a time, 1 or more.
   * @defaultValue 8
   */
  readonly concurrency?: number | undefined;
}

/** What `warm` has done. */
export interface WarmResult {
  /** Entries that the store accepted. */
  readonly stored: number;
  /**
   * Entries that it did not: because the load failed or gave `undefined`, the store failed or refused them, or the
   * ttl is 0. Failures are logged.
   */
  readonly failed: number;
}

/**
 * A named cache.
 *
 * `undefined` means absent and is never stored; `null`, `0`, `''`, `false` and `[]` are values. When the store
 * fails, a read is a miss and a write stores nothing, with an `error` event; under `onError: 'throw'` the call
 * rejects with the {@link CacheError} instead. A key that cannot be built rejects with {@link CacheKeyError}
 * either way, and after `close` every call rejects with {@link CacheClosedError} under `'throw'`.
 */
export interface Cache<
  Key extends readonly KeyPart[] = readonly KeyPart[],
  Value = unknown,
> extends AsyncIterable<readonly [key: string, value: Value]> {
  readonly name: string;

  /**
   * The value under a key; `undefined` when there is none. An expired one counts as there while `staleWhileRevalidate`
   * lasts; nothing is refreshed, for there is nothing to load with.
   */
  get(key: KeyInput<Key>): Promise<Value | undefined>;

  /**
   * The value with where it came from, how old it is and how long it stays fresh. One that has expired, and that a
   * `stale…` option of the cache keeps, has the status `stale`.
   */
  getEntry(key: KeyInput<Key>): Promise<Lookup<Value>>;

  /** The values that are there, in one round trip. The map holds the keys as they were given. */
  getMany<Given extends KeyInput<Key>>(keys: readonly Given[]): Promise<Map<Given, Value>>;

  /**
   * The value under a key, or else what `load` resolves with, which is stored. Concurrent callers wait for one
   * load. The store refuses the loaded value when the key, the cache or one of its tags was invalidated while it
   * was loading; the caller gets it all the same.
   *
   * Rejects with the loader's own error, the same for all who wait; nothing is stored then. With `staleIfError` an
   * expired value that is still there is given instead; see there and beside it for what else decides when a load runs
   * and how long it is waited for.
   *
   * @throws {@link LoadTimeoutError} when the load takes longer than `hardTimeout`
   *
   * @example
   * ```ts
   * import { CacheManager } from 'cachewell';
   *
   * const cache = new CacheManager().cache<[id: number], { name: string }>('users');
   * const user = await cache.getOrSet(1, async () => ({ name: 'Ada' }), { ttl: '5m' });
   * ```
   */
  getOrSet(
    key: KeyInput<Key>,
    load: (context: LoadContext) => Promise<Value>,
    options?: GetOrSetOptions,
  ): Promise<Value>;

  /**
   * The values of many keys; only the missing ones reach `load`, and a key that another call is loading is waited
   * for. A key that `load` leaves out is absent from the result and is not cached.
   */
  getOrSetMany<Given extends KeyInput<Key>>(
    keys: readonly Given[],
    load: (missing: readonly Given[], context: LoadContext) => Promise<ReadonlyMap<Given, Value>>,
    options?: GetOrSetOptions,
  ): Promise<Map<Given, Value>>;

  /**
   * Stores a value, whatever was there, and makes the store refuse all loads of the key that are under way. Of a
   * `set` and an invalidation by another process at the same time either may come last.
   * Resolves with whether it is stored: `false` with a ttl of 0, or when the store failed.
   *
   * @throws {@link InvalidOptionError} when the value is `undefined`
   */
  set(key: KeyInput<Key>, value: Value, options?: SetOptions): Promise<boolean>;

  /** The same for many entries, in one round trip. Resolves with the number of entries stored. */
  setMany(
    entries: Iterable<readonly [KeyInput<Key>, Value]>,
    options?: SetOptions,
  ): Promise<number>;

  /** Deletes a key. Resolves with whether there was a live entry. */
  delete(key: KeyInput<Key>): Promise<boolean>;

  /** Deletes keys in one round trip. Resolves with how many of them held a live entry. */
  deleteMany(keys: readonly KeyInput<Key>[]): Promise<number>;

  /** Whether `get` would find an entry. Counts as no hit and no miss, and not as a read for `idleTtl`. */
  has(key: KeyInput<Key>): Promise<boolean>;

  /**
   * How long an entry stays fresh, in milliseconds; `Infinity` without expiry, 0 while `staleWhileRevalidate` lasts,
   * `undefined` when absent.
   */
  ttl(key: KeyInput<Key>): Promise<number | undefined>;

  /** Sets how long an entry stays fresh from now; 0 or less deletes it. Resolves with whether there was one. */
  expire(key: KeyInput<Key>, ttl: Duration): Promise<boolean>;

  /** Makes every entry of this cache void, at a cost that does not depend on how many there are. */
  clear(): Promise<void>;

  /** Makes void every entry of the manager, in any cache, that carries any of the tags. */
  invalidateTags(...anyOf: readonly string[]): Promise<void>;
  /** Makes void every entry of the manager, in any cache, that carries all of the tags. */
  invalidateTags(selection: { readonly all: readonly string[] }): Promise<void>;

  /** Deletes the keys that match a glob. Resolves with how many of them held a live entry. */
  deletePattern(glob: string): Promise<number>;

  /**
   * A page of key texts. A key that is there during the whole walk is on one page at least. Keys of expired entries that
   * a `stale…` option keeps are among them.
   */
  keys(options?: KeysOptions): Promise<KeysPage>;

  /**
   * Loads and stores entries before they are asked for. A failure is logged and does not stop the others, whatever
   * `onError` says.
   */
  warm(
    entries: WarmEntries<Key, Value> | (() => Promise<WarmEntries<Key, Value>>),
    options?: WarmOptions,
  ): Promise<WarmResult>;

  /** What was counted since the start or the last reset. */
  statistics(): CacheStatistics;
}

/** The selection that `invalidateTags` was called with. */
export function tagSelection(
  given: readonly [{ readonly all: readonly string[] }] | readonly string[],
): TagSelection {
  const [first] = given;
  return typeof first === 'object' ? { allOf: first.all } : { anyOf: given as readonly string[] };
}
