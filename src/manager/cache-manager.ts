import { BackendCache } from '../cache/backend-cache.js';
import type { BreakerState, CacheBackend } from '../cache/backend.js';
import { CacheCore } from '../cache/cache-core.js';
import {
  CACHE_EVENT_NAMES,
  type CacheEventListener,
  type CacheEventName,
} from '../cache/cache-events.js';
import type { CacheDefinition, CacheHandle } from '../cache/cache-handle.js';
import type { KeyPart } from '../cache/cache-key.js';
import type { CacheRuntime } from '../cache/cache-runtime.js';
import { resolveCacheSettings, type CacheSettings } from '../cache/cache-settings.js';
import { StatisticsCounter, type CacheStatistics } from '../cache/cache-statistics.js';
import { tagSelection, type Cache } from '../cache/cache.js';
import { runTransaction } from '../cache/transaction/run-transaction.js';
import {
  resolveTransactionOptions,
  type TransactionOptions,
} from '../cache/transaction/transaction-options.js';
import { toMilliseconds, type Duration } from '../duration.js';
import { InvalidOptionError, UnknownCacheError } from '../errors.js';
import { expectBoolean, expectFunction, expectOneOf, rejectUnknown } from '../options.js';
import { defaultBackend } from './default-strategies.js';
import { ManagerRuntime } from './manager-runtime.js';
import {
  resolveManagerOptions,
  type CacheManagerOptions,
  type ResolvedManagerOptions,
} from './manager-options.js';

/** How a manager is: see {@link CacheManager.health}. */
export interface CacheHealth {
  readonly status: 'healthy' | 'degraded' | 'unhealthy' | 'unavailable' | 'disabled';
  /** The backend's name. */
  readonly backend: string;
  /** The code of the last failure, while it lasts. */
  readonly errorCode?: string;
  /** What the store's circuit breaker lets through; absent where there is none, or nothing to tell. */
  readonly breaker?: BreakerState;
}

/** A manager's statistics: the sum over its caches, and each of them. */
export interface ManagerStatistics extends CacheStatistics {
  readonly caches: Readonly<Record<string, CacheStatistics>>;
}

/** How `close` goes about it. */
export interface CloseOptions {
  /**
   * How long to wait for work that is under way.
   * @defaultValue '5s'
   */
  readonly timeout?: Duration | undefined;
}

/** How long `close` waits when nothing says otherwise. */
export const DEFAULT_CLOSE_TIMEOUT: Duration = '5s';

/**
 * The caches of an application, on one backend.
 *
 * Usually resolved from a tsyringe container; `new CacheManager(options)` works without one.
 *
 * @example
 * ```ts
 * import { CacheManager, MemoryBackend } from 'cachewell';
 *
 * await using manager = new CacheManager({ backend: new MemoryBackend({ maxEntries: 1000 }), ttl: '5m' });
 * const rates = manager.cache<[currency: string], number>('rates');
 * await rates.set('EUR', 1);
 * ```
 */
export class CacheManager implements AsyncDisposable {
  readonly #options: ResolvedManagerOptions;
  readonly #runtime: ManagerRuntime;
  readonly #cores = new Map<string, CacheCore>();
  readonly #caches = new Map<string, Cache>();
  #closing: Promise<void> | undefined;

  /**
   * @param resolve - what a container has for a token, where the manager belongs to one; backends that need a client
   * or settings ask it
   * @throws {@link InvalidOptionError} naming the option, the value and what was expected
   */
  constructor(options: CacheManagerOptions = {}, resolve?: (token: unknown) => unknown) {
    const resolved = resolveManagerOptions(options);
    this.#options = resolved;
    const backend = resolved.backend ?? defaultBackend();
    this.#runtime = new ManagerRuntime(resolved, backend, this.#cores, resolve);
    if (resolved.debug) this.#logEvents();
  }

  /** Whether `close` was called. */
  get isClosed(): boolean {
    return this.#closing !== undefined;
  }

  /** Off: nothing is looked up or stored; invalidations go on. */
  get enabled(): boolean {
    return this.#runtime.isEnabled;
  }

  set enabled(enabled: boolean) {
    this.#runtime.isEnabled = expectBoolean('CacheManager.enabled', enabled);
  }

