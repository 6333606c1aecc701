import { toMilliseconds, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { describeValue } from '../options.js';

/** When a hit refreshes its entry ahead of expiry: see `CacheDefinition.refreshAhead`. */
export type RefreshAhead = number | 'xfetch' | false;

/** What decides how long an entry is kept beyond, or short of, its ttl. Says the writer; the reader's own count, too. */
export interface RetentionChoice {
  /** See `CacheDefinition.staleWhileRevalidate`. */
  readonly staleWhileRevalidate?: Duration | undefined;
  /** See `CacheDefinition.staleIfError`. */
  readonly staleIfError?: Duration | undefined;
  /** See `CacheDefinition.idleTtl`. */
  readonly idleTtl?: Duration | undefined;
}

/** What a definition, a class or an operation says about time beside its ttl. */
export interface TimeChoice extends RetentionChoice {
  /** See `CacheDefinition.staleThrottle`. */
  readonly staleThrottle?: Duration | undefined;
  /** See `CacheDefinition.softTimeout`. */
  readonly softTimeout?: Duration | undefined;
  /** See `CacheDefinition.hardTimeout`. */
  readonly hardTimeout?: Duration | undefined;
  /** See `CacheDefinition.refreshAhead`. */
  readonly refreshAhead?: RefreshAhead | undefined;
}

/** A choice, checked, with what it leaves out put in. */
export interface TimeSettings {
  /** 0 = nothing is served after its expiry. */
  readonly staleWhileRevalidateMs: number;
  /** 0 = nothing is served because a load failed. */
  readonly staleIfErrorMs: number;
  readonly staleThrottleMs: number;
  /** `Infinity` = none. */
  readonly softTimeoutMs: number;
  /** `Infinity` = none. */
  readonly hardTimeoutMs: number;
  readonly refreshAhead: RefreshAhead;
  /** `Infinity` = expiry does not slide. */
  readonly idleTtlMs: number;
}

/** How long after a failed refresh a key is left alone when nothing says otherwise. */
export const DEFAULT_STALE_THROTTLE: Duration = '30s';

/** Nothing but the ttl counts. */
export const PLAIN_TIMES: TimeSettings = Object.freeze({
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  staleThrottleMs: toMilliseconds(DEFAULT_STALE_THROTTLE, 'staleThrottle'),
  softTimeoutMs: Infinity,
  hardTimeoutMs: Infinity,
  refreshAhead: false,
  idleTtlMs: Infinity,
});

/** The options of whatever stores. */
export const RETENTION_OPTIONS: readonly (keyof RetentionChoice)[] = [
  'staleWhileRevalidate',
  'staleIfError',
  'idleTtl',
];

/** The options of whatever loads. */
export const TIME_OPTIONS: readonly (keyof TimeChoice)[] = [
  ...RETENTION_OPTIONS,
  'staleThrottle',
  'softTimeout',
  'hardTimeout',
  'refreshAhead',
];

/**
 * Lays a choice over settings; gives these themselves when there is nothing to lay. Whether the options agree with each
 * other is for {@link expectAgreeingTimes}.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 */
export function resolveTimes(owner: string, choice: TimeChoice, base: TimeSettings): TimeSettings {
  if (!saysAnything(choice)) return base;
  const spanOf = (name: Exclude<keyof TimeChoice, 'refreshAhead'>, otherwise: number): number =>
    choice[name] === undefined ? otherwise : expectSpan(`${owner}.${name}`, choice[name]);
  const { refreshAhead } = choice;
  return {
    staleWhileRevalidateMs: spanOf('staleWhileRevalidate', base.staleWhileRevalidateMs),
    staleIfErrorMs: spanOf('staleIfError', base.staleIfErrorMs),
    staleThrottleMs: spanOf('staleThrottle', base.staleThrottleMs),
    softTimeoutMs: spanOf('softTimeout', base.softTimeoutMs),
    hardTimeoutMs: spanOf('hardTimeout', base.hardTimeoutMs),
    refreshAhead:
      refreshAhead === undefined
        ? base.refreshAhead
        : expectRefreshAhead(`${owner}.refreshAhead`, refreshAhead),
    idleTtlMs: spanOf('idleTtl', base.idleTtlMs),
  };
}

/** A loop rather than a closure: this is on the way of every `getOrSet` with options. */
function saysAnything(choice: TimeChoice): boolean {
  for (const name of TIME_OPTIONS) if (choice[name] !== undefined) return true;
  return false;
}

/** Checks one option of a choice by its name, wherever it stands. */
export function expectTimeOption(option: string, value: unknown): void {
  if (option.endsWith('.refreshAhead')) expectRefreshAhead(option, value);
  else expectSpan(option, value);
}

/**
 * Checks that options which depend on each other agree, once it is known what all levels say.
 *
 * @throws {@link InvalidOptionError} naming the option and what to do
 */
export function expectAgreeingTimes(owner: string, times: TimeSettings): void {
  const isStaleAllowed = staleMsOf(times) > 0;
  if (times.softTimeoutMs !== Infinity && !isStaleAllowed) {
    throw new InvalidOptionError(
      `${owner}.softTimeout`,
      "it serves an expired entry while the load goes on, so it needs 'staleIfError' or 'staleWhileRevalidate'; set one of them, or use 'hardTimeout'",
    );
  }
  expectIdleAlone(owner, times);
}

/**
 * The part of it that one level alone can get wrong.
 *
 * @throws {@link InvalidOptionError} naming the option and what to do
 */
export function expectIdleAlone(owner: string, times: TimeSettings): void {
  if (times.idleTtlMs === Infinity) return;
  const other =
    staleMsOf(times) > 0
      ? "'staleWhileRevalidate' and 'staleIfError'"
      : times.refreshAhead !== false
        ? "'refreshAhead'"
        : undefined;
  if (other === undefined) return;
  throw new InvalidOptionError(
    `${owner}.idleTtl`,
    `what nobody reads is to go, so it excludes ${other}; switch them off here (0, false), or drop 'idleTtl'`,
  );
}

/** How long after its expiry an entry may be served at all. */
export function staleMsOf({ staleWhileRevalidateMs, staleIfErrorMs }: TimeSettings): number {
  return Math.max(staleWhileRevalidateMs, staleIfErrorMs);
}

/** Whether a lookup has more to do than to tell fresh entries from others. */
export function isTimed(times: TimeSettings): boolean {
  return staleMsOf(times) > 0 || times.refreshAhead !== false || times.idleTtlMs !== Infinity;
}

/** How long the store keeps an entry with a ttl: to the end of its staleness, or to that of its idle time. */
export function retentionMs(ttlMs: number, times: TimeSettings): number {
  if (times.idleTtlMs !== Infinity) return Math.min(ttlMs, times.idleTtlMs);
  return ttlMs + staleMsOf(times);
}

function expectSpan(option: string, value: unknown): number {
  const ms = toMilliseconds(value as Duration, option);
  if (ms > 0 || !(option.endsWith('.hardTimeout') || option.endsWith('.idleTtl'))) return ms;
  throw new InvalidOptionError(option, 'expected a duration above 0, or Infinity for none, got 0');
}

function expectRefreshAhead(option: string, value: unknown): RefreshAhead {
  if (value === 'xfetch' || value === false) return value;
  if (typeof value === 'number' && value > 0 && value < 1) return value;
  throw new InvalidOptionError(
    option,
    `expected a fraction of the ttl between 0 and 1, 'xfetch' or false, got ${describeValue(value)}`,
  );
}
