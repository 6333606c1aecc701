import {
  CacheBackendError,
  CacheConnectionError,
  isCacheError,
  type CacheError,
} from '../../errors.js';
import type {
  BackendCapabilities,
  BackendContext,
  BackendEvent,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CallOptions,
  CacheSpace,
  CommandArea,
  TagSelection,
} from '../backend.js';
import type { MaybePromise } from '../maybe-promise.js';
import type { DeferredInvalidation } from './deferred-invalidation.js';
import { DeferredQueue } from './deferred-queue.js';
import { deferringStore, type Deferral } from './deferring-store.js';
import { Replayer } from './replayer.js';
import { isStoreFailure } from '../store-failure.js';

/** The share of the time for closing in which what is kept is tried again; the rest is for letting go of connections. */
const DRAIN_SHARE = 0.8;

/** How a backend's invalidations are kept. */
export interface DeferringOptions {
  /**
   * Told of each invalidation that was carried out late, before the store is trusted again; where several were carried
   * out as one larger, of that one. A rejection counts as a failure of the replay, which is tried again.
   */
  readonly onReplayed?: ((invalidation: DeferredInvalidation) => MaybePromise<void>) | undefined;
}

/**
 * A backend that keeps invalidations which its store cannot take, and replays them before it trusts the store again.
 *
 * An invalidation that fails for the store's sake (it is out of reach, silent, read-only, full) is kept, the call
 * rejects, and a `deferred` event tells. A `put` or `set` that fails counts as the deletion of its key. From the
 * moment that such a call rejects until all that was kept is carried out, this process takes nothing from the store
 * and fills nothing into it: reads and fills fail at once, without asking, as while the store is out of reach. So no
 * read of this process that starts after the rejection sees what was invalidated. Tokens taken before are void for
 * what was replayed, as for any invalidation.
 *
 * Further invalidations are kept without asking the store, too, until it has carried out the first of a replay. A
 * replay runs when the backend reports `recovered`, and by a timer of its own. What is kept is bounded: many keys of a
 * cache become its `clear`, too much in all becomes `clearAll`.
 *
 * Backends that are not shared, or do so themselves, are given back as they are.
 */
export function deferring(backend: CacheBackend, options: DeferringOptions = {}): CacheBackend {
  const { isShared, keepsInvalidations } = backend.capabilities;
  if (!isShared || keepsInvalidations === true) return backend;
  return new DeferringBackend(backend, options);
}

class DeferringBackend implements CacheBackend, Deferral {
  readonly name: string;
  readonly capabilities: BackendCapabilities;
  readonly #inner: CacheBackend;
  readonly #queue = new DeferredQueue();
  readonly #replayer: Replayer;
  readonly #stores = new Map<BackendStore, BackendStore>();
  #context: BackendContext | undefined;
  #isTrusted = true;
  #isClosing = false;
  /** What calls fail with that are not sent. Made once per outage, for there may be many. */
  #refusal: CacheError | undefined;
  #lastFailure: CacheError | undefined;
  #closing: Promise<void> | undefined;

