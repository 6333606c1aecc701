import type { StoredHead, StoredResponse } from '../http/http-message.js';
import { readStored } from '../http/read-stored.js';

/**
 * A response as the cache holds it.
 *
 * The first response of a URL lies under the URL's key. Where `Vary` tells responses apart, the others lie under keys of
 * their own (see `variants.ts`), and all of them carry the id of the first: without it, or with another one in its place,
 * they are void, so that whoever deletes the URL's key deletes them all.
 */
export interface HttpRecord extends StoredResponse {
  readonly variants?: string;
  /**
   * Whether it may be sent in front of the application: a route marked so has made it for a request whose fields were as its client
   * had sent them. What was selected by fields that middleware had put in, by this process or another one, is not for a
   * client that sends the same by itself.
   */
  readonly front?: true;
}

const checked = new WeakMap<object, HttpRecord | null>();

/** The record that a store gave; `undefined` when it is none that could be sent. */
export function readRecord(value: unknown): HttpRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const known = checked.get(value);
  if (known !== undefined) return known ?? undefined;
  const record = readStored(value) as HttpRecord | undefined;
  const isSound =
    record !== undefined &&
    (record.variants === undefined || typeof record.variants === 'string') &&
    (record.front === undefined || record.front === true);
  checked.set(value, isSound ? record : null);
  return isSound ? record : undefined;
}

/** The record of a response whose body is known. Written out, and not spread: it is half as large then. */
export function storedRecord(
  head: StoredHead,
  headers: readonly string[],
  body: Uint8Array,
  flags: number,
): HttpRecord {
  return {
    v: 1,
    status: head.status,
    headers,
    body,
    requestedAt: head.requestedAt,
    respondedAt: head.respondedAt,
    initialAgeMs: head.initialAgeMs,
    freshMs: head.freshMs,
    staleWhileRevalidateMs: head.staleWhileRevalidateMs,
    staleIfErrorMs: head.staleIfErrorMs,
    vary: head.vary,
    selecting: head.selecting,
    flags,
  };
}

/** What a record takes beside its texts and its body: its fields, what is remembered of it, and how it is sent. */
const RECORD_BYTES = 1_000;
/** What a text takes beside its characters, and its place in a list. */
const TEXT_BYTES = 24;

/**
 * What a record takes in memory, without a walk through it but for its fields; `undefined` for any other value. It need
 * not be a sound one.
 */
export function recordBytes(value: unknown): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  try {
    const { body, headers } = value as Partial<Record<keyof HttpRecord, unknown>>;
    if (!(body instanceof Uint8Array) || !Array.isArray(headers)) return undefined;
    let bytes = RECORD_BYTES + body.byteLength;
    for (const text of headers as readonly unknown[]) {
      bytes += TEXT_BYTES + (typeof text === 'string' ? text.length : 0);
    }
    return bytes;
  } catch {
    // An accessor of what somebody else keeps in this cache.
    return undefined;
  }
}

export const NO_BODY: Uint8Array = new Uint8Array();

/** A response that nothing is stored of, for the evaluation of conditionals. */
export const NO_RECORD: HttpRecord = Object.freeze({
  v: 1,
  status: 200,
  headers: [],
  body: NO_BODY,
  requestedAt: 0,
  respondedAt: 0,
  initialAgeMs: 0,
  freshMs: 0,
  staleWhileRevalidateMs: 0,
  staleIfErrorMs: 0,
  vary: [],
  selecting: [],
  flags: 0,
});
