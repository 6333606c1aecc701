import type { CacheClock } from '../clock.js';
import {
  CacheBackendError,
  CacheClosedError,
  CacheConfigurationError,
  isCacheError,
  type CacheError,
} from '../errors.js';
import type {
  BackendStore,
  CacheSpace,
  CallOptions,
  EntryWrite,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  StoreOutcome,
  TagSelection,
  TurnHints,
} from './backend.js';
import type { EntryFraming } from './entry-framer.js';
import type { CacheCompressor } from './codec.js';
import type { CacheEvents, InvalidateEvent } from './cache-events.js';
import type { ErrorMode, SyncMode } from './cache-handle.js';
import type { CacheSettings } from './cache-settings.js';
import { StatisticsCounter } from './cache-statistics.js';
import type { StoredEntry } from './entry.js';
import { CachedErrors } from './cached-errors.js';
import { CallBudget, takeStep } from './call-budget.js';
import { FlightTable } from './flight-table.js';
import type { KeyPattern } from './key-pattern.js';
import { isPending, type MaybePromise } from './maybe-promise.js';
import { RetryThrottle } from './retry-throttle.js';
import { isTimed } from './time-settings.js';
import { currentTransaction, isAnyRunning } from './transaction/transaction-scope.js';
import { holderOfTokens, holderOfWrites } from './transaction/transaction-token.js';
import type { TransactionView } from './transaction/transaction-view.js';

/** What a cache needs of its manager. */
export interface CacheRuntime {
  readonly clock: CacheClock;
  readonly events: CacheEvents;
  /** A number from 0 to 1, 1 excluded. */
  readonly random: () => number;
  /** Off: no lookups, no stores; invalidations go on. */
  readonly isEnabled: boolean;
  /** Whether the manager was closed, which switches it off for good. */
  readonly isClosed: boolean;
  /** Whether other processes see what is stored. */
  readonly isShared: boolean;
  /** Whether values are kept as bytes, so that hints and framing matter. */
  readonly storesBytes: boolean;
  /** Whether the store lets processes take turns. */
  readonly hasLeases: boolean;
  /** The most that one call may wait for the store, over all its steps; absent where answers come at once. */
  readonly callTimeoutMs?: number | undefined;
  /** @throws {@link CacheClosedError} after the manager was closed */
  openStore(space: CacheSpace): BackendStore;
  /** `undefined` while the manager was never enabled, so that nothing can have been stored. */
  openStoreToInvalidate(space: CacheSpace): BackendStore | undefined;
  framingOf(settings: CacheSettings): EntryFraming;
  /** What a `compress` option means: a compressor, or `null` for none. */
  compressorFor(compress: boolean | CacheCompressor): CacheCompressor | null;
  invalidateTags(selection: TagSelection, mode: ErrorMode, budget?: CallBudget): Promise<void>;
  /** Counts, emits and logs a failure of the cache itself. */
  reportError(operation: string, error: CacheError, cache: string, key?: string): void;
}

/**
 * One cache's access to its store, with the error policy, the counters and the events in one place.
 *
 * Every method either does what it says, or, when the store fails, follows `mode`: `'bypass'` reports the failure
 * and goes on as if nothing were stored, `'throw'` rejects with the {@link CacheError}. Errors of configuration are
 * never bypassed.
 *
 * A call of several steps takes a budget and gives it to each of them.
 */
export class CacheCore {
  readonly settings: CacheSettings;
  readonly runtime: CacheRuntime;
  readonly counter: StatisticsCounter = new StatisticsCounter();
  readonly ownFlights: FlightTable = new FlightTable();
  /** The errors that operations of this cache may store. */
  readonly errors: CachedErrors = new CachedErrors();
  /** The keys whose refresh has failed a short while ago. */
  readonly retries: RetryThrottle;
  /** Whether reads by the cache's own settings do more than tell fresh entries from others. */
  readonly isTimed: boolean;
  readonly #reportedLoads = new WeakSet();
  readonly #space: CacheSpace;
  #store: BackendStore | undefined;

