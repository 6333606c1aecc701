import type {
  BackendCapabilities,
  BackendContext,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CallOptions,
  CommandArea,
  CacheSpace,
  TagSelection,
} from '../cache/backend.js';
import { andThen, type MaybePromise } from '../cache/maybe-promise.js';
import { CacheConnectionError } from '../errors.js';
import { Gate, type HeldCalls } from './gate.js';

/** The operations of a backend and its stores that can fail, hang, and are counted. */
export type FaultyOperation =
  | 'get'
  | 'getMany'
  | 'begin'
  | 'beginTurns'
  | 'watch'
  | 'store'
  | 'delete'
  | 'deletePattern'
  | 'clear'
  | 'expire'
  | 'scan'
  | 'outlines'
  | 'invalidateTags'
  | 'clearAll'
  | 'ping'
  | 'info'
  | 'close';

/**
 * Where a fault lies. `'request'`: before the store has done anything. `'response'`: the store has done it, and
 * only the answer is lost or late, as when a command times out and is executed all the same.
 */
export type FaultPoint = 'request' | 'response';

/** Details of a failure. */
export interface FaultOptions {
  /** What the calls fail with. @defaultValue a new `CacheConnectionError` */
  readonly error?: Error | undefined;
  /** @defaultValue 'request' */
  readonly at?: FaultPoint | undefined;
  /** How many calls fail before the operation works again. @defaultValue Infinity */
  readonly times?: number | undefined;
}

interface Fault {
  readonly error: Error | undefined;
  readonly at: FaultPoint;
  remaining: number;
}

/**
 * Any backend, with faults on demand: operations that fail, operations that hang until they are released, and a
 * count of the calls. Without faults it behaves exactly as the backend that it wraps, answers at once included.
 *
 * Faults hold for all caches of the backend. A failing operation throws where the wrapped one would answer at
 * once, unless it is held as well, and rejects otherwise; callers must cope with both anyway.
 *
 * @example
 * ```ts
 * const backend = new FaultyBackend(new MemoryBackend());
 * backend.fail('get');                       // until heal('get')
 * const held = backend.hold('store');        // stores hang …
 * held.release();                            // … until now
 * ```
 */
export class FaultyBackend implements CacheBackend {
  readonly name: string;
  readonly capabilities: BackendCapabilities;
  readonly #inner: CacheBackend;
  readonly #faults = new Map<FaultyOperation, Fault>();
  readonly #gates = new Map<FaultyOperation, { readonly gate: Gate; readonly at: FaultPoint }>();
  readonly #counts = new Map<FaultyOperation, number>();
  readonly #stores = new WeakMap<BackendStore, BackendStore>();
  #closing: Promise<void> | undefined = undefined;

  constructor(inner: CacheBackend) {
    this.#inner = inner;
    this.name = inner.name;
    this.capabilities = inner.capabilities;
  }

  /** Makes an operation fail from the next call on. Replaces what was set for it before. */
  fail(operation: FaultyOperation, options: FaultOptions = {}): void {
    const { error, at = 'request', times = Infinity } = options;
    this.#faults.set(operation, { error, at, remaining: times });
  }

  /** Makes an operation work again, or all of them. Calls that are held stay so. */
  heal(operation?: FaultyOperation): void {
    if (operation === undefined) this.#faults.clear();
    else this.#faults.delete(operation);
  }

