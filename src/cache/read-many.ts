import { isCacheError, LoadTimeoutError } from '../errors.js';
import type { CacheCore } from './cache-core.js';
import type { StoredEntry } from './entry.js';
import type { RunOptions } from './fill-options.js';
import { fillMany } from './fill-many.js';
import type { StorePolicy } from './fill-store.js';
import { Flight, LoadScope } from './flight-table.js';
import { dueForRefresh, judge, type DueCheck } from './freshness.js';
import { LoadWaiters } from './load-waiters.js';
import { slide } from './read-through.js';
import { runBatch, type BatchLoad } from './run-batch.js';
import { isTimed, type TimeSettings } from './time-settings.js';
import { waitWithin } from './wait-within.js';

/** A read of many keys by the options of one operation. */
export interface ReadMany {
  readonly cache: CacheCore;
  readonly policy: StorePolicy;
  readonly times: TimeSettings;
  readonly load: BatchLoad;
  readonly options: RunOptions;
}

/** What a lookup of many keys has come to. */
interface Sorted {
  readonly values: Map<string, unknown>;
  readonly missing: string[];
  /** Of the missing ones: those that have expired, and may be served if their load fails. */
  readonly fallbacks: Map<string, StoredEntry>;
  /** Served, and due to be refreshed. */
  readonly due: Map<string, DueCheck>;
}

/**
 * The values of many keys: one lookup for all, one load for those that are missing. What `readThrough` does for one
 * key holds for each, except that expired values stand in for a load that fails or takes too long only if all missing
 * keys have one: a part of the answer is none.
 */
export async function readMany(
  read: ReadMany,
  keys: readonly string[],
): Promise<ReadonlyMap<string, unknown>> {
  const { cache, policy, times, load, options } = read;
  const { hardTimeoutMs = Infinity, signal } = options;
  const { values, missing, fallbacks, due } = await lookUp(read, keys);
  refreshBehind(read, due);
  if (missing.length === 0) return values;
  const canFallBack = fallbacks.size === missing.length;
  const isStaleKnown = fallbacks.size > 0;
  const { staleThrottleMs } = times;
  const instead = (): Promise<Instead | undefined> => lookAgain(read, missing, fallbacks);
  let loaded: ReadonlyMap<string, unknown> | Instead;
  try {
    loaded = await waitWithin<ReadonlyMap<string, unknown> | Instead>(
      (relayed) =>
        fillMany(cache, missing, policy, load, {
          ...options,
          signal: relayed,
          isStaleKnown,
          staleThrottleMs: isStaleKnown ? staleThrottleMs : 0,
        }),
      { signal, softMs: times.softTimeoutMs, hardMs: hardTimeoutMs },
      {
        ...(canFallBack && { instead }),
        timeout: () =>
          new LoadTimeoutError(
            `The load of ${missing.length} keys in cache '${cache.name}'`,
            hardTimeoutMs,
          ),
        abandon: (work) => {
          work.catch((error: unknown) => cache.reportLoad(missing[0]!, error));
        },
      },
    );
  } catch (error) {
    const isOfCache = policy.mode === 'throw' && isCacheError(error);
    const isOver = isOfCache || signal?.aborted === true;
    const found = canFallBack && !isOver ? await instead() : undefined;
    if (found === undefined) {
      for (const key of fallbacks.keys()) cache.countMiss(key);
      throw error;
    }
    for (const key of missing) cache.retries.note(key, staleThrottleMs);
    cache.reportLoad(missing[0]!, error);
    loaded = found;
  }
  if (loaded instanceof Instead) {
    loaded.count(cache);
    loaded.entries.forEach(({ value }, key) => values.set(key, value));
    return values;
  }
  for (const key of fallbacks.keys()) cache.countMiss(key);
  loaded.forEach((value, key) => values.set(key, value));
  return values;
}

/** Entries that are served instead of what a load gives. */
class Instead {
  constructor(readonly entries: ReadonlyMap<string, StoredEntry>) {}

  count(cache: CacheCore): void {
    const now = cache.runtime.clock.now();
    for (const [key, entry] of this.entries) {
      if (entry.expiresAt > now) cache.countHit(key, entry);
      else cache.countStale(key, entry);
    }
  }
}

