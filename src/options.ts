import { inspect } from 'node:util';
import { InvalidOptionError } from './errors.js';

/**
 * Refuses options that do not exist, so that a typing error cannot pass for a setting.
 *
 * @param owner - whose options they are, such as `MemoryBackend`
 * @throws {@link InvalidOptionError} naming the unknown option and the nearest known one
 */
export function rejectUnknown(owner: string, options: object, known: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint =
      near === undefined ? `known options: ${known.join(', ')}` : `did you mean '${near}'?`;
    throw new InvalidOptionError(`${owner}.${name}`, `there is no such option; ${hint}`);
  }
}

/** Refuses anything but an object of options. */
export function expectOptions(owner: string, options: unknown): void {
  if (typeof options === 'object' && options !== null && !Array.isArray(options)) return;
  throw new InvalidOptionError(
    owner,
    `expected an object of options, got ${describeValue(options)}`,
  );
}

/** A whole number within bounds. `Infinity` passes only where `max` is `Infinity`. */
export function expectInteger(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) {
    if (Number.isInteger(value) || value === Infinity) return value;
  }
  const upper = max === Infinity ? '' : ` and <= ${max}`;
  throw new InvalidOptionError(
    option,
    `expected a whole number >= ${min}${upper}, got ${describeValue(value)}`,
  );
}

/** A number within bounds, both included. */
export function expectNumber(option: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && value >= min && value <= max) return value;
  throw new InvalidOptionError(
    option,
    `expected a number from ${min} to ${max}, got ${describeValue(value)}`,
  );
}

/** One of a fixed set of values. */
export function expectOneOf<const Value>(
  option: string,
  value: unknown,
  allowed: readonly Value[],
): Value {
  if (allowed.includes(value as Value)) return value as Value;
  throw new InvalidOptionError(
    option,
    `expected ${allowed.map((each) => inspect(each)).join(' or ')}, got ${describeValue(value)}`,
  );
}

/** A text with at least one character. */
export function expectText(option: string, value: unknown): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidOptionError(option, `expected a text, got ${describeValue(value)}`);
}

/** A function. */
export function expectFunction(option: string, value: unknown): void {
  if (typeof value === 'function') return;
  throw new InvalidOptionError(option, `expected a function, got ${describeValue(value)}`);
}

/** `true` or `false`, nothing that merely looks like it. */
export function expectBoolean(option: string, value: unknown): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidOptionError(option, `expected true or false, got ${describeValue(value)}`);
}

/** A received value and its kind, short enough for a message; never the inside of an object. */
export function describeValue(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  if (typeof value === 'function') return 'a function';
  const text = inspect(value);
  return `${text.length > 60 ? `${text.slice(0, 60)}…` : text} (${typeof value})`;
}

/** The known name that a typing error was most likely meant to be, by Levenshtein distance. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(previous[j]! + 1, current[j - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}
