import { skips } from './cache-access.js';
import { CacheReads } from './cache-reads.js';
import type { CacheError } from '../errors.js';
import type {
  BackendStore,
  CallOptions,
  EntryWrite,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  ReleaseOptions,
  StoreOutcome,
  TurnHints,
} from './backend.js';
import type { InvalidateEvent } from './cache-events.js';
import type { ErrorMode, SyncMode } from './cache-handle.js';
import { takeStep, type CallBudget } from './call-budget.js';
import type { KeyPattern } from './key-pattern.js';
import { type MaybePromise } from './maybe-promise.js';
import { currentTransaction } from './transaction/transaction-scope.js';
import type { TransactionView } from './transaction/transaction-view.js';
import { holderOfTokens, holderOfWrites } from './transaction/transaction-token.js';

/**
 * One cache's access to its store, with the error policy, the counters and the events in one place.
 *
 * Every method either does what it says, or, when the store fails, follows `mode`: `'bypass'` reports the failure
 * and goes on as if nothing were stored, `'throw'` rejects with the {@link CacheError}. Errors of configuration are
 * never bypassed.
 *
 * A call of several steps takes a budget and gives it to each of them.
 */
export class CacheCore extends CacheReads {
  /** Takes the tokens of fills. `undefined` when there is nowhere to store. */
  begin(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): MaybePromise<readonly FillStart[] | undefined> {
    if (keys.length === 0 || this.isOff('begin', mode)) return undefined;
    if (skips(budget, mode)) return undefined;
    let starts: MaybePromise<readonly FillStart[] | undefined>;
    try {
      starts = takeStep(
        budget,
        hints,
        (options) => this.opened().begin(keys, options),
        (late) => this.#giveBack(late, keys),
      );
    } catch (error) {
      return this.fail('begin', error, mode, keys[0]);
    }
    if (!(starts instanceof Promise)) return starts;
    return starts.catch((error: unknown) => this.fail('begin', error, mode, keys[0]));
  }

  /** The same for keys that only one process at a time is to load; see `takesTurns`. */
  beginTurns(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: TurnHints,
    budget?: CallBudget,
  ): MaybePromise<readonly (FillStart | LoadTurn)[] | undefined> {
    if (keys.length === 0 || this.isOff('begin', mode) || skips(budget, mode)) return undefined;
    let starts: MaybePromise<readonly (FillStart | LoadTurn)[] | undefined>;
    try {
      const store = this.opened();
      if (store.beginTurns === undefined) throw this.noLeases();
      starts = takeStep(
        budget,
        hints,
        (options) => store.beginTurns!(keys, options),
        (late) => this.#giveBack(late, keys),
      );
    } catch (error) {
      return this.fail('begin', error, mode, keys[0]);
    }
    if (!(starts instanceof Promise)) return starts;
    return starts.catch((error: unknown) => this.fail('begin', error, mode, keys[0]));
  }

  /**
   * Whether loads under a sync mode wait for those of other processes.
   *
   * @throws {@link CacheConfigurationError} when they should, and the store cannot tell
   */
  takesTurns(sync: SyncMode): boolean {
    if (sync !== 'cluster' || !this.runtime.isShared) return false;
    if (!this.runtime.hasLeases) throw this.noLeases();
    return true;
  }

  /** Takes a token for a put whose key only its result will tell. `undefined` when there is nowhere to store. */
  async watch(mode: ErrorMode, budget?: CallBudget): Promise<FillToken | undefined> {
    if (skips(budget, mode)) return undefined;
    return this.withStore<FillToken | undefined>('watch', mode, undefined, (store) =>
      takeStep(budget, undefined, (options) => store.watch(options)),
    );
  }

  /** Gives tokens back. Never throws. */
  release(tokens: readonly FillToken[], options?: ReleaseOptions): void {
    if (tokens.length > 0) (holderOfTokens(tokens) ?? this.openStore)?.release(tokens, options);
  }

  /**
   * Stores entries; the outcomes stand in the order of the writes, `undefined` where the store failed. At once where the
   * store answers at once.
   */
  store(
    writes: readonly EntryWrite[],
    mode: ErrorMode,
    budget?: CallBudget,
  ): MaybePromise<readonly (StoreOutcome | undefined)[]> {
    if (writes.length === 0) return [];
    if (!this.runtime.isEnabled || budget?.failure !== undefined) {
      return this.#storeNowhere(writes, mode, budget);
    }
    const startedAt = performance.now();
    // What a transaction keeps is counted and told when it is stored.
    const holder = holderOfWrites(writes, this.view());
    const isTold = holder === undefined;
    let stored: MaybePromise<readonly StoreOutcome[] | undefined>;
    try {
      stored = takeStep(
        budget,
        undefined,
        (options) => (holder ?? this.ownStore()).store(writes, options),
        (late) =>
          this.disregard('store', late, writes[0]!.key, (each) =>
            this.#noteStored(writes, each, isTold),
          ),
      );
    } catch (error) {
      this.fail('store', error, mode, writes[0]!.key);
      return writes.map(() => undefined);
    }
    if (!(stored instanceof Promise)) return this.#stored(writes, stored, isTold, mode, budget);
    return stored.then(
      (outcomes) => {
        this.counter.write.record(performance.now() - startedAt);
        return this.#stored(writes, outcomes, isTold, mode, budget);
      },
      (error: unknown) => {
        this.fail('store', error, mode, writes[0]!.key);
        return writes.map(() => undefined);
      },
    );
  }

