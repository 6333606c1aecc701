import { dateOf } from './age.js';
import { INVALID_SECONDS } from './cache-control.js';
import { fieldText, hasField, singleValue } from './field-list.js';
import { parseHttpDate } from './http-date.js';
import type { FieldMap } from './http-message.js';
import type { ResolvedPolicyOptions } from './policy-options.js';
import type { EffectiveControl } from './targeted-control.js';

/** How long a response is fresh, and who says so. */
export interface Lifetime {
  readonly ms: number;
  /** `none`: nobody; `ms` is 0. */
  readonly by: 'response' | 'route' | 'heuristic' | 'none';
}

const NO_LIFETIME: Lifetime = { ms: 0, by: 'none' };

/** No guess goes beyond a week. */
const LONGEST_HEURISTIC_MS = 604_800_000;

/** Statuses that are cacheable by default: those for which a lifetime may be guessed (RFC 9110 section 15.1). */
const HEURISTICALLY_CACHEABLE: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 308, 404, 405, 410, 414, 501,
]);

/**
 * The freshness lifetime (RFC 9111 section 4.2.1): `s-maxage`, `max-age`, `Expires` unless a targeted field replaced it; then the
 * route's `ttl`; then a guess. What is there and cannot be read is a lifetime of 0.
 */
export function freshnessLifetime(
  effective: EffectiveControl,
  status: number,
  headers: FieldMap,
  respondedAt: number,
  options: ResolvedPolicyOptions,
): Lifetime {
  const { control } = effective;
  const seconds = control.sMaxage ?? control.maxAge;
  if (seconds !== undefined) {
    return { ms: seconds === INVALID_SECONDS ? 0 : seconds * 1000, by: 'response' };
  }
  if (effective.targetedBy === undefined && hasField(headers, 'expires')) {
    return { ms: expiresIn(headers, respondedAt), by: 'response' };
  }
  if (options.ttlMs > 0) return { ms: options.ttlMs, by: 'route' };
  const { heuristicFraction } = options.rules;
  if (heuristicFraction > 0 && (control.public || HEURISTICALLY_CACHEABLE.has(status))) {
    const modified = lastModified(headers, respondedAt);
    if (modified !== undefined) {
      const unchanged = (dateOf(headers, respondedAt) ?? respondedAt) - modified;
      const ms = Math.min(unchanged * heuristicFraction, LONGEST_HEURISTIC_MS);
      return { ms: Math.max(0, ms), by: 'heuristic' };
    }
  }
  return NO_LIFETIME;
}

/** The time of `Last-Modified`, if it is one. */
export function lastModified(headers: FieldMap, now: number): number | undefined {
  const text = fieldText(headers, 'last-modified');
  return text === undefined ? undefined : parseHttpDate(text, now);
}

/** From `Date` to `Expires`; 0 where `Expires` is repeated, no date, or past (RFC 9111 section 5.3). */
function expiresIn(headers: FieldMap, respondedAt: number): number {
  const text = singleValue(headers, 'expires');
  const expires = text === undefined ? undefined : parseHttpDate(text, respondedAt);
  if (expires === undefined) return 0;
  return Math.max(0, expires - (dateOf(headers, respondedAt) ?? respondedAt));
}
