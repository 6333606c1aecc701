import type {
  BackendCapabilities,
  BackendContext,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CacheSpace,
  TagSelection,
} from '../../cache/backend.js';
import { CacheClosedError, CacheConfigurationError } from '../../errors.js';
import { EntryPool } from './entry-pool.js';
import {
  resolveMemoryBackendOptions,
  type MemoryBackendOptions,
  type ResolvedMemoryBackendOptions,
} from './memory-backend-options.js';
import { MemoryStore } from './memory-store.js';
import { TagRegistry } from './tag-registry.js';

/**
 * Keeps entries in this process, bounded by their number and, if asked for, by their bytes; stored HTTP responses by their
 * bytes in any case.
 *
 * The bounds hold whenever a call has returned, for all caches of the backend together; what goes is the policy's
 * choice (`'lru'`), after what is void or expired anyway. Expired entries are freed without being read. Answers
 * come at once, not as promises; only `close` gives one.
 *
 * Fences hold within this process, which is all that sees the entries. `clear`, `clearAll` and `invalidateTags`
 * cost the same however many entries they hit.
 *
 * @example
 * ```ts
 * const manager = new CacheManager({
 *   backend: new MemoryBackend({ maxEntries: 50_000, maxBytes: 64 * 1024 * 1024, isolation: 'frozen' }),
 * });
 * ```
 */
export class MemoryBackend implements CacheBackend {
  readonly name = 'memory';
  readonly capabilities: BackendCapabilities = Object.freeze({
    stores: 'values',
    isShared: false,
    hasConditionalStores: true,
    hasGenerations: true,
    hasLeases: false,
    canScan: true,
  });
  private readonly options: ResolvedMemoryBackendOptions;
  private readonly tags = new TagRegistry();
  private readonly stores = new Map<string, MemoryStore>();
  private pool: EntryPool | undefined = undefined;
  private closing: Promise<void> | undefined = undefined;

  /** @throws {@link InvalidOptionError} when an option is unknown or has a value that it cannot have */
  constructor(options: MemoryBackendOptions = {}) {
    this.options = resolveMemoryBackendOptions(options);
  }

  attach(context: BackendContext): void {
    this.expectOpen('attach');
    if (this.pool?.context === context) return;
    if (this.pool !== undefined) {
      throw new CacheConfigurationError(
        'This MemoryBackend already belongs to another CacheManager. Make a backend for each manager.',
      );
    }
    this.pool = new EntryPool(this.options, context, this.tags);
  }

  /** @throws {@link CacheConfigurationError} when the backend belongs to no manager yet */
  open(space: CacheSpace): BackendStore {
    this.expectOpen('open');
    if (this.pool === undefined) {
      throw new CacheConfigurationError(
        `This MemoryBackend cannot open cache '${space.name}' before it is attached. Give it to a CacheManager.`,
      );
    }
    const id = JSON.stringify([space.name, space.version]);
    let store = this.stores.get(id);
    if (store === undefined) {
      store = new MemoryStore(this.pool, space);
      this.stores.set(id, store);
    }
    return store;
  }

  invalidateTags(selection: TagSelection): void {
    this.expectOpen('invalidateTags');
    this.tags.invalidate(selection);
  }

  clearAll(): void {
    this.expectOpen('clearAll');
    for (const store of this.stores.values()) store.clear();
  }

  /**
   * Frees entries that are expired, or were cleared, without waiting for the timer. Needed only with
   * `sweepInterval: Infinity`, and in tests that own the clock.
   *
   * @param limit - how many at most
   * @returns how many were freed
   */
  sweep(limit: number = Infinity): number {
    this.expectOpen('sweep');
    return this.pool?.sweep(limit) ?? 0;
  }

  ping(): void {
    this.expectOpen('ping');
  }

  health(): BackendHealth {
    return { status: this.closing === undefined ? 'healthy' : 'unavailable' };
  }

  /**
   * `entries` (dead ones that are not yet freed included), `loading` (keys under way), `tags` (markers), and what
   * bounds there are; with `bytes`, what counts against `maxBytes`.
   */
  info(): Readonly<Record<string, string | number>> {
    this.expectOpen('info');
    const { maxEntries, maxBytes, weighs, isolation } = this.options;
    const bytes = this.pool?.sizeBytes ?? 0;
    // A bound for responses says nothing to those who store none.
    const isMeasured = maxBytes !== Infinity && (weighs === 'all' || bytes > 0);
    let entries = 0;
    let loading = 0;
    for (const store of this.stores.values()) {
      entries += store.size;
      loading += store.loading;
    }
    return {
      entries,
      loading,
      tags: this.tags.size,
      isolation,
      ...(maxEntries !== Infinity && { maxEntries }),
      ...(isMeasured && { maxBytes, bytes }),
    };
  }

  /** Forgets all entries at once: there is nothing under way to wait for. */
  close(_timeoutMs: number): Promise<void> {
    if (this.closing === undefined) {
      for (const store of this.stores.values()) store.close();
      this.pool?.close();
      this.closing = Promise.resolve();
    }
    return this.closing;
  }

  private expectOpen(operation: string): void {
    if (this.closing === undefined) return;
    throw new CacheClosedError(`MemoryBackend was closed: '${operation}' came too late`);
  }
}
