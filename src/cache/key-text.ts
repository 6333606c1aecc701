import { types } from 'node:util';
import { escapeText, type Place } from './key-escape.js';

/** The mark before a string that would otherwise read as a value of another kind. */
const STRING_MARK = "'";
/** The mark before a date. */
const DATE_MARK = '@';
/** The most characters that a number prints as, such as `-0.0000012345678901234567`. */
const LONGEST_NUMBER = 25;

/**
 * The text of a string, number, boolean, bigint, `null`, `undefined` or Date; `undefined` for anything else, an
 * invalid Date included.
 */
export function scalarText(value: unknown, place: Place): string | undefined {
  switch (typeof value) {
    case 'string':
      return stringText(value, place);
    case 'number':
      return numberText(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'bigint':
      return `${value}n`;
    case 'undefined':
      return 'undefined';
    case 'object':
      if (value === null) return 'null';
      return types.isDate(value) ? dateText(value) : undefined;
    default:
      return undefined;
  }
}

/** A number as JavaScript prints it, with the sign of `-0`. */
export function numberText(value: number): string {
  return value === 0 && 1 / value < 0 ? '-0' : String(value);
}

/** A string, escaped, and marked when it reads as a value of another kind: `'42`, `'true`, `'`. */
export function stringText(value: string, place: Place): string {
  const text = escapeText(value, place);
  return readsAsOtherKind(value) ? STRING_MARK + text : text;
}

/** Whether an object is an instance of the very class that the language defines, in whichever realm. */
export function hasPrototypeDepth(value: object, depth: number): boolean {
  let prototype: object | null = Object.getPrototypeOf(value);
  for (let steps = 0; steps < depth; steps++) {
    if (prototype === null) return false;
    prototype = Object.getPrototypeOf(prototype);
  }
  return prototype === null;
}

/**
 * `@2026-11-21T093000.000Z`: ISO 8601 without colons, because a colon would end the part. A Date of a subclass
 * or with properties of its own has none, for the text would not tell it from a plain one.
 */
function dateText(date: Date): string | undefined {
  if (!hasPrototypeDepth(date, 2) || Reflect.ownKeys(date).length > 0) return undefined;
  if (Number.isNaN(date.getTime())) return undefined;
  const iso = date.toISOString();
  return DATE_MARK + iso.slice(0, -11) + iso.slice(-10, -8) + iso.slice(-7);
}

/** Looks at the first character first: almost every string is done with that. */
function readsAsOtherKind(value: string): boolean {
  switch (value.charCodeAt(0)) {
    case 0x40: // @
      return true;
    case 0x49: // I
      return value === 'Infinity';
    case 0x4e: // N
      return value === 'NaN';
    case 0x66: // f
      return value === 'false';
    case 0x6e: // n
      return value === 'null';
    case 0x74: // t
      return value === 'true';
    case 0x75: // u
      return value === 'undefined';
    default:
      return value === '' || readsAsNumeric(value);
  }
}

/** Whether a number or bigint prints exactly like this. `007`, `1e3` and `2fa` are the texts of none. */
function readsAsNumeric(value: string): boolean {
  const first = value.charCodeAt(0);
  if (first !== 0x2d && !isDigit(first)) return false;
  if (value.endsWith('n')) return readsAsBigint(value);
  return value === '-0' || (value.length <= LONGEST_NUMBER && String(Number(value)) === value);
}

function readsAsBigint(value: string): boolean {
  const digitsFrom = value.startsWith('-') ? 1 : 0;
  const digits = value.length - 1 - digitsFrom;
  if (digits === 0) return false;
  for (let index = digitsFrom; index < value.length - 1; index++) {
    if (!isDigit(value.charCodeAt(index))) return false;
  }
  return value.charCodeAt(digitsFrom) === 0x30 ? digits === 1 && digitsFrom === 0 : true;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
