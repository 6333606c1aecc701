import {
  CacheBackendError,
  CacheClosedError,
  CacheConfigurationError,
  isCacheError,
  type CacheError,
} from '../errors.js';
import type { BackendStore, CacheSpace } from './backend.js';
import type { ErrorMode } from './cache-handle.js';
import type { CacheSettings } from './cache-settings.js';
import { StatisticsCounter } from './cache-statistics.js';
import type { StoredEntry } from './entry.js';
import { CachedErrors } from './cached-errors.js';
import { CallBudget } from './call-budget.js';
import { FlightTable } from './flight-table.js';
import { RetryThrottle } from './retry-throttle.js';
import { isTimed } from './time-settings.js';
import { isAnyRunning } from './transaction/transaction-scope.js';
import type { TransactionView } from './transaction/transaction-view.js';
import type { CacheRuntime } from './cache-runtime.js';

/**
 * What all access to one cache's store needs: its settings, its counters, and the one place where a failure is either
 * reported or thrown.
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
  /** See `ValueSizes`. Given by a bridge that knows the form of what it stores in this cache. */
  bytesOf: ((value: unknown) => number | undefined) | undefined = undefined;
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
      // Asked anew for each value: the bridge may come after the cache.
      sizes: { bytesOf: (value) => this.bytesOf?.(value) },
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
    return (this.#store ??= this.runtime.openStore(this.#space));
  }

  /** The time that a call of several steps may wait for the store; `undefined` where it does not wait. */
  startBudget(): CallBudget | undefined {
    const { callTimeoutMs, goesOnAlone } = this.runtime;
    return callTimeoutMs === undefined ? undefined : new CallBudget(callTimeoutMs, goesOnAlone);
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

  /** Takes over a step that was given up: what it answers is `taken` by somebody, and its failure is reported. */
  protected disregard<Answer>(
    operation: string,
    answer: Promise<Answer>,
    key?: string,
    taken: (answer: Answer) => void = () => undefined,
  ): void {
    answer.then(taken).catch((error: unknown) => {
      this.failCallback(operation, error, 'bypass', key);
    });
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
    const store = this.#store;
    if (store !== undefined && !isAnyRunning()) return store;
    return this.view() ?? this.ownStore();
  }

  /** What the transaction around sees of this cache, where there is one. */
  protected abstract view(): TransactionView | undefined;

  protected report(operation: string, error: CacheError, key: string | undefined): void {
    this.counter.errors++;
    this.runtime.reportError(operation, error, this.name, key);
  }

  /** The store as far as it was opened. */
  protected get openStore(): BackendStore | undefined {
    return this.#store;
  }

  /** Invalidations open a store, but no connection that nobody has needed before. */
  protected storeToInvalidate(): BackendStore | undefined {
    return this.#store ?? this.runtime.openStoreToInvalidate(this.#space);
  }
}

/** Whether a lookup, begin or store is left out, because an earlier step of the call found the store out of reach. */
export function skips(budget: CallBudget | undefined, mode: ErrorMode): boolean {
  if (budget?.failure === undefined) return false;
  if (mode === 'throw') throw budget.failure;
  return true;
}
