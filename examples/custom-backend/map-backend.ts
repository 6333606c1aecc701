import {
  CacheClosedError,
  CacheConfigurationError,
  type BackendCapabilities,
  type BackendContext,
  type BackendHealth,
  type BackendStore,
  type CacheBackend,
  type CacheSpace,
  type TagSelection,
} from 'cachewell';
import { MapStore } from './map-store.js';
import { TagMarks } from './tag-marks.js';

/**
 * A backend in as few words as the contract allows: a `Map` for each cache. It is sound, as `describeBackend` of
 * `cachewell/testing` shows, and a frame to put another store into. Within one process nothing comes between two
 * lines, which makes each method one atomic step; on a server each has to be a script or a transaction.
 */
export class MapBackend implements CacheBackend {
  readonly name = 'map';
  readonly capabilities: BackendCapabilities = {
    stores: 'values',
    isShared: false,
    hasConditionalStores: true,
    hasGenerations: true,
    hasLeases: false,
    canScan: true,
  };
  readonly #maxEntries: number;
  readonly #marks = new TagMarks();
  readonly #stores = new Map<string, MapStore>();
  readonly #expectOpen = (): void => {
    if (this.#closing !== undefined) throw new CacheClosedError('This MapBackend was closed');
  };
  #context: BackendContext | undefined;
  #closing: Promise<void> | undefined;

  /** @param options - `maxEntries`: the most entries of one cache; beyond it the oldest goes */
  constructor({ maxEntries = 10_000 }: { readonly maxEntries?: number } = {}) {
    this.#maxEntries = maxEntries;
  }

  attach(context: BackendContext): void {
    if (this.#context !== undefined && this.#context !== context) {
      throw new CacheConfigurationError('This MapBackend belongs to another manager');
    }
    this.#context = context;
  }

  open({ name, version }: CacheSpace): BackendStore {
    this.#expectOpen();
    if (this.#context === undefined) {
      throw new CacheConfigurationError('Give this MapBackend to a manager before it is used');
    }
    const id = JSON.stringify([name, version]);
    let store = this.#stores.get(id);
    if (store === undefined) {
      store = new MapStore({
        name,
        context: this.#context,
        marks: this.#marks,
        maxEntries: this.#maxEntries,
        expectOpen: this.#expectOpen,
      });
      this.#stores.set(id, store);
    }
    return store;
  }

  invalidateTags(selection: TagSelection): void {
    this.#expectOpen();
    this.#marks.invalidate(selection);
  }

  clearAll(): void {
    this.#expectOpen();
    for (const store of this.#stores.values()) store.clear();
  }

  ping(): void {
    this.#expectOpen();
  }

  health(): BackendHealth {
    return { status: this.#closing === undefined ? 'healthy' : 'unavailable' };
  }

  info(): Readonly<Record<string, number>> {
    let entries = 0;
    for (const store of this.#stores.values()) entries += store.size;
    return { entries };
  }

  close(_timeoutMs: number): Promise<void> {
    if (this.#closing === undefined) {
      for (const store of this.#stores.values()) store.clear();
      this.#closing = Promise.resolve();
    }
    return this.#closing;
  }
}
