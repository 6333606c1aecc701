import { CacheAccess, skips } from './cache-access.js';
import type { ReadHints } from './backend.js';
import type { ErrorMode } from './cache-handle.js';
import type { StoredEntry } from './entry.js';
import { takeStep, type CallBudget } from './call-budget.js';
import { isPending, rejection, type MaybePromise } from './maybe-promise.js';

/** The reads of one cache. */
export abstract class CacheReads extends CacheAccess {
  /** The fresh entry under a key. At once when the store is in memory. */
  peek(
    key: string,
    mode: ErrorMode,
    hints?: ReadHints,
    budget?: CallBudget,
  ): MaybePromise<StoredEntry | undefined> {
    if (skips(budget, mode)) return this.account(key, undefined);
    const found = this.ask(key, mode, budget === undefined ? hints : budget.within(hints));
    return isPending(found) ? this.settle(key, found, mode, budget) : this.account(key, found);
  }

  /**
   * The first half of a lookup: what the store answers, unjudged. An answer at once is for `account`, one that is still
   * to come for `settle`, which takes the budget: so a hit in memory needs none.
   *
   * @throws {@link CacheClosedError} after `close`, for those who want to know; all else rejects
   */
  ask(key: string, mode: ErrorMode, hints?: ReadHints): MaybePromise<StoredEntry | undefined> {
    if (this.isOff('get', mode)) return undefined;
    try {
      return this.opened().get(key, hints);
    } catch (error) {
      return error instanceof Error ? rejection(error) : Promise.reject(error as Error);
    }
  }

  /** The second half, for an answer that takes its time. Counts that time against the budget. */
  settle(
    key: string,
    found: Promise<StoredEntry | undefined>,
    mode: ErrorMode,
    budget?: CallBudget,
  ): Promise<StoredEntry | undefined> {
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
      const found = takeStep(
        budget,
        hints,
        (options) => this.opened().get(key, options),
        (late) => this.disregard('get', late, key),
      );
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
      const found = takeStep(
        budget,
        hints,
        (options) => this.opened().getMany(keys, options),
        (late) => this.disregard('getMany', late),
      );
      if (!(found instanceof Promise)) return found ?? [];
      const entries = await found;
      this.counter.read.record(performance.now() - startedAt);
      return entries ?? keys.map(() => undefined);
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

  /** Tells the store that somebody has read an entry whose expiry slides. */
  touch(key: string, retainMs: number): void {
    if (this.runtime.isEnabled) this.opened().touch(key, retainMs);
  }

  /** The second half of a lookup that was answered: the entry if it is fresh, counted as a hit or a miss. */
  account(key: string, entry: StoredEntry | undefined): StoredEntry | undefined {
    const { events } = this.runtime;
    // What expires with, or after, the end of its storage, the store has judged: reading the clock costs more than the
    // rest of a hit.
    const isFresh =
      entry !== undefined &&
      (entry.expiresAt >= entry.retainedUntil || entry.expiresAt > this.runtime.clock.now());
    if (!isFresh) {
      this.countMiss(key);
      return undefined;
    }
    this.counter.hits++;
    if (entry.source === 'l2') this.counter.hitsL2++;
    if (events.has('hit')) events.emit('hit', { cache: this.name, key, source: entry.source });
    return entry;
  }
}