  /** The backend that entries are kept in. */
  get backend(): CacheBackend {
    return this.#runtime.backend;
  }

  /**
   * What the caches share, which bridges work on.
   *
   * @internal
   */
  get runtime(): CacheRuntime {
    return this.#runtime;
  }

  /**
   * A cache by name, or by its typed handle. It is made at the first call.
   *
   * @throws {@link InvalidOptionError} when it was made with other options before
   * @throws {@link UnknownCacheError} when `strictCaches` is on and nothing declares it
   */
  cache<Key extends readonly KeyPart[], Value>(handle: CacheHandle<Key, Value>): Cache<Key, Value>;
  cache<Key extends readonly KeyPart[] = readonly KeyPart[], Value = unknown>(
    name: string,
    definition?: CacheDefinition,
  ): Cache<Key, Value>;
  cache(reference: string | CacheHandle, definition?: CacheDefinition): Cache {
    const name = typeof reference === 'string' ? reference : reference.name;
    const known = this.#caches.get(name);
    if (known !== undefined && definition === undefined && typeof reference === 'string')
      return known;
    const core =
      typeof reference === 'string'
        ? this.core(name, definition)
        : this.core(name, reference.definition);
    const cache = this.#caches.get(name) ?? new BackendCache(core);
    this.#caches.set(name, cache);
    return cache;
  }

