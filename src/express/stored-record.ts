import type { StoredResponse } from '../http/http-message.js';
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
}

const checked = new WeakMap<object, HttpRecord | null>();

/** The record that a store gave; `undefined` when it is none that could be sent. */
export function readRecord(value: unknown): HttpRecord | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const known = checked.get(value);
  if (known !== undefined) return known ?? undefined;
  const record = readStored(value) as HttpRecord | undefined;
  const isSound =
    record !== undefined && (record.variants === undefined || typeof record.variants === 'string');
  checked.set(value, isSound ? record : null);
  return isSound ? record : undefined;
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
