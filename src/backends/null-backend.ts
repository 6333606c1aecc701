import type {
  BackendCapabilities,
  BackendContext,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CacheSpace,
  EntryWrite,
  FillStart,
  FillToken,
  ScanPage,
  StoreOutcome,
  TagSelection,
} from '../cache/backend.js';
import { CacheClosedError } from '../errors.js';

/**
 * Stores nothing: every lookup is a miss, every method runs.
 *
 * The off switch that needs no change of code: for tests that must see every call, or a service that starts without
 * its store. It answers as a store does whose entries are evicted at once. So writes are `stored`, and callers
 * that wait for one load still share it; a fill or put is `refused` when anything at all was invalidated since its
 * token was taken, for the one number that is kept here cannot tell what.
 */
export class NullBackend implements CacheBackend {
  readonly name = 'null';
  readonly capabilities: BackendCapabilities = Object.freeze({
    stores: 'values',
    isShared: false,
    hasConditionalStores: true,
    hasGenerations: true,
    hasLeases: false,
    canScan: true,
  });
  #closing: Promise<void> | undefined = undefined;
  /** The number of the last invalidation. */
  #sequence = 0;

  readonly #store: BackendStore = {
    get: () => this.#answer('get', undefined),
    getMany: (keys) => this.#answer('getMany', new Array<undefined>(keys.length).fill(undefined)),
    begin: (keys) => this.#answer('begin', this.#starts(keys)),
    watch: () => this.#answer('watch', this.#token('')),
    release: () => undefined,
    store: (writes) => this.#answer('store', writes).map((write) => this.#outcome(write)),
    delete: () => this.#invalidate('delete', 0),
    deletePattern: () => this.#invalidate('deletePattern', 0),
    clear: () => this.#invalidate('clear', undefined),
    expire: () => this.#answer('expire', false),
    touch: () => undefined,
    scan: () => this.#answer('scan', EMPTY_PAGE),
  };

  /** Serves any number of managers: it has nothing that they could share. */
  attach(_context: BackendContext): void {
    this.#answer('attach', undefined);
  }

  open(_space: CacheSpace): BackendStore {
    return this.#answer('open', this.#store);
  }

  invalidateTags(_selection: TagSelection): void {
    this.#invalidate('invalidateTags', undefined);
  }

  clearAll(): void {
    this.#invalidate('clearAll', undefined);
  }

  ping(): void {
    this.#answer('ping', undefined);
  }

  health(): BackendHealth {
    return { status: this.#closing === undefined ? 'healthy' : 'unavailable' };
  }

  info(): Readonly<Record<string, string | number>> {
    return this.#answer('info', {});
  }

  close(_timeoutMs: number): Promise<void> {
    this.#closing ??= Promise.resolve();
    return this.#closing;
  }

  #starts(keys: readonly string[]): FillStart[] {
    return keys.map((key) => ({ token: this.#token(key), entry: undefined }));
  }

  #token(key: string): FillToken {
    return { key, sequence: this.#sequence };
  }

  #outcome({ fence }: EntryWrite): StoreOutcome {
    const isHeld = fence.kind === 'set' || fence.token.sequence === this.#sequence;
    if (fence.kind !== 'fill') this.#sequence += 1;
    return isHeld ? 'stored' : 'refused';
  }

  #invalidate<Answer>(operation: string, answer: Answer): Answer {
    this.#answer(operation, answer);
    this.#sequence += 1;
    return answer;
  }

  #answer<Answer>(operation: string, answer: Answer): Answer {
    if (this.#closing === undefined) return answer;
    throw new CacheClosedError(`NullBackend was closed: '${operation}' came too late`);
  }
}

const EMPTY_PAGE: ScanPage = { keys: [], cursor: '0' };
