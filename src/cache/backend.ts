import type { CacheClock } from '../clock.js';
import type { CacheError } from '../errors.js';
import type { CacheLogger } from './cache-logger.js';
import type { CacheEntry, StoredEntry } from './entry.js';
import type { EntryFramer, EntryFraming } from './entry-framer.js';
import type { KeyPattern } from './key-pattern.js';
import type { MaybePromise } from './maybe-promise.js';

/**
 * The port that a store implements.
 *
 * A backend is opened once per cache (`open`); what it gives back, a {@link BackendStore}, is the place of that
 * cache's entries. A method that has its answer at hand returns it, one that has to ask returns a promise; a
 * failure is a throw or a rejection with a {@link CacheBackendError}, never a made-up answer: whether a failing
 * store is survived or reported is decided above.
 *
 * ## The fence
 *
 * A value may be stored only if nothing invalidated it while it was loading. So whoever loads begins with a
 * token, and the store refuses the value when, since the token was taken,
 *
 * - the key was deleted (one by one, in bulk, or by pattern) or put,
 * - the cache was cleared,
 * - or one of the entry's tags, those known only from the result included, was invalidated.
 *
 * A marker that is absent means refuse, never "nothing happened". Deciding and storing are one atomic step of
 * the store. A backend that cannot do this says so in its capabilities.
 *
 * Every backend passes `describeBackend` of `cachewell/testing`.
 */
export interface CacheBackend {
  /** For messages, events and statistics, such as `memory` or `redis`. */
  readonly name: string;
  readonly capabilities: BackendCapabilities;
  /**
   * The most that one call may wait for the store, in milliseconds, known from `attach` on. It bounds all steps that
   * a caller waits for together (promise P4). Absent where answers come at once.
   */
  readonly callTimeoutMs?: number | undefined;
  /** What all its keys in a shared store begin with; a bus beside it uses the same. */
  readonly prefix?: string | undefined;
  /**
   * Takes what the manager shares with its backend. Called once, before `open`.
   *
   * @throws {@link CacheConfigurationError} when the backend already belongs to another manager
   */
  attach(context: BackendContext): void;
  /** The place of one cache's entries. The same space gives the same store. */
  open(space: CacheSpace): BackendStore;
  /** Makes void every entry, in every cache, that carries the tags. Costs the same however many they are. */
  invalidateTags(selection: TagSelection, options?: CallOptions): MaybePromise<void>;
  /** Makes void every entry of every cache below this backend's prefix, and nothing else. */
  clearAll(options?: CallOptions): MaybePromise<void>;
  /**
   * A place on the server behind the store for what an application keeps there beside its cache, such as the counters of
   * a rate limiter. No invalidation reaches it. Absent, or `undefined`, where there is no server, or none yet.
   */
  openArea?(name: string): CommandArea | undefined;
  /** Resolves when the store answers. @throws {@link CacheBackendError} when it does not. */
  ping(): MaybePromise<void>;
  /** How the store is, from what is known without asking it. */
  health(): BackendHealth;
  /** Facts for operators from an allow-list: no path, no password, no other tenant's data. */
  info(): MaybePromise<Readonly<Record<string, string | number>>>;
  /**
   * Refuses new work, lets what is under way finish within `timeoutMs`, and lets go of sockets and timers.
   * Calling it again gives the same promise. Clients that the user passed in stay open.
   */
  close(timeoutMs: number): Promise<void>;
}

/** A key area of its own on a backend's server, by way of the backend's own connection. */
export interface CommandArea {
  /** What its keys have to begin with. */
  readonly prefix: string;
  /**
   * Sends a command within the backend's time limit. A reply's texts are buffers.
   *
   * @throws {@link CacheBackendError} when the server does not answer, at once where that is known
   */
  call(command: string, ...commandArguments: readonly string[]): Promise<unknown>;
}

/** What a backend can do. Declared, not guessed. */
export interface BackendCapabilities {
  /** `values`: keeps live values. `bytes`: keeps frames, and gets the framer from the manager. */
  readonly stores: 'values' | 'bytes';
  /** Whether other processes see the same entries. */
  readonly isShared: boolean;
  /** Whether `store` is conditional on tokens across all processes that share the store (promise P1). */
  readonly hasConditionalStores: boolean;
  /** Whether `clear` and tags cost the same however many entries they hit (promise P7). */
  readonly hasGenerations: boolean;
  /** Whether it can hand out leases to loaders across processes (`sync: 'cluster'`). */
  readonly hasLeases: boolean;
  /** Whether keys can be listed and matched (`keys`, `deletePattern`). */
  readonly canScan: boolean;
  /**
   * Whether it keeps invalidations that its store could not take, and replays them before it trusts the store again.
   * The manager does it for shared backends that do not.
   */
  readonly keepsInvalidations?: boolean | undefined;
  /**
   * Whether it goes on by itself while its shared store is out of reach, so that a lookup that failed says nothing about
   * the fill that follows.
   */
  readonly goesOnAlone?: boolean | undefined;
}