  /** Makes an operation hang from the next call on, until `release` of what this gives. */
  hold(operation: FaultyOperation, at: FaultPoint = 'request'): HeldCalls {
    const gate = new Gate(() => {
      if (this.#gates.get(operation)?.gate === gate) this.#gates.delete(operation);
    });
    this.#gates.set(operation, { gate, at });
    return gate;
  }

  /** How often an operation was called since the start or the last `resetCalls`, failed and held calls included. */
  calls(operation: FaultyOperation): number {
    return this.#counts.get(operation) ?? 0;
  }

  /** Sets all counts of calls to 0. */
  resetCalls(): void {
    this.#counts.clear();
  }

  attach(context: BackendContext): void {
    this.#inner.attach(context);
  }

  open(space: CacheSpace): BackendStore {
    const inner = this.#inner.open(space);
    let store = this.#stores.get(inner);
    if (store === undefined) {
      store = this.#wrap(inner);
      this.#stores.set(inner, store);
    }
    return store;
  }

  get callTimeoutMs(): number | undefined {
    return this.#inner.callTimeoutMs;
  }

  get prefix(): string | undefined {
    return this.#inner.prefix;
  }

  invalidateTags(selection: TagSelection, options?: CallOptions): MaybePromise<void> {
    return this.#run('invalidateTags', () => this.#inner.invalidateTags(selection, options));
  }

  clearAll(options?: CallOptions): MaybePromise<void> {
    return this.#run('clearAll', () => this.#inner.clearAll(options));
  }

  openArea(name: string): CommandArea | undefined {
    return this.#inner.openArea?.(name);
  }

  ping(): MaybePromise<void> {
    return this.#run('ping', () => this.#inner.ping());
  }

  health(): BackendHealth {
    return this.#inner.health();
  }

  info(): MaybePromise<Readonly<Record<string, string | number>>> {
    return this.#run('info', () => this.#inner.info());
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= (async () => this.#run('close', () => this.#inner.close(timeoutMs)))();
    return this.#closing;
  }

  #wrap(inner: BackendStore): BackendStore {
    return {
      get: (key, hints) => this.#run('get', () => inner.get(key, hints)),
      getMany: (keys, hints) => this.#run('getMany', () => inner.getMany(keys, hints)),
      begin: (keys, hints) => this.#run('begin', () => inner.begin(keys, hints)),
      ...(inner.beginTurns !== undefined && {
        beginTurns: (keys, hints) => this.#run('beginTurns', () => inner.beginTurns!(keys, hints)),
      }),
      watch: (options) => this.#run('watch', () => inner.watch(options)),
      release: (tokens, options) => inner.release(tokens, options),
      store: (writes, options) => this.#run('store', () => inner.store(writes, options)),
      delete: (keys, options) => this.#run('delete', () => inner.delete(keys, options)),
      deletePattern: (pattern, options) =>
        this.#run('deletePattern', () => inner.deletePattern(pattern, options)),
      clear: (options) => this.#run('clear', () => inner.clear(options)),
      expire: (key, ttlMs, retainMs, options) =>
        this.#run('expire', () => inner.expire(key, ttlMs, retainMs, options)),
      touch: (key, retainMs) => inner.touch(key, retainMs),
      scan: (request) => this.#run('scan', () => inner.scan(request)),
      ...(inner.outlines !== undefined && {
        outlines: (keys, options) => this.#run('outlines', () => inner.outlines!(keys, options)),
      }),
    };
  }

  #run<Answer>(operation: FaultyOperation, work: () => MaybePromise<Answer>): MaybePromise<Answer> {
    this.#counts.set(operation, this.calls(operation) + 1);
    const fault = this.#takeFault(operation);
    const held = this.#gates.get(operation);
    const pass = (at: FaultPoint): MaybePromise<void> =>
      andThen(held?.at === at ? held.gate.wait() : undefined, () => {
        if (fault?.at === at) throw fault.error ?? brokenConnection(operation);
      });
    return andThen(pass('request'), () =>
      andThen(work(), (answer) => andThen(pass('response'), () => answer)),
    );
  }

  #takeFault(operation: FaultyOperation): Fault | undefined {
    const fault = this.#faults.get(operation);
    if (fault === undefined || fault.remaining <= 0) return undefined;
    fault.remaining -= 1;
    return fault;
  }
}

function brokenConnection(operation: FaultyOperation): CacheConnectionError {
  return new CacheConnectionError(
    `'${operation}' failed because FaultyBackend was told to fail it`,
  );
}
