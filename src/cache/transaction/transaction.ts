import { CacheBackendError, isCacheError, type CacheError } from '../../errors.js';
import type { TagSelection } from '../backend.js';
import type { ErrorMode } from '../cache-handle.js';
import { CallBudget } from '../call-budget.js';
import type { TransactionalCache } from './conclusion.js';
import { InvalidationJournal } from './invalidation-journal.js';
import { TransactionView } from './transaction-view.js';

/** What a transaction needs of its manager. */
export interface TransactionHost {
  /** See `CacheRuntime`. */
  readonly callTimeoutMs?: number | undefined;
  readonly goesOnAlone?: boolean | undefined;
  invalidateTags(selection: TagSelection, mode: ErrorMode, budget?: CallBudget): Promise<void>;
  clearAll(mode: ErrorMode, budget?: CallBudget): Promise<void>;
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
    const { callTimeoutMs, goesOnAlone } = this.owner;
    const budget =
      callTimeoutMs === undefined ? undefined : new CallBudget(callTimeoutMs, goesOnAlone);
    if (pending.length > 0) {
      const settled = Promise.all(pending);
      await (budget?.spend(settled) ?? settled);
    }
    await this.#guarded(async () => {
      await Promise.all(this.#issue(views, budget).map((work) => this.#guarded(() => work)));
    });
  }

  /** Without a wait from the first step to the last; see `Conclusion`. */
  #issue(
    views: readonly TransactionView[],
    budget: CallBudget | undefined,
  ): readonly Promise<unknown>[] {
    const conclusions = views.map((view) => view.conclude());
    for (const each of conclusions) each.prepare();
    const work: Promise<unknown>[] = [];
    if (this.#journal.isCleared) work.push(this.owner.clearAll('bypass', budget));
    for (const selection of this.#journal.selections) {
      work.push(this.owner.invalidateTags(selection, 'bypass', budget));
    }
    for (const each of conclusions) work.push(...each.invalidate(budget));
    for (const each of conclusions) work.push(...each.store(budget));
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