/** How one call may be done. */
export interface CallOptions {
  /**
   * When the caller stops waiting, by `performance.now()`. A call that is due is not sent and fails with
   * {@link CacheTimeoutError}. Absent: `callTimeoutMs` from now.
   */
  readonly dueAt?: number | undefined;
}

/** What the manager shares with its backend. */
export interface BackendContext {
  readonly clock: CacheClock;
  readonly logger: CacheLogger;
  /** Turns records into bytes and back; only backends that store bytes use it. */
  readonly framer: EntryFramer;
  /** Tells the manager about something that no caller is waiting for. Never throws. */
  report(event: BackendEvent): void;
  /**
   * What is registered under an injection token in the manager's container; `undefined` when nothing is. Absent
   * where the manager has no container.
   */
  readonly resolve?: ((token: unknown) => unknown) | undefined;
}

/** What a backend tells the manager on its own account. */
export type BackendEvent =
  /** The bound was reached and an entry had to go. */
  | {
      readonly type: 'evict';
      readonly cache: string;
      readonly key: string;
      readonly reason: 'entries' | 'bytes';
    }
  /** An entry's time was up, and it was freed. */
  | { readonly type: 'expire'; readonly cache: string; readonly key: string }
  /** A stored entry is unusable, or work that nobody awaits failed. */
  | {
      readonly type: 'error';
      readonly cache?: string;
      readonly key?: string;
      readonly operation: string;
      readonly error: CacheError;
    }
  /** The store does not answer, and calls go on without it. */
  | { readonly type: 'degraded'; readonly error: CacheError }
  /** The store answers again. */
  | { readonly type: 'recovered' }
  /** The store could not take an invalidation: it holds in this process, and is replayed once the store answers. */
  | {
      readonly type: 'deferred';
      readonly cache?: string;
      readonly operation: string;
      readonly error: CacheError;
    }
  /** Bytes moved to or from the store. */
  | {
      readonly type: 'bytes';
      readonly cache: string;
      readonly read: number;
      readonly written: number;
    };

/** How a backend is: usable; usable in part; not reachable; never connected or closed. */
export interface BackendHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy' | 'unavailable';
  /** The code of the last failure, while it lasts. */
  readonly errorCode?: string;
  /** Of a store that has a breaker, once it was tried; a backend of tiers tells that of its shared one. */
  readonly breaker?: BreakerState;
}

/**
 * Which commands a circuit breaker lets through to a store: `closed` = all; `open` = none, they fail at once; `half-open` = some: a
 * probe is to tell whether the store answers again, or, of a Cluster, some masters answer and others do not.
 */
export type BreakerState = 'closed' | 'half-open' | 'open';

/** Which cache a store serves. */
export interface CacheSpace {
  /** The cache's name, as the user wrote it. */
  readonly name: string;
  /** Part of every key: another version sees none of this one's entries. */
  readonly version: string;
  /** Overrides of the framer's codec and compressor for this cache, and its model. */
  readonly framing?: EntryFraming;
  /** Where a backend of tiers keeps this cache's entries. @defaultValue 'both' */
  readonly tiers?: CacheTiers | undefined;
  /** The longest that a process' own tier keeps an entry, in milliseconds. @defaultValue Infinity */
  readonly l1TtlMs?: number | undefined;
  /** Tells the sizes of this cache's values where they are known, for stores that keep values. */
  readonly sizes?: ValueSizes | undefined;
}

/** What is known of the sizes of a cache's values. */
export interface ValueSizes {
  /**
   * The bytes that a value takes in memory, found without a walk through it; `undefined` for one of which that is not
   * known. Never throws, whatever it is given.
   */
  bytesOf(value: unknown): number | undefined;
}

/** Which tiers hold a cache's entries: both, only the process' own, or only the shared one. */
export type CacheTiers = 'both' | 'l1' | 'l2';

/** Which entries an invalidation by tag hits: those with any of the tags, or those with all of them. */
export type TagSelection =
  { readonly anyOf: readonly string[] } | { readonly allOf: readonly string[] };

