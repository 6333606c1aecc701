import type { CacheError } from '../errors.js';
import type {
  BackendStore,
  CallOptions,
  EntryWrite,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  StoreOutcome,
  TurnHints,
} from './backend.js';
import { CacheAccess } from './cache-access.js';
import type { InvalidateEvent } from './cache-events.js';
import type { ErrorMode } from './cache-handle.js';
import { takeStep, type CallBudget } from './call-budget.js';
import type { StoredEntry } from './entry.js';
import type { KeyPattern } from './key-pattern.js';
import { isPending, type MaybePromise } from './maybe-promise.js';
import { currentTransaction } from './transaction/transaction-scope.js';
import { holderOfTokens, holderOfWrites } from './transaction/transaction-token.js';
import type { TransactionView } from './transaction/transaction-view.js';

/**
 * The operations of one cache on its store, with the error policy, the counters and the events in one place.
 *
 * Every method either does what it says, or, when the store fails, follows `mode`: `'bypass'` reports the failure
 * and goes on as if nothing were stored, `'throw'` rejects with the {@link CacheError}. Errors of configuration are
 * never bypassed.
 *
 * A call of several steps takes a budget and gives it to each of them.
 */
export class CacheCore extends CacheAccess {
  /** The fresh entry under a key. At once when the store is in memory. */
  peek(
    key: string,
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): MaybePromise<StoredEntry | undefined> {
    if (this.isOff('get', mode)) return undefined;
    if (skips(budget, mode)) return this.account(key, undefined);
    let found: MaybePromise<StoredEntry | undefined>;
    try {
      found = this.opened().get(key, budget === undefined ? hints : budget.within(hints));
    } catch (error) {
      budget?.note(error);
      this.account(key, undefined);
      return this.fail('get', error, mode, key);
    }
    if (!isPending(found)) return this.account(key, found);
    const startedAt = performance.now();
    budget?.enter(startedAt);
    return found.then(
      (entry) => {
        const endedAt = performance.now();
        budget?.leave(endedAt);
        this.counter.read.record(endedAt - startedAt);
        return this.account(key, entry);
      },
      (error: unknown) => {
        budget?.leave(undefined, error);
        this.account(key, undefined);
        return this.fail('get', error, mode, key);
      },
    );
  }

  /**
   * What the store holds to be live under a key, expired or not. Counts nothing, which is for whoever knows what became
   * of it: `countHit`, `countStale`, `countMiss`.
   */
  find(
    key: string,
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): MaybePromise<StoredEntry | undefined> {
    if (this.isOff('get', mode) || skips(budget, mode)) return undefined;
    try {
      const found = takeStep(budget, hints, (options) => this.opened().get(key, options));
      if (!(found instanceof Promise)) return found;
      const startedAt = performance.now();
      return found.then(
        (entry) => {
          this.counter.read.record(performance.now() - startedAt);
          return entry;
        },
        (error: unknown) => this.fail('get', error, mode, key),
      );
    } catch (error) {
      return this.fail('get', error, mode, key);
    }
  }

  /** The same for many keys; the results stand in the order of the keys. */
  async findMany(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    if (keys.length === 0 || this.isOff('getMany', mode) || skips(budget, mode)) {
      return keys.map(() => undefined);
    }
    const startedAt = performance.now();
    try {
      const found = takeStep(budget, hints, (options) => this.opened().getMany(keys, options));
      if (!(found instanceof Promise)) return found;
      const entries = await found;
      this.counter.read.record(performance.now() - startedAt);
      return entries;
    } catch (error) {
      this.fail('getMany', error, mode);
      return keys.map(() => undefined);
    }
  }

  /** The fresh entries under many keys; they stand in the order of the keys. */
  async peekMany(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): Promise<readonly (StoredEntry | undefined)[]> {
    if (keys.length === 0 || this.isOff('getMany', mode)) return keys.map(() => undefined);
    if (skips(budget, mode)) return keys.map((key) => this.account(key, undefined));
    const startedAt = performance.now();
    let entries: readonly (StoredEntry | undefined)[];
    try {
      const found = takeStep(budget, hints, (options) => this.opened().getMany(keys, options));
      entries = found instanceof Promise ? await found : found;
      if (found instanceof Promise) this.counter.read.record(performance.now() - startedAt);
    } catch (error) {
      for (const key of keys) this.account(key, undefined);
      this.fail('getMany', error, mode);
      return keys.map(() => undefined);
    }
    return entries.map((entry, index) => this.account(keys[index]!, entry));
  }

