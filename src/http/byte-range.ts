import { trimSpace } from './field-list.js';

/**
 * What a `Range` field means for a complete body (RFC 9110 section 14.2): the bytes from `start` up to, and without, `end`; `'unsatisfiable'`
 * where a range in order lies outside; `'none'` where the field is to be ignored: another unit, a form that is none, or
 * several ranges, which a cache may answer with everything.
 */
export type ByteRange = { readonly start: number; readonly end: number } | 'unsatisfiable' | 'none';

/** More digits than any body has bytes. */
const MAX_DIGITS = 15;

/** Reads a `Range` field for a body of `length` bytes. */
export function parseByteRange(field: string, length: number): ByteRange {
  const equals = field.indexOf('=');
  if (equals < 0 || field.slice(0, equals).toLowerCase() !== 'bytes') return 'none';
  const range = trimSpace(field.slice(equals + 1));
  const dash = range.indexOf('-');
  if (dash < 0) return 'none';
  const first = position(range.slice(0, dash));
  const last = position(range.slice(dash + 1));
  if (first === 'invalid' || last === 'invalid') return 'none';
  if (first === undefined) {
    if (last === undefined) return 'none';
    if (last === 0 || length === 0) return 'unsatisfiable';
    return { start: Math.max(0, length - last), end: length };
  }
  if (last !== undefined && last < first) return 'none';
  if (first >= length) return 'unsatisfiable';
  return { start: first, end: last === undefined ? length : Math.min(last + 1, length) };
}

/** Whether a `Content-Range` field says which bytes a 206 holds (RFC 9110 section 14.4). */
export function isContentRange(field: string): boolean {
  return /^bytes \d{1,15}-\d{1,15}\/(?:\d{1,15}|\*)$/i.test(field);
}

function position(text: string): number | 'invalid' | undefined {
  if (text === '') return undefined;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x30 || code > 0x39) return 'invalid';
  }
  return text.length > MAX_DIGITS ? Number.MAX_SAFE_INTEGER - 1 : Number(text);
}
