import type {
  BackendContext,
  BackendEvent,
  BackendStore,
  CacheBackend,
  CacheSpace,
  TagSelection,
} from '../cache/backend.js';
import type { EntryFraming } from '../cache/entry-framer.js';
import type { CacheCore } from '../cache/cache-core.js';
import type { CacheRuntime } from '../cache/cache-runtime.js';
import { takeStep, type CallBudget } from '../cache/call-budget.js';
import { CacheEvents } from '../cache/cache-events.js';
import { deferring } from '../cache/deferral/deferring.js';
import type { ErrorMode } from '../cache/cache-handle.js';
import { normalizeTags, type CacheSettings } from '../cache/cache-settings.js';
import type { CacheCompressor } from '../cache/codec.js';
import { DefaultFramer } from '../codecs/default-framer.js';
import type { MaybePromise } from '../cache/maybe-promise.js';
import { currentTransaction } from '../cache/transaction/transaction-scope.js';
import type { CacheClock } from '../clock.js';
import {
  CacheBackendError,
  CacheClosedError,
  CacheConfigurationError,
  isCacheError,
  type CacheError,
} from '../errors.js';
import { defaultCodec, defaultCompressor, modelOf } from './default-strategies.js';
import { ErrorLog } from './error-log.js';
import type { ResolvedManagerOptions } from './manager-options.js';

/** What the caches of one manager share: the backend, the events, the error log, the switch. */
export class ManagerRuntime implements CacheRuntime {
  readonly backend: CacheBackend;
  readonly clock: CacheClock;
  readonly events: CacheEvents;
  readonly random: () => number;
  readonly isShared: boolean;
  readonly storesBytes: boolean;
  readonly hasLeases: boolean;
  readonly goesOnAlone: boolean;
  isClosed = false;
  /** Failures that belong to no cache. */
  errorsOutsideCaches = 0;
  /** The backend as it is used: with what its store could not take kept, where it is shared. */
  readonly #backend: CacheBackend;
  readonly #options: ResolvedManagerOptions;
  readonly #errorLog: ErrorLog;
  readonly #cores: ReadonlyMap<string, CacheCore>;
  readonly #resolve: BackendContext['resolve'];
  #isEnabled: boolean;
  #isAttached = false;