/** The entries of one cache. Keys are key texts (see `cache-key.ts`), without any prefix. */
export interface BackendStore {
  /**
   * The live entry under a key: not expired physically, not void by its cache's or a tag's generation.
   * A damaged or foreign entry is reported as an `error` event and counts as absent.
   *
   * @param now - the time by the context's clock, where the caller has just read it: a store that needs it may use that
   * instead, for reading a clock costs a good part of a hit in memory
   */
  get(key: string, hints?: ReadHints, now?: number): MaybePromise<StoredEntry | undefined>;
  /** The same for many keys in one round trip; the results stand in the order of the keys. */
  getMany(
    keys: readonly string[],
    hints?: ReadHints,
  ): MaybePromise<readonly (StoredEntry | undefined)[]>;
  /**
   * Begins fills: looks each key up once more and takes its token, in one atomic step per key and one round trip
   * for all. Tokens of one key are shared by all that load it. A token lives until its key is invalidated or
   * put, until it is released, or until the store's own bound for lost loaders has passed.
   */
  begin(keys: readonly string[], hints?: ReadHints): MaybePromise<readonly FillStart[]>;
  /**
   * The same for a key that only one process at a time is to load (`sync: 'cluster'`); only where the backend has
   * leases. Whoever gets the token holds the key's lease, which the backend renews until the token is used or
   * released; the others get the {@link LoadTurn} to wait for. A lease that is not renewed, because its process died,
   * passes to another one, and the token of the first is void. A lease may end as well with whatever makes its token void.
   * An entry that is there comes without a lease unless `isRefresh`.
   */
  beginTurns?(
    keys: readonly string[],
    hints?: TurnHints,
  ): MaybePromise<readonly (FillStart | LoadTurn)[]>;
  /**
   * Begins a put whose key only its result will tell: gives a token that stands for whichever key is put with it,
   * and holds unless that key was deleted or put, or the cache was cleared, since it was taken.
   */
  watch(options?: CallOptions): MaybePromise<FillToken>;
  /** Gives tokens back whose load stored nothing, and wakes who waits for their turns. Never throws. */
  release(tokens: readonly FillToken[], options?: ReleaseOptions): void;
  /**
   * Stores entries, each under its fence, in one round trip. The outcomes stand in the order of the writes.
   * One entry that cannot become bytes does not stop the others: its outcome is the error.
   */
  store(
    writes: readonly EntryWrite[],
    options?: CallOptions,
  ): MaybePromise<readonly StoreOutcome[]>;
  /** Deletes keys and voids their tokens. Resolves with the number of live entries among them. */
  delete(keys: readonly string[], options?: CallOptions): MaybePromise<number>;
  /** Deletes the keys that match and voids their tokens. Resolves with the number of live entries among them. */
  deletePattern(pattern: KeyPattern, options?: CallOptions): MaybePromise<number>;
  /** Makes every entry and every token of this cache void, at a cost that does not depend on their number. */
  clear(options?: CallOptions): MaybePromise<void>;
  /**
   * Sets a live entry's expiries. Resolves with `false` when there is none.
   *
   * @param ttlMs - milliseconds from now, above 0; `Infinity` = never
   * @param retainMs - milliseconds until physical expiry; below `ttlMs` only where expiry slides
   */
  expire(
    key: string,
    ttlMs: number,
    retainMs: number,
    options?: CallOptions,
  ): MaybePromise<boolean>;
  /**
   * Sets how long a live entry is kept from now, without touching when it goes stale: sliding expiry. Nobody waits
   * for it; a failure is reported. A store that sweeps by the record's own times keeps the new one.
   *
   * @param retainMs - milliseconds until physical expiry, above 0
   */
  touch(key: string, retainMs: number): void;
  /** A page of live keys. A key that is there during the whole walk is returned at least once. */
  scan(request: ScanRequest): MaybePromise<ScanPage>;
  /**
   * What lists show of the keys that `scan` gave, `undefined` for those that have gone, in the order of the keys. Costs the
   * same however large the values are, and counts as no use. Whether an entry became void since is not asked. Absent
   * where it would cost as much as `getMany`.
   */
  readonly outlines?:
    | ((
        keys: readonly string[],
        options?: CallOptions,
      ) => MaybePromise<readonly (EntryOutline | undefined)[]>)
    | undefined;
}

