import type { ReadHints } from './backend.js';
import type { CacheCore } from './cache-core.js';
import type { ErrorMode } from './cache-handle.js';
import type { StoredEntry } from './entry.js';
import type { FillOptions } from './fill-options.js';
import type { FillTarget } from './fill-store.js';
import { fillBehind } from './fill-behind.js';
import { fill, fillResult, loadTimeout, reportLater } from './fill.js';
import type { FlightResult } from './flight-table.js';
import { dueForRefresh, judge, slideMs, type DueCheck } from './freshness.js';
import type { LoadContext } from './load-context.js';
import { isPending } from './maybe-promise.js';
import type { TimeSettings } from './time-settings.js';
import { waitWithin } from './wait-within.js';

/*
 * A read of an entry that may be stale, refreshed ahead, or kept alive by being read:
 *
 *   lookup -> judge -> serve
 *                      serve, and refresh in the background
 *                      load, and if that fails or takes too long: look again -> serve what is stale
 *
 * What is stale was not invalidated: the store forgets what is, whatever its age, and before an entry is served because
 * a load failed the store is asked for it once more.
 */

/** One read by the options of one operation. */
export interface TimedRead {
  readonly cache: CacheCore;
  readonly key: string;
  readonly mode: ErrorMode;
  readonly hints: ReadHints | undefined;
  readonly times: TimeSettings;
  /** Where a load's result goes; asked for when there is a load. The first is this read's cache and key. */
  targets(): readonly FillTarget[];
  load(context: LoadContext): Promise<unknown>;
  readonly options: FillOptions;
}

/** The value under a key, from the store or by a load. Rejects as `fill` does. */
export function readThrough(read: TimedRead): Promise<unknown> {
  const { cache, key, mode, hints, options } = read;
  let found: ReturnType<CacheCore['find']>;
  try {
    found = cache.find(key, mode, hints, options.budget);
  } catch (error) {
    cache.countMiss(key);
    return Promise.reject(error as Error);
  }
  if (!isPending(found)) return answer(read, found);
  return found.then(
    (entry) => answer(read, entry),
    (error: unknown) => {
      cache.countMiss(key);
      throw error;
    },
  );
}

/** What a lookup's entry means for its read: served now, or what to fall back on. */
export type Served =
  | { readonly kind: 'served'; readonly entry: StoredEntry }
  | { readonly kind: 'load'; readonly fallback: StoredEntry | undefined };

/** Serves an entry as far as it may be served at once, and refreshes it in the background where that is due. */
export function serve(read: TimedRead, entry: StoredEntry | undefined): Served {
  const { cache, key, times } = read;
  if (entry === undefined) return { kind: 'load', fallback: undefined };
  const { clock, random } = cache.runtime;
  const now = clock.now();
  switch (judge(entry, now, times)) {
    case 'fresh': {
      cache.countHit(key, entry);
      slide(cache, key, entry, now, times);
      const isDue = dueForRefresh(entry, now, times, random);
      if (isDue !== undefined) refreshBehind(read, isDue);
      return { kind: 'served', entry };
    }
    case 'stale':
      cache.countStale(key, entry);
      refreshBehind(read, isExpired);
      return { kind: 'served', entry };
    case 'fallback':
      if (!cache.retries.holds(key)) return { kind: 'load', fallback: entry };
      cache.countStale(key, entry);
      return { kind: 'served', entry };
    default:
      return { kind: 'load', fallback: undefined };
  }
}

/** Tells the store of a read, where expiry slides. */
export function slide(
  cache: CacheCore,
  key: string,
  entry: StoredEntry,
  now: number,
  { idleTtlMs }: TimeSettings,
): void {
  const retainMs = slideMs(entry, now, idleTtlMs);
  if (retainMs !== undefined) cache.touch(key, retainMs);
}

/** Loads, with an expired entry to fall back on. */
export async function loadOr(read: TimedRead, fallback: StoredEntry | undefined): Promise<unknown> {
  const { cache, key, times, options } = read;
  const targets = read.targets();
  if (fallback === undefined) {
    cache.countMiss(key);
    return fill(targets, (context) => read.load(context), options);
  }
  const { softTimeoutMs, hardTimeoutMs, staleThrottleMs } = times;
  const { signal } = options;
  const running = cache.flights.get(key);
  const runningMs = running === undefined ? 0 : performance.now() - running.startedAt;
  let ended: FlightResult | StoredEntry;
  try {
    ended = await waitWithin<FlightResult | StoredEntry>(
      (relayed) =>
        fillResult(targets, (context) => read.load(context), {
          ...options,
          signal: relayed,
          isStaleKnown: true,
          staleThrottleMs,
        }),
      // A load that is known to be slow is not waited for again by everybody who comes.
      { signal, softMs: softTimeoutMs - runningMs, hardMs: hardTimeoutMs },
      {
        instead: () => lookAgain(read, fallback),
        timeout: () => loadTimeout(targets[0]!, hardTimeoutMs),
        abandon: (work) => reportLater(targets[0]!, work as Promise<FlightResult>),
      },
    );
    if (isEntry(ended)) return served(cache, key, ended);
    if (ended.failure !== undefined) {
      const { error } = ended.failure;
      const entry = await lookAgain(read, fallback);
      if (entry === undefined) throw error;
      cache.retries.note(key, staleThrottleMs);
      cache.reportLoad(key, error);
      return served(cache, key, entry);
    }
  } catch (error) {
    cache.countMiss(key);
    throw error;
  }
  cache.countMiss(key);
  return ended.value;
}

/** Not asynchronous: what is in memory is answered without a turn of the event loop. */
function answer(read: TimedRead, found: StoredEntry | undefined): Promise<unknown> {
  const given = serve(read, found);
  if (given.kind === 'load') return loadOr(read, given.fallback);
  return given.entry.kind === 'error'
    ? Promise.reject(given.entry.value as Error)
    : Promise.resolve(given.entry.value);
}

/**
 * The entry to serve instead of a load's result; `undefined` when it was invalidated, or is too old by now.
 * A store that fails now says nothing about it: then what the caller has read itself, after it came, still holds.
 */
async function lookAgain(
  { cache, key, hints, times, options }: TimedRead,
  known: StoredEntry,
): Promise<StoredEntry | undefined> {
  let entry: StoredEntry | undefined;
  try {
    entry = await cache.find(key, 'throw', hints, options.budget);
  } catch {
    // Reported by `find`.
    entry = known;
  }
  if (entry?.kind !== 'value') return undefined;
  return judge(entry, cache.runtime.clock.now(), times) === 'gone' ? undefined : entry;
}

/** Counts an entry that is served instead of a load's result, and gives its value. */
function served(cache: CacheCore, key: string, entry: StoredEntry): unknown {
  if (entry.expiresAt > cache.runtime.clock.now()) cache.countHit(key, entry);
  else cache.countStale(key, entry);
  return entry.value;
}

const isExpired: DueCheck = ({ expiresAt }, now) => expiresAt <= now;

/** Refreshes an entry in the background. */
function refreshBehind(read: TimedRead, isDue: DueCheck): void {
  const { cache, key, times, options } = read;
  // Most reads of an entry that is being refreshed end here, before anything is made for them.
  if (cache.flights.get(key) !== undefined || cache.retries.holds(key)) return;
  const { staleThrottleMs } = times;
  void fillBehind(read.targets(), (context) => read.load(context), {
    isClustered: options.isClustered,
    staleThrottleMs,
    isDue,
  });
}

function isEntry(ended: FlightResult | StoredEntry): ended is StoredEntry {
  return 'sequence' in ended;
}