  constructor(
    options: ResolvedManagerOptions,
    backend: CacheBackend,
    cores: ReadonlyMap<string, CacheCore>,
    resolve: BackendContext['resolve'],
  ) {
    this.#resolve = resolve;
    this.#options = options;
    this.#cores = cores;
    this.backend = backend;
    this.#backend = deferring(backend);
    this.clock = options.clock;
    this.random = options.random;
    this.events = new CacheEvents(options.logger);
    this.isShared = backend.capabilities.isShared;
    this.storesBytes = backend.capabilities.stores === 'bytes';
    this.hasLeases = backend.capabilities.hasLeases;
    this.goesOnAlone = backend.capabilities.goesOnAlone === true;
    this.#errorLog = new ErrorLog(options.logger, options.clock);
    this.#isEnabled = options.isEnabled;
    if (this.#isEnabled) this.attached();
  }

  get logger(): ResolvedManagerOptions['logger'] {
    return this.#options.logger;
  }

  get callTimeoutMs(): number | undefined {
    return this.#backend.callTimeoutMs;
  }

  get isEnabled(): boolean {
    return this.#isEnabled && !this.isClosed;
  }

  set isEnabled(enabled: boolean) {
    if (enabled && !this.isClosed) this.attached();
    this.#isEnabled = enabled;
  }

  /** Whether the manager was ever on: before that, nothing can have been stored, and no connection is opened. */
  get wasEnabled(): boolean {
    return this.#isAttached;
  }

  /** The backend, introduced to this manager. */
  attached(): CacheBackend {
    if (this.isClosed) throw closed();
    if (!this.#isAttached) {
      const { clock, logger, codec, compressor, codecs, compressors } = this.#options;
      const framer = new DefaultFramer({
        codec: codec ?? defaultCodec(),
        codecs,
        compressor: compressor ?? null,
        compressors,
        compressionThresholdBytes: this.#options.compressionThreshold,
        maxDecompressedBytes: this.#options.maxDecompressedBytes,
        logger,
      });
      const report = (event: BackendEvent): void => this.#onBackendEvent(event);
      this.#backend.attach({ clock, logger, framer, report, resolve: this.#resolve });
      this.#isAttached = true;
    }
    return this.#backend;
  }

  openStore(space: CacheSpace): BackendStore {
    return this.attached().open(space);
  }

  openStoreToInvalidate(space: CacheSpace): BackendStore | undefined {
    if (this.isClosed) throw closed();
    return this.#isAttached ? this.#backend.open(space) : undefined;
  }

  framingOf({ codec, compress, model }: CacheSettings): EntryFraming {
    return {
      ...(codec === undefined ? {} : { codec }),
      ...(compress === undefined ? {} : { compressor: this.compressorFor(compress) }),
      ...(model === undefined ? {} : { model: modelOf(model) }),
    };
  }

  compressorFor(compress: boolean | CacheCompressor): CacheCompressor | null {
    if (typeof compress === 'object') return compress;
    return compress ? (this.#options.compressor ?? defaultCompressor()) : null;
  }

  async invalidateTags(
    selection: TagSelection,
    mode: ErrorMode = this.#options.defaults.onError,
    budget?: CallBudget,
  ): Promise<void> {
    const given = 'anyOf' in selection ? selection.anyOf : selection.allOf;
    const tags = normalizeTags(given, 'invalidateTags');
    if (tags.length === 0) return;
    const match = 'anyOf' in selection ? 'any' : 'all';
    const wanted = match === 'any' ? { anyOf: tags } : { allOf: tags };
    const transaction = currentTransaction(this);
    if (transaction !== undefined) {
      transaction.invalidateTags(wanted);
      return;
    }
    for (const core of this.#cores.values()) core.flights.doubt();
    const isDone = await this.guard(
      'invalidateTags',
      (backend) =>
        takeStep(budget, undefined, (options) => backend.invalidateTags(wanted, options)),
      mode,
    );
    if (isDone) this.events.emit('invalidate', { scope: 'tags', tags, match });
  }

  async clearAll(
    mode: ErrorMode = this.#options.defaults.onError,
    budget?: CallBudget,
  ): Promise<void> {
    const transaction = currentTransaction(this);
    if (transaction !== undefined) {
      transaction.clearAll();
      return;
    }
    for (const core of this.#cores.values()) core.flights.detachAll();
    const isDone = await this.guard(
      'clearAll',
      (backend) => takeStep(budget, undefined, (options) => backend.clearAll(options)),
      mode,
    );
    if (isDone) this.events.emit('invalidate', { scope: 'all' });
  }

  /** Runs an operation of the whole backend under an error policy. Gives whether it succeeded. */
  async guard(
    operation: string,
    run: (backend: CacheBackend) => MaybePromise<void>,
    mode: ErrorMode = this.#options.defaults.onError,
  ): Promise<boolean> {
    try {
      if (this.isClosed) throw closed();
      if (!this.#isAttached) return false;
      await run(this.#backend);
      return true;
    } catch (error) {
      if (error instanceof CacheConfigurationError) throw error;
      const failure = isCacheError(error)
        ? error
        : new CacheBackendError(`${operation} failed: ${String(error)}`, { cause: error });
      this.reportError(operation, failure, undefined);
      if (mode === 'throw') throw failure;
      return false;
    }
  }

  reportError(operation: string, error: CacheError, cache: string | undefined, key?: string): void {
    if (cache === undefined || !this.#cores.has(cache)) this.errorsOutsideCaches++;
    this.#errorLog.report(operation, error, cache, key);
    if (this.events.has('error')) this.events.emit('error', { operation, error, cache, key });
  }

  async close(timeoutMs: number): Promise<void> {
    this.isClosed = true;
    await this.#backend.close(timeoutMs);
  }

  #onBackendEvent(event: BackendEvent): void {
    switch (event.type) {
      case 'evict': {
        const { cache, key, reason } = event;
        const core = this.#cores.get(cache);
        if (core !== undefined) core.counter.evictions++;
        if (this.events.has('evict')) this.events.emit('evict', { cache, key, reason });
        return;
      }
      case 'expire':
        if (this.events.has('expire')) {
          this.events.emit('expire', { cache: event.cache, key: event.key });
        }
        return;
      case 'bytes': {
        const core = this.#cores.get(event.cache);
        if (core === undefined) return;
        core.counter.bytesRead += event.read;
        core.counter.bytesWritten += event.written;
        return;
      }
      case 'error': {
        const core = event.cache === undefined ? undefined : this.#cores.get(event.cache);
        if (core !== undefined) core.counter.errors++;
        this.reportError(event.operation, event.error, event.cache, event.key);
        return;
      }
      case 'deferred': {
        const { operation, error, cache } = event;
        if (this.events.has('deferred')) this.events.emit('deferred', { operation, error, cache });
        return;
      }
      case 'degraded':
        this.events.emit('degraded', { error: event.error });
        return;
      case 'recovered':
        this.#errorLog.recovered();
        this.events.emit('recovered', {});
    }
  }
}

function closed(): CacheClosedError {
  return new CacheClosedError('The cache manager is closed; make a new one to go on caching.');
}
