import type {
  BackendContext,
  BackendStore,
  CacheBackend,
  CacheSpace,
} from '../../cache/backend.js';
import { compilePattern } from '../../cache/key-pattern.js';
import { CacheBackendError, isCacheError } from '../../errors.js';
import { spaceId, type Invalidation } from './coherence-message.js';

/** The shortest time that an entry may be given yet. Shorter ones delete, which concerns loads under way as well. */
const SHORTEST_MS = 1;

/**
 * The process' own tier, as the receiver of other processes' invalidations.
 *
 * An invalidation takes effect when it is handed over: with memory that is at once, so a message that has been
 * received holds for every read after it, and for every copy that was under way. Should the tier fail to drop
 * something, nothing in it is served any more until it could be cleared as a whole.
 */
export class ProcessTier {
  readonly #backend: CacheBackend;
  readonly #stores = new Map<string, BackendStore>();
  #report: BackendContext['report'] = () => undefined;
  #isUnsafe = false;
  #distrusts = 0;

  constructor(backend: CacheBackend) {
    this.#backend = backend;
  }

  /** Whether something that should be gone may still be in it. */
  get isUnsafe(): boolean {
    return this.#isUnsafe;
  }

  /** How often everything in it was dropped because messages may have been missing. */
  get distrusts(): number {
    return this.#distrusts;
  }

  attach(context: BackendContext): void {
    this.#report = (event) => context.report(event);
    this.#backend.attach(context);
  }

  open(space: CacheSpace): BackendStore {
    const id = spaceId(space);
    let store = this.#stores.get(id);
    if (store === undefined) {
      store = this.#backend.open(space);
      this.#stores.set(id, store);
    }
    return store;
  }

  /** Drops what another process has invalidated. A cache that is not open here has nothing to drop. */
  apply(invalidation: Invalidation): void {
    // What could not be dropped before may be in the way still.
    if (this.#isUnsafe) this.distrust();
    else this.#settle('apply', () => this.#drop(invalidation));
  }

  /** Drops everything, fills and copies under way included. Costs the same however much it is. */
  distrust(): void {
    this.#distrusts += 1;
    this.#settle('distrust', () => this.#clear());
  }

  #drop(invalidation: Invalidation): unknown {
    switch (invalidation.kind) {
      case 'keys':
        return this.#stores.get(invalidation.space)?.delete(invalidation.keys);
      case 'entry':
        return this.#stores
          .get(invalidation.space)
          ?.expire(invalidation.key, SHORTEST_MS, SHORTEST_MS);
      case 'pattern':
        return this.#stores
          .get(invalidation.space)
          ?.deletePattern(compilePattern(invalidation.glob));
      case 'clear':
        return this.#stores.get(invalidation.space)?.clear();
      case 'clearAll':
        return this.#backend.clearAll();
      case 'tags':
        return this.#backend.invalidateTags(invalidation.selection);
    }
  }

  #clear(): unknown {
    const cleared = this.#backend.clearAll();
    if (!(cleared instanceof Promise)) {
      this.#isUnsafe = false;
      return undefined;
    }
    // What is dropped later than at once is not to be served meanwhile.
    this.#isUnsafe = true;
    return cleared.then(() => {
      this.#isUnsafe = false;
    });
  }

  #settle(operation: string, run: () => unknown): void {
    try {
      const done = run();
      if (done instanceof Promise) done.catch((error: unknown) => this.#fail(operation, error));
    } catch (error) {
      this.#fail(operation, error);
    }
  }

  #fail(operation: string, cause: unknown): void {
    if (isCacheError(cause, 'ERR_CACHE_CLOSED')) return;
    const error = isCacheError(cause)
      ? cause
      : new CacheBackendError(`The first tier failed to drop entries (${operation})`, { cause });
    this.#report({ type: 'error', operation, error });
    const wasUnsafe = this.#isUnsafe;
    this.#isUnsafe = true;
    // Once: a tier that cannot be cleared stays unsafe until the next time.
    if (!wasUnsafe && operation !== 'distrust') this.distrust();
  }
}
