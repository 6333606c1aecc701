import {
  CacheBackendError,
  CacheClosedError,
  CacheConfigurationError,
  isCacheError,
  type CacheError,
} from '../errors.js';
import type { BackendStore, CacheSpace } from './backend.js';
import type { ErrorMode, SyncMode } from './cache-handle.js';
import type { CacheRuntime } from './cache-runtime.js';
import type { CacheSettings } from './cache-settings.js';
import { StatisticsCounter } from './cache-statistics.js';
import { CachedErrors } from './cached-errors.js';
import { CallBudget } from './call-budget.js';
import type { StoredEntry } from './entry.js';
import { FlightTable } from './flight-table.js';
import type { MaybePromise } from './maybe-promise.js';
import { RetryThrottle } from './retry-throttle.js';
import { isTimed } from './time-settings.js';
import { isAnyRunning } from './transaction/transaction-scope.js';
import type { TransactionView } from './transaction/transaction-view.js';

/**
 * How one cache reaches its store: which one, whether at all, what a failure means, and what is counted. The operations
 * stand in {@link CacheCore}.
 */
export abstract class CacheAccess {
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
  readonly #reportedLoads: WeakSet<object> = new WeakSet();
  protected readonly space: CacheSpace;
  /** Once it was opened. */
  protected knownStore: BackendStore | undefined;

  constructor(settings: CacheSettings, runtime: CacheRuntime) {
    this.settings = settings;
    this.runtime = runtime;
    this.retries = new RetryThrottle(runtime.clock);
    this.isTimed = isTimed(settings);
    const { name, version, tiers, l1TtlMs } = settings;
    this.space = {
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
    return this.view()?.flights ?? this.ownFlights;
  }

  /** The store itself, whatever transaction is around. */
  ownStore(): BackendStore {
    return (this.knownStore ??= this.runtime.openStore(this.space));
  }

  /** The time that a call of several steps may wait for the store; `undefined` where it does not wait. */
  startBudget(): CallBudget | undefined {
    const { callTimeoutMs } = this.runtime;
    return callTimeoutMs === undefined ? undefined : new CallBudget(callTimeoutMs);
  }

  /**
   * Whether loads under a sync mode wait for those of other processes.
   *
   * @throws {@link CacheConfigurationError} when they should, and the store cannot tell
   */
  takesTurns(sync: SyncMode): boolean {
    if (sync !== 'cluster' || !this.runtime.isShared) return false;
    if (!this.runtime.hasLeases) throw this.noLeases();
    return true;
  }

  /** Tells the store that somebody has read an entry whose expiry slides. */
  touch(key: string, retainMs: number): void {
    if (this.runtime.isEnabled) this.opened().touch(key, retainMs);
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

  /** Runs a less frequent operation of the store under the error policy. */
  async withStore<Result>(
    operation: string,
    mode: ErrorMode,
    fallback: Result,
    run: (store: BackendStore) => MaybePromise<Result>,
  ): Promise<Result> {
    if (this.isOff(operation, mode)) return fallback;
    try {
      return await run(this.opened());
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
    this.report(operation, failure, key);
    if (mode === 'throw') throw failure;
    return undefined;
  }

  /** Whether nothing is looked up or stored; after `close` that is a failure for those who want to know. */
  protected isOff(operation: string, mode: ErrorMode): boolean {
    if (this.runtime.isEnabled) return false;
    if (this.runtime.isClosed && mode === 'throw') {
      throw new CacheClosedError(
        `${operation} of cache '${this.name}' came after the manager was closed.`,
      );
    }
    return true;
  }

  protected noLeases(): CacheConfigurationError {
    return new CacheConfigurationError(
      `Cache '${this.name}' has sync: 'cluster', and its store cannot hand out leases, so that processes cannot wait for each other's loads. Use a backend that can, such as RedisBackend, or sync: 'local'.`,
    );
  }

  protected opened(): BackendStore {
    const store = this.knownStore;
    if (store !== undefined && !isAnyRunning()) return store;
    return this.view() ?? this.ownStore();
  }

  /** What the transaction around the caller, if there is one, shows of this cache. */
  protected abstract view(): TransactionView | undefined;

  protected report(operation: string, error: CacheError, key: string | undefined): void {
    this.counter.errors++;
    this.runtime.reportError(operation, error, this.name, key);
  }

  /** Counts a read, and gives the entry if it is fresh. */
  protected account(key: string, entry: StoredEntry | undefined): StoredEntry | undefined {
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