  constructor(settings: CacheSettings, runtime: CacheRuntime) {
    this.settings = settings;
    this.runtime = runtime;
    this.retries = new RetryThrottle(runtime.clock);
    this.isTimed = isTimed(settings);
    const { name, version, tiers, l1TtlMs } = settings;
    this.#space = {
      name,
      version,
      framing: { ...runtime.framingOf(settings), errors: this.errors },
      tiers,
      l1TtlMs,
    };
  }

  get name(): string {
    return this.settings.name;
  }

  /** The loads that a caller here may join: those of its transaction, where it is in one. */
  get flights(): FlightTable {
    return this.#view()?.flights ?? this.ownFlights;
  }

  /** The store itself, whatever transaction is around. */
  ownStore(): BackendStore {
    return (this.#store ??= this.runtime.openStore(this.#space));
  }

  /** The time that a call of several steps may wait for the store; `undefined` where it does not wait. */
  startBudget(): CallBudget | undefined {
    const { callTimeoutMs } = this.runtime;
    return callTimeoutMs === undefined ? undefined : new CallBudget(callTimeoutMs);
  }

  /** The fresh entry under a key. At once when the store is in memory. */
  peek(
    key: string,
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): MaybePromise<StoredEntry | undefined> {
    if (this.#isOff('get', mode)) return undefined;
    if (skips(budget, mode)) return this.#account(key, undefined);
    let found: MaybePromise<StoredEntry | undefined>;
    try {
      found = this.#opened().get(key, budget === undefined ? hints : budget.within(hints));
    } catch (error) {
      budget?.note(error);
      this.#account(key, undefined);
      return this.fail('get', error, mode, key);
    }
    if (!isPending(found)) return this.#account(key, found);
    const startedAt = performance.now();
    budget?.enter(startedAt);
    return found.then(
      (entry) => {
        const endedAt = performance.now();
        budget?.leave(endedAt);
        this.counter.read.record(endedAt - startedAt);
        return this.#account(key, entry);
      },
      (error: unknown) => {
        budget?.leave(undefined, error);
        this.#account(key, undefined);
        return this.fail('get', error, mode, key);
      },
    );
  }

  /**
   * What the store holds to be live under a key, expired or not. Counts nothing, which is for whoever knows what became
   * of it: `countHit`, `countStale`, `countMiss`.
   */
  find(
    key: string,
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): MaybePromise<StoredEntry | undefined> {
    if (this.#isOff('get', mode) || skips(budget, mode)) return undefined;
    try {
      const found = takeStep(budget, hints, (options) => this.#opened().get(key, options));
      if (!(found instanceof Promise)) return found;
      const startedAt = performance.now();
      return found.then(
        (entry) => {
          this.counter.read.record(performance.now() - startedAt);
          return entry;
        },
        (error: unknown) => this.fail('get', error, mode, key),
      );
    } catch (error) {
      return this.fail('get', error, mode, key);
    }
  }

  /** The same for many keys; the results stand in the order of the keys. */
  async findMany(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    if (keys.length === 0 || this.#isOff('getMany', mode) || skips(budget, mode)) {
      return keys.map(() => undefined);
    }
    const startedAt = performance.now();
    try {
      const found = takeStep(budget, hints, (options) => this.#opened().getMany(keys, options));
      if (!(found instanceof Promise)) return found;
      const entries = await found;
      this.counter.read.record(performance.now() - startedAt);
      return entries;
    } catch (error) {
      this.fail('getMany', error, mode);
      return keys.map(() => undefined);
    }
  }

  /** The fresh entries under many keys; they stand in the order of the keys. */
  async peekMany(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    if (keys.length === 0 || this.#isOff('getMany', mode)) return keys.map(() => undefined);
    if (skips(budget, mode)) return keys.map((key) => this.#account(key, undefined));
    const startedAt = performance.now();
    let entries: readonly (StoredEntry | undefined)[];
    try {
      const found = takeStep(budget, hints, (options) => this.#opened().getMany(keys, options));
      entries = found instanceof Promise ? await found : found;
      if (found instanceof Promise) this.counter.read.record(performance.now() - startedAt);
    } catch (error) {
      for (const key of keys) this.#account(key, undefined);
      this.fail('getMany', error, mode);
      return keys.map(() => undefined);
    }
    return entries.map((entry, index) => this.#account(keys[index]!, entry));
  }

  /** Takes the tokens of fills. `undefined` when there is nowhere to store. */
  begin(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): MaybePromise<readonly FillStart[] | undefined> {
    if (keys.length === 0 || this.#isOff('begin', mode)) return undefined;
    if (skips(budget, mode)) return undefined;
    let starts: MaybePromise<readonly FillStart[]>;
    try {
      starts = takeStep(budget, hints, (options) => this.#opened().begin(keys, options));
    } catch (error) {
      return this.fail('begin', error, mode, keys[0]);
    }
    if (!(starts instanceof Promise)) return starts;
    return starts.catch((error: unknown) => this.fail('begin', error, mode, keys[0]));
  }

  /** The same for keys that only one process at a time is to load; see `takesTurns`. */
  beginTurns(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: TurnHints,
    budget?: CallBudget,
  ): MaybePromise<readonly (FillStart | LoadTurn)[] | undefined> {
    if (keys.length === 0 || this.#isOff('begin', mode) || skips(budget, mode)) return undefined;
    let starts: MaybePromise<readonly (FillStart | LoadTurn)[]>;
    try {
      const store = this.#opened();
      if (store.beginTurns === undefined) throw this.#noLeases();
      starts = takeStep(budget, hints, (options) => store.beginTurns!(keys, options));
    } catch (error) {
      return this.fail('begin', error, mode, keys[0]);
    }
    if (!(starts instanceof Promise)) return starts;
    return starts.catch((error: unknown) => this.fail('begin', error, mode, keys[0]));
  }

  /**
   * Whether loads under a sync mode wait for those of other processes.
   *
   * @throws {@link CacheConfigurationError} when they should, and the store cannot tell
   */
  takesTurns(sync: SyncMode): boolean {
    if (sync !== 'cluster' || !this.runtime.isShared) return false;
    if (!this.runtime.hasLeases) throw this.#noLeases();
    return true;
  }

  /** Tells the store that somebody has read an entry whose expiry slides. */
  touch(key: string, retainMs: number): void {
    if (this.runtime.isEnabled) this.#opened().touch(key, retainMs);
  }

  countHit(key: string, { source }: StoredEntry): void {
    const { events } = this.runtime;
    this.counter.hits++;
    if (source === 'l2') this.counter.hitsL2++;
    if (events.has('hit')) events.emit('hit', { cache: this.name, key, source });
  }

  countStale(key: string, { source }: StoredEntry): void {
    const { events } = this.runtime;
    this.counter.stales++;
    if (events.has('stale')) events.emit('stale', { cache: this.name, key, source });
  }

  /** A cache that is switched off was not asked. */
  countMiss(key: string): void {
    const { events, isEnabled } = this.runtime;
    if (!isEnabled) return;
    this.counter.misses++;
    if (events.has('miss')) events.emit('miss', { cache: this.name, key });
  }

  /** Reports the failure of a load whose callers got something else, or were none; once, however many they were. */
  reportLoad(key: string, error: unknown): void {
    if (typeof error === 'object' && error !== null) {
      if (this.#reportedLoads.has(error)) return;
      this.#reportedLoads.add(error);
    }
    this.failCallback('load', error, 'bypass', key);
  }

  /** Takes a token for a put whose key only its result will tell. `undefined` when there is nowhere to store. */
  async watch(mode: ErrorMode, budget?: CallBudget): Promise<FillToken | undefined> {
    if (skips(budget, mode)) return undefined;
    return this.withStore<FillToken | undefined>('watch', mode, undefined, (store) =>
      takeStep(budget, undefined, (options) => store.watch(options)),
    );
  }

  /** Gives tokens back. Never throws. */
  release(tokens: readonly FillToken[]): void {
    if (tokens.length > 0) (holderOfTokens(tokens) ?? this.#store)?.release(tokens);
  }

  /** Stores entries; the outcomes stand in the order of the writes, `undefined` where the store failed. */
  async store(
    writes: readonly EntryWrite[],
    mode: ErrorMode,
    budget?: CallBudget,
  ): Promise<readonly (StoreOutcome | undefined)[]> {
    if (writes.length === 0) return [];
    const isEnabled = this.runtime.isEnabled;
    if (!isEnabled || budget?.failure !== undefined) {
      // Switched off, or known to be out of reach, while the values were loading.
      this.release(writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token])));
      if (!isEnabled) this.#isOff('store', mode);
      await this.delete(replacingKeys(writes), mode, budget);
      skips(budget, mode);
      return writes.map(() => undefined);
    }
    const startedAt = performance.now();
    // What a transaction keeps is counted and told when it is stored.
    const holder = holderOfWrites(writes, this.#view());
    let outcomes: readonly StoreOutcome[];
    try {
      const stored = takeStep(budget, undefined, (options) =>
        (holder ?? this.ownStore()).store(writes, options),
      );
      outcomes = stored instanceof Promise ? await stored : stored;
      if (stored instanceof Promise) this.counter.write.record(performance.now() - startedAt);
    } catch (error) {
      this.fail('store', error, mode, writes[0]!.key);
      return writes.map(() => undefined);
    }
    let failure: CacheError | undefined;
    outcomes.forEach((outcome, index) => {
      const { key, entry } = writes[index]!;
      if (outcome === 'stored') {
        if (holder !== undefined) return;
        this.counter.sets++;
        if (this.runtime.events.has('set')) {
          const ttlMs = entry.expiresAt - entry.createdAt;
          this.runtime.events.emit('set', { cache: this.name, key, ttlMs });
        }
      } else if (outcome !== 'refused') {
        this.#report('store', outcome, key);
        failure ??= outcome;
      }
    });
    if (failure !== undefined) {
      // A value that cannot be kept still makes the one untrue that it was to replace.
      const unkept = writes.filter((_, index) => typeof outcomes[index] === 'object');
      await this.delete(replacingKeys(unkept), mode, budget);
      if (mode === 'throw') throw failure;
    }
    return outcomes;
  }

  /** Deletes keys. Resolves with the number of live entries among them. */
  delete(keys: readonly string[], mode: ErrorMode, budget?: CallBudget): Promise<number> {
    for (const key of keys) this.flights.detach(key);
    if (keys.length === 0) return Promise.resolve(0);
    const event = { scope: 'keys', cache: this.name, keys } as const;
    return this.#invalidate('delete', mode, event, budget, (store, options) =>
      store.delete(keys, options),
    );
  }

  /** Deletes the keys that match. Resolves with the number of live entries among them. */
  deletePattern(pattern: KeyPattern, mode: ErrorMode, budget?: CallBudget): Promise<number> {
    this.flights.detachMatching((key) => pattern.matches(key));
    const event = { scope: 'pattern', cache: this.name, pattern: pattern.glob } as const;
    return this.#invalidate('deletePattern', mode, event, budget, (store, options) =>
      store.deletePattern(pattern, options),
    );
  }

  /** Makes every entry void. */
  async clear(mode: ErrorMode, budget?: CallBudget): Promise<void> {
    this.flights.detachAll();
    const event = { scope: 'cache', cache: this.name } as const;
    await this.#invalidate('clear', mode, event, budget, (store, options) => {
      const cleared = store.clear(options);
      return cleared instanceof Promise ? cleared.then(() => 0) : 0;
    });
  }

  /** Runs a less frequent operation of the store under the error policy. */
  async withStore<Result>(
    operation: string,
    mode: ErrorMode,
    fallback: Result,
    run: (store: BackendStore) => MaybePromise<Result>,
  ): Promise<Result> {
    if (this.#isOff(operation, mode)) return fallback;
    try {
      return await run(this.#opened());
    } catch (error) {
      this.fail(operation, error, mode);
      return fallback;
    }
  }

  /**
   * The one place where a failure of the cache is either reported or thrown.
   *
   * @throws the error when the mode says so, or when it is the programmer's fault
   */
  fail(operation: string, error: unknown, mode: ErrorMode, key?: string): undefined {
    if (error instanceof CacheConfigurationError) throw error;
    return this.failCallback(operation, error, mode, key);
  }

  /**
   * The same for what a user's callback threw or gave while a call was under way: even a wrong option then must
   * not cost the caller the method's result.
   */
  failCallback(operation: string, error: unknown, mode: ErrorMode, key?: string): undefined {
    const failure = isCacheError(error)
      ? error
      : new CacheBackendError(
          `${operation} of cache '${this.name}' failed: ${error instanceof Error ? error.message : String(error)}`,
          { cause: error },
        );
    this.#report(operation, failure, key);
    if (mode === 'throw') throw failure;
    return undefined;
  }

  async #invalidate(
    operation: string,
    mode: ErrorMode,
    event: InvalidateEvent,
    budget: CallBudget | undefined,
    run: (store: BackendStore, options: CallOptions | undefined) => MaybePromise<number>,
  ): Promise<number> {
    // A transaction keeps it, and comes here again when it ends.
    const view = this.#view();
    if (view !== undefined) return run(view, undefined);
    let count: number;
    try {
      const store = this.#store ?? this.runtime.openStoreToInvalidate(this.#space);
      count =
        store === undefined
          ? 0
          : await takeStep(budget, undefined, (options) => run(store, options));
    } catch (error) {
      this.fail(operation, error, mode, event.scope === 'keys' ? event.keys[0] : undefined);
      return 0;
    }
    this.counter.deletes += count;
    const { events } = this.runtime;
    if (event.scope === 'keys' && events.has('delete')) {
      events.emit('delete', { cache: this.name, keys: event.keys, count });
    }
    if (events.has('invalidate')) events.emit('invalidate', event);
    return count;
  }

  /** Whether nothing is looked up or stored; after `close` that is a failure for those who want to know. */
  #isOff(operation: string, mode: ErrorMode): boolean {
    if (this.runtime.isEnabled) return false;
    if (this.runtime.isClosed && mode === 'throw') {
      throw new CacheClosedError(
        `${operation} of cache '${this.name}' came after the manager was closed.`,
      );
    }
    return true;
  }

  #noLeases(): CacheConfigurationError {
    return new CacheConfigurationError(
      `Cache '${this.name}' has sync: 'cluster', and its store cannot hand out leases, so that processes cannot wait for each other's loads. Use a backend that can, such as RedisBackend, or sync: 'local'.`,
    );
  }

  #opened(): BackendStore {
    const store = this.#store;
    if (store !== undefined && !isAnyRunning()) return store;
    return this.#view() ?? this.ownStore();
  }

  #view(): TransactionView | undefined {
    return currentTransaction(this.runtime)?.viewOf(this);
  }

  #report(operation: string, error: CacheError, key: string | undefined): void {
    this.counter.errors++;
    this.runtime.reportError(operation, error, this.name, key);
  }

  #account(key: string, entry: StoredEntry | undefined): StoredEntry | undefined {
    const { events } = this.runtime;
    // Where both expiries are one, the store has judged it already; the clock is read only where they differ.
    const isFresh =
      entry !== undefined &&
      (entry.expiresAt === entry.retainedUntil || entry.expiresAt > this.runtime.clock.now());
    if (!isFresh) {
      this.countMiss(key);
      return undefined;
    }
    this.counter.hits++;
    if (entry.source === 'l2') this.counter.hitsL2++;
    if (events.has('hit')) events.emit('hit', { cache: this.name, key, source: entry.source });
    return entry;
  }
}

/** Whether a lookup, begin or store is left out, because an earlier step of the call found the store out of reach. */
function skips(budget: CallBudget | undefined, mode: ErrorMode): boolean {
  if (budget?.failure === undefined) return false;
  if (mode === 'throw') throw budget.failure;
  return true;
}

/** The keys of the writes that take the place of what is there, whatever it is; a fill does not. */
function replacingKeys(writes: readonly EntryWrite[]): readonly string[] {
  return writes.filter(({ fence }) => fence.kind !== 'fill').map(({ key }) => key);
}
