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
  /** What was called, with how long it might take. */
  readonly calls: { readonly operation: string; readonly allowedMs: number }[] = [];
  readonly #memory = new MemoryBackend();

  constructor(readonly callTimeoutMs: number) {
    this.capabilities = { ...this.#memory.capabilities, isShared: true };
  }

  attach(context: BackendContext): void {
    this.#memory.attach(context);
  }

  open(space: CacheSpace): BackendStore {
    const store = this.#memory.open(space);
    return {
      get: (key, hints) => this.#after('get', hints, () => store.get(key)),
      getMany: (keys, hints) => this.#after('getMany', hints, () => store.getMany(keys)),
      begin: (keys, hints) => this.#after('begin', hints, () => store.begin(keys)),
      watch: (options) => this.#after('watch', options, () => store.watch()),
      release: (tokens) => store.release(tokens),
      store: (writes, options) => this.#after('store', options, () => store.store(writes)),
      delete: (keys, options) => this.#after('delete', options, () => store.delete(keys)),
      deletePattern: (pattern, options) =>
        this.#after('deletePattern', options, () => store.deletePattern(pattern)),
      clear: (options) => this.#after('clear', options, () => store.clear()),
      expire: (key, ttlMs, retainMs, options) =>
        this.#after('expire', options, () => store.expire(key, ttlMs, retainMs)),
      touch: (key, retainMs) => store.touch(key, retainMs),
      scan: (request) => store.scan(request),
    };
  }

  invalidateTags(selection: TagSelection, options?: CallOptions): Promise<void> {
    return this.#after('invalidateTags', options, () => this.#memory.invalidateTags(selection));
  }

  clearAll(options?: CallOptions): Promise<void> {
    return this.#after('clearAll', options, () => this.#memory.clearAll());
  }

  ping(): Promise<void> {
    return this.#after('ping', undefined, () => undefined);
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
    run: () => Answer | Promise<Answer>,
  ): Promise<Answer> {
    const latencyMs = this.latenciesMs[this.calls.length] ?? this.latenciesMs.at(-1)!;
    const dueMs = (options?.dueAt ?? Infinity) - performance.now();
    const allowedMs = Math.min(this.callTimeoutMs, dueMs);
    this.calls.push({ operation, allowedMs });
    const takesMs = Math.min(latencyMs, allowedMs);
    if (takesMs > 0) await new Promise((resolve) => setTimeout(resolve, takesMs));
    if (latencyMs >= allowedMs) throw new CacheTimeoutError(`slow: ${operation}`, allowedMs);
    return run();
  }
}