  constructor(inner: CacheBackend, { onReplayed }: DeferringOptions) {
    this.name = inner.name;
    this.capabilities = Object.freeze({ ...inner.capabilities, keepsInvalidations: true });
    this.#inner = inner;
    this.#replayer = new Replayer(inner, this.#queue, {
      onReplayed: (invalidation) => onReplayed?.(invalidation),
      onEmpty: () => this.#trust(),
    });
  }

  get callTimeoutMs(): number | undefined {
    return this.#inner.callTimeoutMs;
  }

  get prefix(): string | undefined {
    return this.#inner.prefix;
  }

  get isTrusted(): boolean {
    return this.#isTrusted;
  }

  get isAnswering(): boolean {
    return this.#isTrusted || this.#replayer.isAnswering;
  }

  attach(context: BackendContext): void {
    this.#inner.attach({ ...context, report: (event) => this.#report(event) });
    this.#context = context;
  }

  open(space: CacheSpace): BackendStore {
    const inner = this.#inner.open(space);
    let store = this.#stores.get(inner);
    if (store === undefined) {
      store = deferringStore({ space, store: inner }, this);
      this.#stores.set(inner, store);
    }
    return store;
  }

  invalidateTags(selection: TagSelection, options?: CallOptions): MaybePromise<void> {
    return this.invalidate('invalidateTags', { kind: 'tags', selection }, () =>
      this.#inner.invalidateTags(selection, options),
    );
  }

  clearAll(options?: CallOptions): MaybePromise<void> {
    return this.invalidate('clearAll', { kind: 'all' }, () => this.#inner.clearAll(options));
  }

  openArea(name: string): CommandArea | undefined {
    return this.#inner.openArea?.(name);
  }

  ping(): MaybePromise<void> {
    return this.#inner.ping();
  }

  health(): BackendHealth {
    const health = this.#inner.health();
    if (this.#isTrusted || health.status !== 'healthy') return health;
    return { ...health, status: 'degraded', errorCode: this.#lastFailure!.code };
  }

  info(): MaybePromise<Readonly<Record<string, string | number>>> {
    return this.#inner.info();
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  invalidate<Result>(
    operation: string,
    invalidation: DeferredInvalidation,
    run: () => MaybePromise<Result>,
  ): MaybePromise<Result> {
    if (!this.isAnswering && !this.#isClosing) {
      this.#keep(operation, invalidation, this.#refusal!);
      throw this.#refusal!;
    }
    return this.keepOnFailure(operation, run, () => invalidation);
  }

  keepOnFailure<Result>(
    operation: string,
    run: () => MaybePromise<Result>,
    invalidation: () => DeferredInvalidation | undefined,
  ): MaybePromise<Result> {
    const fail = (error: unknown): never => {
      const kept = isStoreFailure(error) && !this.#isClosing ? invalidation() : undefined;
      if (kept !== undefined) this.#keep(operation, kept, asCacheError(error, operation));
      throw error;
    };
    let result: MaybePromise<Result>;
    try {
      result = run();
    } catch (error) {
      return fail(error);
    }
    return result instanceof Promise ? result.catch(fail) : result;
  }

  #keep(operation: string, invalidation: DeferredInvalidation, error: CacheError): void {
    this.#queue.add(invalidation);
    if (error !== this.#refusal) this.#distrust(error);
    this.#context?.report({
      type: 'deferred',
      operation,
      error,
      ...('place' in invalidation && { cache: invalidation.place.space.name }),
    });
    this.#replayer.start();
  }

  refuse(): never {
    throw this.#refusal!;
  }

  #distrust(error: CacheError): void {
    const wasTrusted = this.#isTrusted;
    if (!wasTrusted && error.code === this.#lastFailure?.code) return;
    this.#isTrusted = false;
    this.#lastFailure = error;
    this.#refusal = new CacheConnectionError(
      `The store (${this.name}) is not asked before it has taken the invalidations that it missed. Last failure: ${error.message}`,
      { cause: error },
    );
    if (!wasTrusted) return;
    this.#log(
      'warn',
      `could not take an invalidation, and is not read until it has: ${error.message}`,
    );
  }

  #trust(): void {
    this.#isTrusted = true;
    this.#refusal = undefined;
    this.#lastFailure = undefined;
    this.#log('info', 'has taken the invalidations that it missed.');
  }

  /** A logger that throws must not keep an invalidation from being kept or replayed. */
  #log(level: 'info' | 'warn' | 'error', what: string): void {
    try {
      this.#context?.logger[level](`The store of the cache (${this.name}) ${what}`);
    } catch {
      // There is nowhere to say so.
    }
  }

  #report(event: BackendEvent): void {
    if (event.type === 'recovered' && !this.#isTrusted) this.#replayer.hurry();
    this.#context?.report(event);
  }

  /** Tries to the end to carry out what is kept, for it dies with this process. Calls that fail meanwhile add to it. */
  async #close(timeoutMs: number): Promise<void> {
    const startedAt = performance.now();
    await this.#replayer.drain(timeoutMs * DRAIN_SHARE);
    this.#isClosing = true;
    if (!this.#queue.isEmpty) this.#giveUp(this.#queue.size);
    await this.#inner.close(Math.max(0, timeoutMs - (performance.now() - startedAt)));
  }

  #giveUp(count: number): void {
    this.#log(
      'error',
      `was closed before it took ${count} invalidations, which are lost: other processes may serve what they concern until it expires.`,
    );
    this.#context?.report({
      type: 'error',
      operation: 'close',
      error: new CacheBackendError(
        `${count} deferred invalidations were lost, for the store (${this.name}) could not take them before it was closed.`,
        { cause: this.#lastFailure },
      ),
    });
  }
}

function asCacheError(error: unknown, operation: string): CacheError {
  return isCacheError(error)
    ? error
    : new CacheConnectionError(`${operation} failed: ${String(error)}`, { cause: error });
}
