import { toMilliseconds, type Duration } from '../duration.js';
import { expectNumber } from '../options.js';
import type { CacheSettings } from './cache-settings.js';

/** What a caller says about an entry's time to live; what it leaves out is the cache's. */
export interface ExpiryChoice {
  readonly ttl?: Duration | undefined;
  readonly nullTtl?: Duration | undefined;
  readonly jitter?: number | undefined;
}

/**
 * Checks a choice before there is a value to apply it to.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 */
export function expectExpiryChoice(owner: string, { ttl, nullTtl, jitter }: ExpiryChoice): void {
  if (ttl !== undefined) toMilliseconds(ttl, `${owner}.ttl`);
  if (nullTtl !== undefined) toMilliseconds(nullTtl, `${owner}.nullTtl`);
  if (jitter !== undefined) expectNumber(`${owner}.jitter`, jitter, 0, 1);
}

/**
 * The milliseconds for which a value is fresh: the choice, else the cache's; `nullTtl` for `null`; spread by the
 * jitter; cut to `maxTtl`. 0 means: do not store.
 *
 * @param random - a number from 0 to 1, 1 excluded
 * @throws {@link InvalidOptionError} when the choice is not a duration
 */
export function timeToLive(
  value: unknown,
  choice: ExpiryChoice,
  settings: CacheSettings,
  random: () => number,
): number {
  let ttlMs =
    choice.ttl === undefined ? settings.ttlMs : toMilliseconds(choice.ttl, `${settings.name}.ttl`);
  if (value === null) {
    if (choice.nullTtl !== undefined) {
      ttlMs = toMilliseconds(choice.nullTtl, `${settings.name}.nullTtl`);
    } else if (settings.nullTtlMs !== undefined) ttlMs = settings.nullTtlMs;
  }
  const jitter = choice.jitter ?? settings.jitter;
  if (jitter > 0 && ttlMs > 0 && ttlMs !== Infinity) {
    ttlMs = Math.max(1, ttlMs * (1 + jitter * (2 * random() - 1)));
  }
  return Math.min(ttlMs, settings.maxTtlMs);
}