  /**
   * The inside of a cache, which decorators and bridges work on.
   *
   * @internal
   */
  core(name: string, definition?: CacheDefinition): CacheCore {
    const known = this.#cores.get(name);
    if (known !== undefined) {
      if (definition !== undefined) expectSameSettings(known.settings, definition);
      return known;
    }
    const { caches, defaults, isStrict } = this.#options;
    const declared = Object.hasOwn(caches, name) ? caches[name] : undefined;
    if (isStrict && declared === undefined && definition === undefined) {
      throw new UnknownCacheError(name, Object.keys(caches));
    }
    const settings = resolveCacheSettings(
      name,
      definition ?? {},
      resolveCacheSettings(name, declared ?? {}, defaults),
    );
    const core = new CacheCore(settings, this.#runtime);
    this.#cores.set(name, core);
    return core;
  }

  /** The names of the caches made so far. */
  caches(): readonly string[] {
    return [...this.#cores.keys()];
  }

  /** Makes void every entry, in any cache, that carries any of the tags. */
  invalidateTags(...anyOf: readonly string[]): Promise<void>;
  /** Makes void every entry, in any cache, that carries all of the tags. */
  invalidateTags(selection: { readonly all: readonly string[] }): Promise<void>;
  async invalidateTags(
    ...given: readonly [{ readonly all: readonly string[] }] | readonly string[]
  ): Promise<void> {
    await this.#runtime.invalidateTags(tagSelection(given));
  }

  /** Makes void every entry of every cache below the backend's prefix, those of other processes included. */
  clearAll(): Promise<void> {
    return this.#runtime.clearAll();
  }

  /**
   * Runs `fn` so that what it does to the caches becomes visible to others only when it has succeeded. It must
   * include the commit of the database transaction that it goes with.
   *
   * Inside, puts and invalidations are kept: the reads of `fn` see them, nobody else does. When `fn` has resolved, they
   * are issued, and waited for; a put whose key anybody invalidated or put since it was made is dropped, and its key
   * is void. When `fn` throws, the puts are dropped, and the invalidations are issued all the same, those of the
   * dropped puts' keys included, for the commit may have happened. Values that `fn` loads stay inside.
   *
   * Transactions beside and inside each other are separate; with `propagation: 'join'` it becomes part of the one
   * around it, and what it did is undone there alone when it throws. What `fn` started and did not await goes to the
   * store directly once `fn` has ended.
   *
   * Resolves with what `fn` gave, whatever the cache does then: a cache that fails behind a commit must not look like
   * a roll-back, so such failures are events and log lines, even with `onError: 'throw'`. Rejects with what `fn`
   * threw, the same object.
   *
   * @throws {@link InvalidOptionError} when `fn` is no function, or an option is unknown or has no valid value
   *
   * @example
   * ```ts
   * import { CacheManager } from 'cachewell';
   *
   * async function rename(manager: CacheManager, id: number, name: string): Promise<void> {
   *   await manager.transaction(async () => {
   *     // begin; update … ; commit
   *     await manager.cache('users').set(id, { id, name });
   *     await manager.cache('user-lists').clear();
   *   });
   * }
   * ```
   */
  async transaction<Result>(
    fn: () => Result | PromiseLike<Result>,
    options: TransactionOptions = {},
  ): Promise<Result> {
    expectFunction('CacheManager.transaction fn', fn);
    const { propagation } = resolveTransactionOptions(options);
    return runTransaction(this.#runtime, fn, propagation);
  }

  /** Whether the store answers. Never rejects. */
  async ping(): Promise<boolean> {
    if (this.isClosed || !this.#runtime.wasEnabled) return false;
    try {
      await this.#runtime.attached().ping();
      return true;
    } catch {
      // The answer is the report.
      return false;
    }
  }

  /**
   * How the cache is: `healthy`; `degraded` = usable in part; `unhealthy` = the store does not answer, and calls
   * go on without it; `unavailable` = never connected, or closed; `disabled`. Asks nobody.
   */
  health(): CacheHealth {
    const backend = this.#runtime.backend.name;
    if (this.isClosed) return { status: 'unavailable', backend };
    if (!this.#runtime.isEnabled) return { status: 'disabled', backend };
    return { ...this.#runtime.attached().health(), backend };
  }

  /** Facts about the store for operators, from an allow-list. Rejects when the store does not answer. */
  async info(): Promise<Readonly<Record<string, string | number>>> {
    if (!this.#runtime.wasEnabled) return {};
    return this.#runtime.attached().info();
  }

  /** What was counted since the start or the last reset, in sum and per cache. */
  statistics(): ManagerStatistics {
    const sum = new StatisticsCounter();
    const caches: [name: string, CacheStatistics][] = [];
    for (const [name, core] of this.#cores) {
      sum.add(core.counter);
      caches.push([name, core.counter.snapshot()]);
    }
    sum.errors += this.#runtime.errorsOutsideCaches;
    // Not by assignment: a cache may be called '__proto__'.
    return Object.freeze({ ...sum.snapshot(), caches: Object.freeze(Object.fromEntries(caches)) });
  }

  /** Sets all counters to 0. */
  resetStatistics(): void {
    this.#runtime.errorsOutsideCaches = 0;
    for (const core of this.#cores.values()) core.counter.reset();
  }

  /**
   * Tells `listener` of every event of a kind, until the result is disposed of. A listener that fails is logged.
   *
   * @throws {@link InvalidOptionError} when there is no such event, or the listener is no function
   */
  on<Name extends CacheEventName>(event: Name, listener: CacheEventListener<Name>): Disposable {
    expectOneOf('CacheManager.on event', event, CACHE_EVENT_NAMES);
    expectFunction('CacheManager.on listener', listener);
    return this.#runtime.events.on(event, listener);
  }

  /**
   * Refuses new work, waits for work that is under way, and lets go of the backend. Methods that are decorated go
   * on without the cache. Calling it again gives the same promise.
   *
   * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
   */
  close(options: CloseOptions = {}): Promise<void> {
    rejectUnknown('close', options, ['timeout']);
    const timeoutMs = toMilliseconds(options.timeout ?? DEFAULT_CLOSE_TIMEOUT, 'close.timeout');
    return (this.#closing ??= this.#runtime.close(timeoutMs));
  }

  /** The same as `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #logEvents(): void {
    const { logger } = this.#options;
    for (const name of ['hit', 'miss', 'load', 'set', 'invalidate'] as const) {
      this.on(name, (event) => logger.debug(name, { ...event }));
    }
  }
}

/** @throws {@link InvalidOptionError} when a definition asks for something else than what the cache has */
function expectSameSettings(present: CacheSettings, definition: CacheDefinition): void {
  const asked = resolveCacheSettings(present.name, definition, present);
  for (const setting of Object.keys(asked) as (keyof CacheSettings)[]) {
    if (isSame(present[setting], asked[setting])) continue;
    throw new InvalidOptionError(
      `cache '${present.name}'.${setting.replace(/Ms$/, '')}`,
      'the cache exists already with another value; define a cache once, and share its handle (defineCache)',
    );
  }
}

function isSame(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((each, index) => each === b[index]);
  }
  return a === b;
}