/** What a list shows of an entry. */
export interface EntryOutline {
  /** Logical expiry: from then on the entry is stale. `Infinity` = never. */
  readonly expiresAt: number;
  /** How many bytes its value has, encoded and not compressed, for stores of bytes. */
  readonly sizeBytes?: number;
  /** The value as it is kept, for stores of values. For looking at only. */
  readonly value?: unknown;
}

/** What the reader knows or needs beyond the key. */
export interface ReadHints extends CallOptions {
  /** Tags that the entry is expected to carry, so that the store can read their markers in the same round trip. */
  readonly tags?: readonly string[];
  /** Whether exact expiries are needed, for a store that would have to ask for them. */
  readonly needsTimes?: boolean;
  /**
   * Where the lookup stands in a call that waits for other processes (`sync: 'cluster'`): at its beginning, or `again`
   * behind a wait, when most find their entry. A store whose answer would take several commands gives it in one, even if
   * that costs more: all processes that wait ask at the same time. Absent for other calls.
   */
  readonly turns?: 'first' | 'again' | undefined;
}

/** What `beginTurns` needs to know. */
export interface TurnHints extends ReadHints {
  /** Whether to load although there is an entry. @defaultValue false */
  readonly isRefresh?: boolean | undefined;
}

/** The right to store one key's loaded value. Opaque; a backend keeps its own fields in it. */
export interface FillToken {
  /** `''` for a token of `watch`. */
  readonly key: string;
  /** The store's sequence number when the token was taken. */
  readonly sequence: number;
  /**
   * What the tokens of one key share, compared by `===`: while a token is not released, a later one of its key with the
   * same claim and the same sequence proves that nothing has voided the first. Absent where that cannot be told.
   */
  readonly claim?: unknown;
}

/** What a fill begins with: the token, and the entry if one has appeared meanwhile or is being refreshed. */
export interface FillStart {
  readonly token: FillToken;
  readonly entry: StoredEntry | undefined;
}

/** What is known of a load that stored nothing. */
export interface ReleaseOptions {
  /**
   * Whether its result was for its caller alone, as those of the others will be: who waits for its turn is told, in
   * {@link LoadTurn.isUnshared}, because nobody is to wait for the next one in vain, too.
   */
  readonly isUnshared?: boolean | undefined;
}

/** The load of another process. */
export interface LoadTurn {
  /**
   * Resolves when it is time to look for the entry, and to begin again if there is none: the other load has ended,
   * or its process no longer renews its lease. Never rejects. Asks the store nothing.
   */
  readonly whenOver: Promise<void>;
  /**
   * What showed, while the other load was waited for, that the store is out of reach: the wait has taken the time that a
   * call may wait for the store. Set before `whenOver` resolves; absent or `undefined` otherwise.
   */
  readonly failure?: CacheError | undefined;
  /**
   * Known once it is over: whether the other load has said that its result is for nobody else. Absent or `false` for all
   * other ends, such as that of a process that has died.
   */
  readonly isUnshared?: boolean | undefined;
  /** Stops waiting; `whenOver` then stays pending. */
  cancel(): void;
}

/**
 * Under which condition an entry is stored.
 *
 * - `fill`: a loaded value; stored if its token still holds.
 * - `put`: a value that replaces whatever was loaded; stored if its token still holds, and voids the tokens of
 *   all others. When its token no longer holds, the order of events is unknown: nothing is stored and the key is
 *   voided.
 * - `set`: stored as of the call, whatever was there, and voids all tokens of the key. Once the call has settled,
 *   a `set` that did not take effect never does, however late the store executes it.
 */
export type Fence =
  | { readonly kind: 'fill'; readonly token: FillToken }
  | { readonly kind: 'put'; readonly token: FillToken }
  | { readonly kind: 'set' };

/** One entry to store. `entry.sequence` is taken from the fence's token, or by the store for `set`. */
export interface EntryWrite {
  readonly key: string;
  readonly entry: Omit<CacheEntry, 'sequence'>;
  readonly fence: Fence;
  /** Overrides of the cache's framing for this write. */
  readonly framing?: EntryFraming;
}

/** What became of a write: it is there; it was invalidated meanwhile; or it cannot be stored at all. */
export type StoreOutcome = 'stored' | 'refused' | CacheError;

/** What to list. */
export interface ScanRequest {
  readonly pattern?: KeyPattern | undefined;
  /** Where the last page ended; absent or `'0'` at the start. */
  readonly cursor?: string | undefined;
  /** About how many keys a page should have. */
  readonly count: number;
}

/** A page of keys; `cursor` is `'0'` when there are no more. */
export interface ScanPage {
  readonly keys: readonly string[];
  readonly cursor: string;
}
