import { parseDeltaSeconds } from './delta-seconds.js';
import { fieldText, hasField, singleValue, trimSpace } from './field-list.js';
import type { ExchangeTimes, FieldMap, StoredHead } from './http-message.js';
import { parseHttpDate } from './http-date.js';

/**
 * The value of an `Age` field in seconds. Of several members the first counts, parameters are cut, and what is no
 * number is 0: an age that cannot be read must not make a fresh response stale.
 */
export function parseAge(text: string): number {
  const comma = text.indexOf(',');
  const first = comma < 0 ? text : text.slice(0, comma);
  const semicolon = first.indexOf(';');
  return parseDeltaSeconds(trimSpace(semicolon < 0 ? first : first.slice(0, semicolon))) ?? 0;
}

/**
 * The corrected initial age in milliseconds (RFC 9111 section 4.2.3). A response that names neither `Age` nor `Date` was made
 * by the handler itself, at `respondedAt`: its age is 0 however long the handler took.
 */
export function initialAgeMs(headers: FieldMap, times: ExchangeTimes): number {
  const age = fieldText(headers, 'age');
  if (age === undefined && !hasField(headers, 'date')) return 0;
  const date = dateOf(headers, times.respondedAt) ?? times.respondedAt;
  // A date has no fraction of a second: against one that has, a response would be born up to a second old.
  const apparent = Math.max(0, Math.floor(times.respondedAt / 1000) * 1000 - date);
  const delay = Math.max(0, times.respondedAt - times.requestedAt);
  return Math.max(apparent, (age === undefined ? 0 : parseAge(age) * 1000) + delay);
}

/** The time of the `Date` field; `undefined` where it is absent, repeated or no date. */
export function dateOf(headers: FieldMap, now: number): number | undefined {
  const text = singleValue(headers, 'date');
  return text === undefined ? undefined : parseHttpDate(text, now);
}

/**
 * The present age in milliseconds. A clock that went back, or the clock of another node, counts as no time.
 */
export function currentAgeMs(stored: StoredHead, now: number): number {
  const resident = now - stored.respondedAt;
  return resident > 0 ? stored.initialAgeMs + resident : stored.initialAgeMs;
}
