import type { CacheEntry } from './entry.js';
import type { TimeSettings } from './time-settings.js';

/**
 * What a reader may do with an entry, by its own options.
 *
 * - `fresh`: serve it.
 * - `stale`: serve it, and refresh it (`staleWhileRevalidate`).
 * - `fallback`: load, and serve it if the load fails or takes too long (`staleIfError`).
 * - `gone`: load; it is kept for others, or not at all.
 */
export type Freshness = 'fresh' | 'stale' | 'fallback' | 'gone';

/** Whether an entry is worth a load that began without knowing of it. */
export type DueCheck = (entry: CacheEntry, now: number) => boolean;

/** Says what a reader may do with an entry that the store holds to be live. */
export function judge(entry: CacheEntry, now: number, times: TimeSettings): Freshness {
  if (entry.expiresAt > now) return 'fresh';
  // An error is the method's answer at its time, not one to fall back on.
  if (entry.kind === 'error') return 'gone';
  const staleMs = now - entry.expiresAt;
  if (staleMs < times.staleWhileRevalidateMs) return 'stale';
  return staleMs < times.staleIfErrorMs ? 'fallback' : 'gone';
}

/**
 * Whether a fresh entry is to be refreshed ahead, as a check that can be asked again of the entry that is there when the
 * refresh begins; `undefined` when it is not.
 *
 * `'xfetch'` is "Optimal Probabilistic Cache Stampede Prevention" (Vattani, Chierichetti, Lowenstein, VLDB 2015) with
 * beta 1: a read refreshes when `-cost * ln(random) >= time left`. The dearer the load and the nearer the expiry, the
 * likelier; about one read in the whole cluster does, without anybody asking anybody. The random number is drawn once,
 * so an entry that somebody else has renewed meanwhile is not due any more.
 *
 * @param random - a number from 0 to 1, 1 excluded
 */
export function dueForRefresh(
  entry: CacheEntry,
  now: number,
  { refreshAhead }: TimeSettings,
  random: () => number,
): DueCheck | undefined {
  if (refreshAhead === false || entry.expiresAt === Infinity || entry.kind === 'error') {
    return undefined;
  }
  const isDue: DueCheck =
    refreshAhead === 'xfetch' ? byChance(-Math.log(1 - random())) : byFraction(refreshAhead);
  return isDue(entry, now) ? isDue : undefined;
}

function byChance(factor: number): DueCheck {
  return ({ expiresAt, loadCostMs }, now) => loadCostMs * factor >= expiresAt - now;
}

function byFraction(fraction: number): DueCheck {
  return ({ createdAt, expiresAt }, now) => now - createdAt >= (expiresAt - createdAt) * fraction;
}

/** The part of the idle time that passes before a read tells the store that there was one. */
const IDLE_GRAIN = 0.1;

/**
 * How long a read keeps an entry whose expiry slides, in milliseconds; `undefined` when the store need not be told: the
 * entry does not slide, or a read told it a moment ago.
 */
export function slideMs(entry: CacheEntry, now: number, idleTtlMs: number): number | undefined {
  const { expiresAt, retainedUntil } = entry;
  // What is kept to its very end has nothing to gain.
  if (idleTtlMs === Infinity || retainedUntil >= expiresAt) return undefined;
  if (retainedUntil - now > idleTtlMs * (1 - IDLE_GRAIN)) return undefined;
  return Math.min(idleTtlMs, expiresAt - now);
}