  /** Takes the tokens of fills. `undefined` when there is nowhere to store. */
  begin(
    keys: readonly string[],
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): MaybePromise<readonly FillStart[] | undefined> {
    if (keys.length === 0 || this.isOff('begin', mode)) return undefined;
    if (skips(budget, mode)) return undefined;
    let starts: MaybePromise<readonly FillStart[]>;
    try {
      starts = takeStep(budget, hints, (options) => this.opened().begin(keys, options));
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
    let starts: MaybePromise<readonly (FillStart | LoadTurn)[]>;
    try {
      const store = this.opened();
      if (store.beginTurns === undefined) throw this.noLeases();
      starts = takeStep(budget, hints, (options) => store.beginTurns!(keys, options));
    } catch (error) {
      return this.fail('begin', error, mode, keys[0]);
    }
    if (!(starts instanceof Promise)) return starts;
    return starts.catch((error: unknown) => this.fail('begin', error, mode, keys[0]));
  }

  /** Takes a token for a put whose key only its result will tell. `undefined` when there is nowhere to store. */
  async watch(mode: ErrorMode, budget?: CallBudget): Promise<FillToken | undefined> {
    if (skips(budget, mode)) return undefined;
    return this.withStore<FillToken | undefined>('watch', mode, undefined, (store) =>
      takeStep(budget, undefined, (options) => store.watch(options)),
    );
  }

  /** Gives tokens back. Never throws. */
  release(tokens: readonly FillToken[]): void {
    if (tokens.length > 0) (holderOfTokens(tokens) ?? this.knownStore)?.release(tokens);
  }

  /** Stores entries; the outcomes stand in the order of the writes, `undefined` where the store failed. */
  async store(
    writes: readonly EntryWrite[],
    mode: ErrorMode,
    budget?: CallBudget,
  ): Promise<readonly (StoreOutcome | undefined)[]> {
    if (writes.length === 0) return [];
    const isEnabled = this.runtime.isEnabled;
    if (!isEnabled || budget?.failure !== undefined) {
      // Switched off, or known to be out of reach, while the values were loading.
      this.release(writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token])));
      if (!isEnabled) this.isOff('store', mode);
      await this.delete(replacingKeys(writes), mode, budget);
      skips(budget, mode);
      return writes.map(() => undefined);
    }
    const startedAt = performance.now();
    // What a transaction keeps is counted and told when it is stored.
    const holder = holderOfWrites(writes, this.view());
    let outcomes: readonly StoreOutcome[];
    try {
      const stored = takeStep(budget, undefined, (options) =>
        (holder ?? this.ownStore()).store(writes, options),
      );
      outcomes = stored instanceof Promise ? await stored : stored;
      if (stored instanceof Promise) this.counter.write.record(performance.now() - startedAt);
    } catch (error) {
      this.fail('store', error, mode, writes[0]!.key);
      return writes.map(() => undefined);
    }
    let failure: CacheError | undefined;
    outcomes.forEach((outcome, index) => {
      const { key, entry } = writes[index]!;
      if (outcome === 'stored') {
        if (holder !== undefined) return;
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
    if (failure !== undefined) {
      // A value that cannot be kept still makes the one untrue that it was to replace.
      const unkept = writes.filter((_, index) => typeof outcomes[index] === 'object');
      await this.delete(replacingKeys(unkept), mode, budget);
      if (mode === 'throw') throw failure;
    }
    return outcomes;
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
    let count: number;
    try {
      const store = this.knownStore ?? this.runtime.openStoreToInvalidate(this.space);
      count =
        store === undefined
          ? 0
          : await takeStep(budget, undefined, (options) => run(store, options));
    } catch (error) {
      this.fail(operation, error, mode, event.scope === 'keys' ? event.keys[0] : undefined);
      return 0;
    }
    this.counter.deletes += count;
    const { events } = this.runtime;
    if (event.scope === 'keys' && events.has('delete')) {
      events.emit('delete', { cache: this.name, keys: event.keys, count });
    }
    if (events.has('invalidate')) events.emit('invalidate', event);
    return count;
  }

  protected override view(): TransactionView | undefined {
    return currentTransaction(this.runtime)?.viewOf(this);
  }
}

/** Whether a lookup, begin or store is left out, because an earlier step of the call found the store out of reach. */
function skips(budget: CallBudget | undefined, mode: ErrorMode): boolean {
  if (budget?.failure === undefined) return false;
  if (mode === 'throw') throw budget.failure;
  return true;
}

/** The keys of the writes that take the place of what is there, whatever it is; a fill does not. */
function replacingKeys(writes: readonly EntryWrite[]): readonly string[] {
  return writes.filter(({ fence }) => fence.kind !== 'fill').map(({ key }) => key);
}
