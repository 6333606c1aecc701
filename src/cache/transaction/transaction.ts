import { CacheBackendError, isCacheError, type CacheError } from '../../errors.js';
import type { TagSelection } from '../backend.js';
import type { ErrorMode } from '../cache-handle.js';
import type { TransactionalCache } from './conclusion.js';
import { InvalidationJournal } from './invalidation-journal.js';
import { TransactionView } from './transaction-view.js';

/** What a transaction needs of its manager. */
export interface TransactionHost {
  invalidateTags(selection: TagSelection, mode: ErrorMode): Promise<void>;
  clearAll(mode: ErrorMode): Promise<void>;
  reportError(operation: string, error: CacheError, cache: string | undefined): void;
}

/** What one run of `transaction` does to the caches of its manager. */
export class Transaction {
  /** Whose it is. */
  readonly owner: TransactionHost;
  /** Until the function has settled; after that nothing is kept any more. */
  isOpen = true;
  readonly #journal = new InvalidationJournal();
  readonly #views = new Map<TransactionalCache, TransactionView>();

  constructor(owner: TransactionHost) {
    this.owner = owner;
  }

  /** How it sees a cache. */
  viewOf(cache: TransactionalCache): TransactionView {
    let view = this.#views.get(cache);
    if (view === undefined) {
      view = new TransactionView(cache, this.#journal);
      this.#views.set(cache, view);
    }
    return view;
  }

  invalidateTags(selection: TagSelection): void {
    this.#journal.invalidateTags(selection);
    for (const view of this.#views.values()) view.dropVoid();
  }

  clearAll(): void {
    this.#journal.clearAll();
    for (const view of this.#views.values()) view.dropVoid();
  }

  /** A place to go back to. */
  mark(): number {
    return this.#journal.place;
  }

  /** Drops the puts made since a mark, and all that was loaded. Invalidations stay, those by the puts included. */
  rollBack(mark: number): void {
    if (!this.isOpen) return;
    const floor = this.#journal.next();
    for (const view of this.#views.values()) view.rollBack(mark, floor);
  }

  /** Issues what has been kept, and waits for it. Never rejects: failures of the cache are reported. */
  async end(isSuccess: boolean): Promise<void> {
    this.isOpen = false;
    const views = [...this.#views.values()];
    this.#views.clear();
    const pending = views.flatMap((view) => view.close(isSuccess));
    if (pending.length > 0) await Promise.all(pending);
    await this.#guarded(async () => {
      await Promise.all(this.#issue(views).map((work) => this.#guarded(() => work)));
    });
  }

  /** Without a wait from the first step to the last; see `Conclusion`. */
  #issue(views: readonly TransactionView[]): readonly Promise<unknown>[] {
    const conclusions = views.map((view) => view.conclude());
    for (const each of conclusions) each.prepare();
    const work: Promise<unknown>[] = [];
    if (this.#journal.isCleared) work.push(this.owner.clearAll('bypass'));
    for (const selection of this.#journal.selections) {
      work.push(this.owner.invalidateTags(selection, 'bypass'));
    }
    for (const each of conclusions) work.push(...each.invalidate());
    for (const each of conclusions) work.push(...each.store());
    return work;
  }

  async #guarded(run: () => Promise<unknown>): Promise<void> {
    try {
      await run();
    } catch (error) {
      const failure = isCacheError(error)
        ? error
        : new CacheBackendError(`The end of a transaction failed: ${String(error)}`, {
            cause: error,
          });
      this.owner.reportError('transaction', failure, undefined);
    }
  }
}
