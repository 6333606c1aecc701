import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type {
  BackendCapabilities,
  BackendContext,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CallOptions,
  CacheSpace,
  TagSelection,
} from '#internal/cache/backend.js';
import type { MaybePromise } from '#internal/cache/maybe-promise.js';
import { CacheTimeoutError } from '#internal/errors.js';

/**
 * A shared store with a time limit per call, which takes as long for its answers as the spec says. A call that runs
 * out of time is not executed.
 */
export class SlowBackend implements CacheBackend {
  readonly name = 'slow';
  readonly capabilities: BackendCapabilities;
  /** Of each call, in the order of the calls; the last one holds for all further ones. `Infinity` = no answer. */
  latenciesMs: readonly number[] = [0];
  /** Of each call, instead of that: by its operation and its first key. */
  latencyOf: ((operation: string, key: string | undefined) => number) | undefined;
  /** What was called, with how long it might take, and takes. */
  readonly calls: {
    readonly operation: string;
    readonly allowedMs: number;
    readonly takesMs: number;
  }[] = [];
  /** So many times the load of another process is under way, and over at once, before this one may load. */
  turnsOfOthers = 0;
  /** What showed during such a turn that the store is out of reach. */
  turnFailure: CacheTimeoutError | undefined;
  readonly #memory = new MemoryBackend({ sweepInterval: Infinity });

  constructor(readonly callTimeoutMs: number) {
    this.capabilities = { ...this.#memory.capabilities, isShared: true, hasLeases: true };
  }

  attach(context: BackendContext): void {
    this.#memory.attach(context);
  }

  open(space: CacheSpace): BackendStore {
    const store = this.#memory.open(space);
    return {
      get: (key, hints) => this.#after('get', hints, key, () => store.get(key)),
      getMany: (keys, hints) => this.#after('getMany', hints, keys[0], () => store.getMany(keys)),
      begin: (keys, hints) => this.#after('begin', hints, keys[0], () => store.begin(keys)),
      beginTurns: (keys, hints) =>
        this.#after('beginTurns', hints, keys[0], () => {
          if (this.turnsOfOthers === 0) return store.begin(keys);
          this.turnsOfOthers--;
          const { turnFailure: failure } = this;
          const whenOver = Promise.resolve();
          return keys.map(() => ({ whenOver, failure, cancel: () => undefined }));
        }),
      watch: (options) => this.#after('watch', options, undefined, () => store.watch()),
      release: (tokens) => store.release(tokens),
      store: (writes, options) =>
        this.#after('store', options, writes[0]?.key, () => store.store(writes)),
      delete: (keys, options) => this.#after('delete', options, keys[0], () => store.delete(keys)),
      deletePattern: (pattern, options) =>
        this.#after('deletePattern', options, undefined, () => store.deletePattern(pattern)),
      clear: (options) => this.#after('clear', options, undefined, () => store.clear()),
      expire: (key, ttlMs, retainMs, options) =>
        this.#after('expire', options, key, () => store.expire(key, ttlMs, retainMs)),
      touch: (key, retainMs) => store.touch(key, retainMs),
      scan: (request) => this.#after('scan', undefined, undefined, () => store.scan(request)),
    };
  }

  invalidateTags(selection: TagSelection, options?: CallOptions): Promise<void> {
    return this.#after('invalidateTags', options, undefined, () =>
      this.#memory.invalidateTags(selection),
    );
  }

  clearAll(options?: CallOptions): Promise<void> {
    return this.#after('clearAll', options, undefined, () => this.#memory.clearAll());
  }

  ping(): Promise<void> {
    return this.#after('ping', undefined, undefined, () => undefined);
  }

  health(): BackendHealth {
    return { status: 'healthy' };
  }

  info(): Readonly<Record<string, string | number>> {
    return {};
  }

  close(timeoutMs: number): Promise<void> {
    return this.#memory.close(timeoutMs);
  }

  async #after<Answer>(
    operation: string,
    options: CallOptions | undefined,
    key: string | undefined,
    run: () => MaybePromise<Answer>,
  ): Promise<Answer> {
    const latencyMs =
      this.latencyOf?.(operation, key) ??
      this.latenciesMs[this.calls.length] ??
      this.latenciesMs.at(-1)!;
    const dueMs = (options?.dueAt ?? Infinity) - performance.now();
    const allowedMs = Math.min(this.callTimeoutMs, dueMs);
    const takesMs = Math.max(0, Math.min(latencyMs, allowedMs));
    this.calls.push({ operation, allowedMs, takesMs });
    if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    if (latencyMs >= allowedMs) throw new CacheTimeoutError(`slow: ${operation}`, allowedMs);
    return run();
  }
}