  /** Switched off, or known to be out of reach, while the values were loading. */
  async #storeNowhere(
    writes: readonly EntryWrite[],
    mode: ErrorMode,
    budget: CallBudget | undefined,
  ): Promise<readonly undefined[]> {
    this.release(writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token])));
    if (!this.runtime.isEnabled) this.isOff('store', mode);
    await this.delete(replacingKeys(writes), mode, budget);
    skips(budget, mode);
    return writes.map(() => undefined);
  }

  #stored(
    writes: readonly EntryWrite[],
    outcomes: readonly StoreOutcome[] | undefined,
    isTold: boolean,
    mode: ErrorMode,
    budget: CallBudget | undefined,
  ): MaybePromise<readonly (StoreOutcome | undefined)[]> {
    if (outcomes === undefined) return writes.map(() => undefined);
    const failure = this.#noteStored(writes, outcomes, isTold);
    if (failure === undefined) return outcomes;
    // A value that cannot be kept still makes the one untrue that it was to replace.
    const unkept = writes.filter((_, index) => typeof outcomes[index] === 'object');
    return this.delete(replacingKeys(unkept), mode, budget).then(() => {
      if (mode === 'throw') throw failure;
      return outcomes;
    });
  }

  /** Deletes keys. Resolves with the number of live entries among them. */
  delete(keys: readonly string[], mode: ErrorMode, budget?: CallBudget): Promise<number> {
    for (const key of keys) this.flights.detach(key);
    if (keys.length === 0) return Promise.resolve(0);
    const event = { scope: 'keys', cache: this.name, keys } as const;
    return this.#invalidate('delete', mode, event, budget, (store, options) =>
      store.delete(keys, options),
    );
  }

  /** Deletes the keys that match. Resolves with the number of live entries among them. */
  deletePattern(pattern: KeyPattern, mode: ErrorMode, budget?: CallBudget): Promise<number> {
    this.flights.detachMatching((key) => pattern.matches(key));
    const event = { scope: 'pattern', cache: this.name, pattern: pattern.glob } as const;
    return this.#invalidate('deletePattern', mode, event, budget, (store, options) =>
      store.deletePattern(pattern, options),
    );
  }

  /** Makes every entry void. */
  async clear(mode: ErrorMode, budget?: CallBudget): Promise<void> {
    this.flights.detachAll();
    const event = { scope: 'cache', cache: this.name } as const;
    await this.#invalidate('clear', mode, event, budget, (store, options) => {
      const cleared = store.clear(options);
      return cleared instanceof Promise ? cleared.then(() => 0) : 0;
    });
  }

  /** Runs a less frequent operation of the store under the error policy. */
  async withStore<Result>(
    operation: string,
    mode: ErrorMode,
    fallback: Result,
    run: (store: BackendStore) => MaybePromise<Result>,
  ): Promise<Result> {
    if (this.isOff(operation, mode)) return fallback;
    try {
      return await run(this.opened());
    } catch (error) {
      this.fail(operation, error, mode);
      return fallback;
    }
  }

  async #invalidate(
    operation: string,
    mode: ErrorMode,
    event: InvalidateEvent,
    budget: CallBudget | undefined,
    run: (store: BackendStore, options: CallOptions | undefined) => MaybePromise<number>,
  ): Promise<number> {
    // A transaction keeps it, and comes here again when it ends.
    const view = this.view();
    if (view !== undefined) return run(view, undefined);
    const key = event.scope === 'keys' ? event.keys[0] : undefined;
    let count: number | undefined;
    try {
      const store = this.storeToInvalidate();
      count =
        store === undefined
          ? 0
          : await takeStep(
              budget,
              undefined,
              (options) => run(store, options),
              (late) =>
                this.disregard(operation, late, key, (each) => this.#noteInvalidated(each, event)),
            );
    } catch (error) {
      this.fail(operation, error, mode, key);
      return 0;
    }
    if (count === undefined) return 0;
    this.#noteInvalidated(count, event);
    return count;
  }

  /** What was stored is counted and told, what could not be is reported. Gives the first failure. */
  #noteStored(
    writes: readonly EntryWrite[],
    outcomes: readonly StoreOutcome[],
    isTold: boolean,
  ): CacheError | undefined {
    let failure: CacheError | undefined;
    outcomes.forEach((outcome, index) => {
      const { key, entry } = writes[index]!;
      if (outcome === 'stored') {
        if (!isTold) return;
        this.counter.sets++;
        if (this.runtime.events.has('set')) {
          const ttlMs = entry.expiresAt - entry.createdAt;
          this.runtime.events.emit('set', { cache: this.name, key, ttlMs });
        }
      } else if (outcome !== 'refused') {
        this.report('store', outcome, key);
        failure ??= outcome;
      }
    });
    return failure;
  }

  #noteInvalidated(count: number, event: InvalidateEvent): void {
    this.counter.deletes += count;
    const { events } = this.runtime;
    if (event.scope === 'keys' && events.has('delete')) {
      events.emit('delete', { cache: this.name, keys: event.keys, count });
    }
    if (events.has('invalidate')) events.emit('invalidate', event);
  }

  /** Nobody is kept from loading by what a step has brought that was given up. */
  #giveBack(late: Promise<readonly (FillStart | LoadTurn)[]>, keys: readonly string[]): void {
    this.disregard('begin', late, keys[0], (starts) => {
      this.release(starts.flatMap((start) => ('token' in start ? [start.token] : [])));
      for (const start of starts) if (!('token' in start)) start.cancel();
    });
  }

  protected override view(): TransactionView | undefined {
    return currentTransaction(this.runtime)?.viewOf(this);
  }
}

/** The keys of the writes that take the place of what is there, whatever it is; a fill does not. */
function replacingKeys(writes: readonly EntryWrite[]): readonly string[] {
  return writes.filter(({ fence }) => fence.kind !== 'fill').map(({ key }) => key);
}
