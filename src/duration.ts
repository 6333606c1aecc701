import { InvalidOptionError } from './errors.js';

/** The units that a {@link Duration} string may carry, and their length in milliseconds. */
const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A unit of time: milliseconds, seconds, minutes, hours, days. */
export type DurationUnit = keyof typeof UNIT_MS;

/**
 * A span of time: milliseconds as a number, or a number with a unit, such as `'250ms'`, `'10s'`, `'5m'`,
 * `'1.5h'`, `'7d'`. `Infinity` is a span without end.
 */
export type Duration = number | `${number}${DurationUnit}`;

const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/**
 * The milliseconds of a {@link Duration}.
 *
 * @param option - where the value stands, for the message
 * @throws {@link InvalidOptionError} when the value is negative, `NaN`, or not a duration
 */
export function toMilliseconds(value: Duration, option: string): number {
  if (typeof value === 'number') {
    if (value >= 0) return value;
  } else if (typeof value === 'string') {
    const match = PATTERN.exec(value);
    if (match !== null) return Number(match[1]) * UNIT_MS[match[2] as DurationUnit];
  }
  throw new InvalidOptionError(
    option,
    `expected a duration (milliseconds >= 0, or a string such as '250ms', '10s', '5m', '1h', '7d'), got ${show(value)}`,
  );
}

/** Converts no object to text: not every object can be. */
function show(value: unknown): string {
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? `'${value}'` : `${String(value)} (${typeof value})`;
}