async function lookUp(read: ReadMany, keys: readonly string[]): Promise<Sorted> {
  const { cache, policy, times, options } = read;
  const values = new Map<string, unknown>();
  const fallbacks = new Map<string, StoredEntry>();
  const due = new Map<string, DueCheck>();
  if (options.isRefresh) return { values, missing: [...keys], fallbacks, due };
  const { mode, hints } = policy;
  const isPlain = !isTimed(times);
  const entries = isPlain
    ? await cache.peekMany(keys, mode, hints, options.budget)
    : await cache.findMany(keys, mode, hints, options.budget);
  const { clock, random } = cache.runtime;
  const now = isPlain ? 0 : clock.now();
  const missing = keys.filter((key, index) => {
    const entry = entries[index];
    const freshness = entry === undefined ? 'gone' : isPlain ? 'fresh' : judge(entry, now, times);
    const isThrottled = freshness === 'fallback' && cache.retries.holds(key);
    if (entry?.kind !== 'value' || freshness === 'gone') {
      if (!isPlain) cache.countMiss(key);
      return true;
    }
    if (freshness === 'fallback' && !isThrottled) {
      fallbacks.set(key, entry);
      return true;
    }
    values.set(key, entry.value);
    if (isPlain) return false;
    if (freshness === 'fresh') {
      cache.countHit(key, entry);
      slide(cache, key, entry, now, times);
      const isDue = dueForRefresh(entry, now, times, random);
      if (isDue !== undefined) due.set(key, isDue);
    } else {
      cache.countStale(key, entry);
      if (freshness === 'stale') due.set(key, isExpired);
    }
    return false;
  });
  return { values, missing, fallbacks, due };
}

const isExpired: DueCheck = ({ expiresAt }, now) => expiresAt <= now;

/** The expired values of all missing keys; `undefined` when one of them was invalidated, or is too old by now. */
async function lookAgain(
  { cache, policy, times, options }: ReadMany,
  missing: readonly string[],
  known: ReadonlyMap<string, StoredEntry>,
): Promise<Instead | undefined> {
  let entries: readonly (StoredEntry | undefined)[];
  try {
    entries = await cache.findMany(missing, 'throw', policy.hints, options.budget);
  } catch {
    // Reported by `findMany`. What the caller has read itself, after it came, still holds.
    entries = missing.map((key) => known.get(key));
  }
  const now = cache.runtime.clock.now();
  const isWhole = entries.every(
    (entry) => entry?.kind === 'value' && judge(entry, now, times) !== 'gone',
  );
  if (!isWhole) return undefined;
  return new Instead(new Map(missing.map((key, index) => [key, entries[index]!])));
}

/** Refreshes what is due in one background load, but for what is being loaded or has failed a short while ago. */
function refreshBehind(
  { cache, policy, times, load, options }: ReadMany,
  due: ReadonlyMap<string, DueCheck>,
): void {
  const { flights } = cache;
  const keys = [...due.keys()].filter(
    (key) => flights.get(key) === undefined && !cache.retries.holds(key),
  );
  if (keys.length === 0) return;
  const scope = new LoadScope();
  const waiters = new LoadWaiters();
  waiters.pin();
  const budget = cache.startBudget();
  const seats = new Map(keys.map((key) => [key, new Flight(budget, scope, waiters)]));
  for (const [key, seat] of seats) flights.add(key, seat);
  const remove = (key: string): Flight => {
    const seat = seats.get(key)!;
    flights.remove(key, seat);
    return seat;
  };
  const checks = [...due.values()];
  const { staleThrottleMs } = times;
  const background: RunOptions = {
    isShared: true,
    isClustered: options.isClustered,
    isRefresh: true,
    // One entry is as good as another here: the checks of a read differ by chance only.
    isDue: (entry, now) => checks.some((isDue) => isDue(entry, now)),
    staleThrottleMs,
    budget,
  };
  const batch = { cache, policy, load, options: background, scope, waiters };
  runBatch(batch, keys, (key, result) => remove(key).land(result)).catch((error: unknown) => {
    for (const key of keys) remove(key).crash(error);
    cache.reportLoad(keys[0]!, error);
  });
}
