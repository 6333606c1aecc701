import { isHopByHop } from './end-to-end-fields.js';
import { isToken } from './field-list.js';
import type { StoredResponse } from './http-message.js';

/** All bits that have a meaning. */
const KNOWN_FLAGS = 127;

/** No time or span that is written is greater: the range of a Date. */
const LATEST_MS = 8.64e15;

/** Printable characters and tabs, as Node lets them pass; no line break can split a message. */
const FIELD_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/**
 * A record as it came from a store that others can write to: the same object if everything in it can be sent and decided on, otherwise `undefined`,
 * which is a miss. Never throws.
 *
 * It checks forms, not truth: who can write to the store can put any well-formed response there.
 */
export function readStored(value: unknown): StoredResponse | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const record = value as Partial<Record<keyof StoredResponse, unknown>>;
  const isSound =
    record.v === 1 &&
    isWhole(record.status, 200, 599) &&
    record.status !== 304 &&
    record.body instanceof Uint8Array &&
    (record.status !== 204 || record.body.byteLength === 0) &&
    areFields(record.headers, record.body.byteLength) &&
    isTime(record.requestedAt) &&
    isTime(record.respondedAt) &&
    isTime(record.initialAgeMs) &&
    isTime(record.freshMs) &&
    isTime(record.staleWhileRevalidateMs) &&
    isTime(record.staleIfErrorMs) &&
    isWhole(record.flags, 0, KNOWN_FLAGS) &&
    areSelectors(record.vary, record.selecting);
  return isSound ? (value as StoredResponse) : undefined;
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max;
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= LATEST_MS;
}

function areFields(value: unknown, bodyLength: number): boolean {
  if (!Array.isArray(value) || value.length % 2 !== 0) return false;
  for (let at = 0; at < value.length; at += 2) {
    const name: unknown = value[at];
    const text: unknown = value[at + 1];
    if (typeof name !== 'string' || typeof text !== 'string') return false;
    if (!isToken(name) || !FIELD_VALUE.test(text)) return false;
    const lower = name.toLowerCase();
    if (isHopByHop(lower)) return false;
    // A wrong length would let the rest of the body pass for the next response.
    if (lower === 'content-length' && text !== String(bodyLength)) return false;
  }
  return true;
}

function areSelectors(vary: unknown, selecting: unknown): boolean {
  if (!Array.isArray(vary) || !Array.isArray(selecting)) return false;
  if (vary.length !== selecting.length) return false;
  let previous = '';
  for (const name of vary as readonly unknown[]) {
    if (typeof name !== 'string' || !isToken(name) || name !== name.toLowerCase()) return false;
    if (name === '*' || name <= previous) return false;
    previous = name;
  }
  return selecting.every((each) => typeof each === 'string');
}
