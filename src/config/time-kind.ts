import { type Duration, toMilliseconds } from '../duration.js';
import type { SettingKind } from './setting-kind.js';

interface TimeOptions {
  /** Milliseconds. */
  readonly min: number;
  /** Milliseconds. @defaultValue no bound */
  readonly max?: number;
  /** Whether the time may be without end: `none` as text, `Infinity` as value. */
  readonly allowsNone?: boolean;
  /** Whether an empty text means `none` too, instead of the default. */
  readonly emptyIsNone?: boolean;
}

/**
 * A span of time: in text seconds, or a number with a unit; as a value whole milliseconds.
 *
 * Bounds that look generous are there to catch the wrong unit: `5000`, meant as milliseconds, is 83 minutes.
 */
export function time(options: TimeOptions): SettingKind<number> {
  const { min, max = Number.MAX_SAFE_INTEGER, allowsNone = false, emptyIsNone = false } = options;
  const isBounded = max !== Number.MAX_SAFE_INTEGER;
  const none = allowsNone ? ', or none' : '';
  const range = isBounded ? `from ${inUnits(min)} to ${inUnits(max)}` : `>= ${inUnits(min)}`;
  const rangeMs = isBounded ? `from ${min} to ${max}` : `>= ${min}`;
  return {
    type: 'time',
    range: `${range}${none}`,
    expectedText: `a time ${range} (a number of seconds, or a text such as '250ms', '10s', '5m', '1h', '7d')${none}`,
    expectedValue: `whole milliseconds ${rangeMs}${allowsNone ? ', or Infinity' : ''}`,
    isSecret: false,
    readsEmpty: emptyIsNone,
    read: (raw) => {
      const word = raw.trim().toLowerCase();
      if (allowsNone && (word === 'none' || word === '')) return Infinity;
      return readTime(word);
    },
    write: (value) =>
      value === Infinity ? 'none' : value % 1000 === 0 ? `${value / 1000}` : `${value}ms`,
    rules: ({ ValidateIf, IsInt, Min, Max }) => [
      ValidateIf((_settings, value) => !(allowsNone && value === Infinity)),
      IsInt(),
      Min(min),
      Max(max),
    ],
  };
}

/** The whole milliseconds of a text in seconds or with a unit. */
function readTime(word: string): number | undefined {
  let exact: number;
  if (/^-?\d+(\.\d+)?$/.test(word)) {
    exact = Number(word) * 1000;
  } else {
    try {
      exact = toMilliseconds(word as Duration, 'time');
    } catch {
      // Not a duration: the caller reports it, with the variable's name.
      return undefined;
    }
  }
  // Rounding removes the noise of binary fractions; it may not turn a tiny time into 0, which has its own meaning.
  const rounded = Math.round(exact);
  return rounded === 0 && exact !== 0 ? undefined : rounded;
}

function inUnits(ms: number): string {
  if (ms === 0) return '0';
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
