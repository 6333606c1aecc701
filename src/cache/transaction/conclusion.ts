import type { BackendStore, EntryWrite, FillStart, FillToken, StoreOutcome } from '../backend.js';
import type { ErrorMode } from '../cache-handle.js';
import type { CallBudget } from '../call-budget.js';
import type { FlightTable } from '../flight-table.js';
import type { KeyPattern } from '../key-pattern.js';
import type { MaybePromise } from '../maybe-promise.js';
import type { KeyJournal } from './invalidation-journal.js';
import { isSameClaim } from './transaction-token.js';

/** What a transaction needs of a cache: its way to the store, with policy, counters and events, and its clock. */
export interface TransactionalCache {
  readonly name: string;
  readonly runtime: {
    readonly clock: { now(): number };
    readonly isShared: boolean;
  };
  /** The loads of all callers that are in no transaction. */
  readonly ownFlights: FlightTable;
  /** The store itself. */
  ownStore(): BackendStore;
  store(
    writes: readonly EntryWrite[],
    mode: ErrorMode,
    budget?: CallBudget,
  ): MaybePromise<readonly (StoreOutcome | undefined)[]>;
  delete(keys: readonly string[], mode: ErrorMode, budget?: CallBudget): Promise<number>;
  deletePattern(pattern: KeyPattern, mode: ErrorMode, budget?: CallBudget): Promise<number>;
  clear(mode: ErrorMode, budget?: CallBudget): Promise<void>;
}

/**
 * What a transaction leaves to be done to one cache, by the cache's usual way. It is done in two steps, first the
 * invalidations of all caches, then the puts, without a wait in between.
 *
 * A put is stored under the token that was taken when it was made, so what anybody else did to the key since makes the
 * store refuse it, and void the key. Invalidations of the transaction itself would void that token too:
 *
 * - An earlier one of the put's key is left out; storing the put does as much.
 * - Behind an earlier one by pattern or tag, or of the whole cache, the put needs another token. Only a store that
 *   answers at once, and that no other process sees, can tell that the old one holds without anything coming between
 *   that and the invalidation. Elsewhere the put is dropped and its key is void.
 */
export class Conclusion {
  readonly #cache: TransactionalCache;
  readonly #journal: KeyJournal;
  readonly #puts: readonly EntryWrite[];
  /** Puts behind an invalidation that hits them. */
  #hidden: readonly EntryWrite[];

  constructor(cache: TransactionalCache, journal: KeyJournal, puts: readonly EntryWrite[]) {
    this.#cache = cache;
    this.#journal = journal;
    const isHidden = ({ key, entry }: EntryWrite): boolean =>
      journal.isVoidBeyondKey(key, entry.tags, 0);
    this.#puts = puts.filter((write) => !isHidden(write));
    this.#hidden = puts.filter(isHidden);
  }

  /** Looks whether the tokens still hold that the invalidations to come will void. Comes right before them. */
  prepare(): void {
    if (this.#hidden.length === 0) return;
    const tokens = this.#hidden.map(tokenOf);
    const starts = this.#cache.runtime.isShared ? undefined : this.#beginAtOnce(this.#hidden);
    const held = starts?.map(({ token }) => token) ?? [];
    this.#hidden = this.#hidden.filter((_, index) => isSameClaim(tokens[index], held[index]));
    this.#release([...tokens, ...held]);
  }

  /** Issues the invalidations of the cache by itself. */
  invalidate(budget: CallBudget | undefined): readonly Promise<unknown>[] {
    const cache = this.#cache;
    const { isCleared, isClearedAlone, patterns } = this.#journal;
    if (isCleared) return isClearedAlone ? [cache.clear('bypass', budget)] : [];
    const work: Promise<unknown>[] = patterns.map((each) =>
      cache.deletePattern(each, 'bypass', budget),
    );
    const stored = new Set([...this.#puts, ...this.#hidden].map(({ key }) => key));
    const keys = this.#journal.keys.filter((key) => !stored.has(key));
    if (keys.length > 0) work.push(cache.delete(keys, 'bypass', budget));
    return work;
  }

  /** Issues the puts, in the turn of the event loop in which the invalidations were issued. */
  store(budget: CallBudget | undefined): readonly Promise<unknown>[] {
    const writes = [...this.#puts, ...this.#renew()];
    // A put is an invalidation for whoever would join a load that began before.
    for (const { key } of writes) this.#cache.ownFlights.detach(key);
    return writes.length === 0 ? [] : [this.#storeAll(writes, budget)];
  }

  /** Gives the hidden puts tokens of now. */
  #renew(): readonly EntryWrite[] {
    if (this.#hidden.length === 0) return [];
    const starts = this.#beginAtOnce(this.#hidden);
    return this.#hidden.flatMap((write, index) => {
      const token = starts?.[index]?.token;
      return token === undefined ? [] : [{ ...write, fence: { kind: 'put', token } as const }];
    });
  }

  async #storeAll(writes: readonly EntryWrite[], budget: CallBudget | undefined): Promise<void> {
    const outcomes = await this.#cache.store(writes, 'bypass', budget);
    // What could not be stored has not replaced what was there before.
    const failed = writes.filter((_, index) => outcomes[index] === undefined);
    if (failed.length === 0) return;
    this.#release(failed.map(tokenOf));
    await this.#cache.delete(
      failed.map(({ key }) => key),
      'bypass',
      budget,
    );
  }

  /** Tokens, if the store has them at hand. */
  #beginAtOnce(writes: readonly EntryWrite[]): readonly FillStart[] | undefined {
    let starts: MaybePromise<readonly FillStart[]>;
    try {
      starts = this.#cache.ownStore().begin(writes.map(({ key }) => key));
    } catch {
      // The store fails; what is done to it next will say so.
      return undefined;
    }
    if (!(starts instanceof Promise)) return starts;
    starts.then(
      (late) => this.#release(late.map(({ token }) => token)),
      () => undefined,
    );
    return undefined;
  }

  #release(tokens: readonly FillToken[]): void {
    this.#cache.ownStore().release(tokens);
  }
}

function tokenOf({ fence }: EntryWrite): FillToken {
  return (fence as { readonly token: FillToken }).token;
}
