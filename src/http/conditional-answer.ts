import { parseByteRange } from './byte-range.js';
import type { ConditionalAnswer } from './cache-decision.js';
import { flatValue } from './end-to-end-fields.js';
import { matchesStrongly, noneMatchHits } from './entity-tag.js';
import { fieldText, singleValue } from './field-list.js';
import { parseHttpDate } from './http-date.js';
import type { RequestHead, StoredResponse } from './http-message.js';

const FULL: ConditionalAnswer = Object.freeze({ kind: 'full' });
const NOT_MODIFIED: ConditionalAnswer = Object.freeze({ kind: 'not-modified' });

/**
 * What of a stored response a GET or HEAD gets, in the order of RFC 9110 section 13.2.2: `If-None-Match`, else `If-Modified-Since`; then
 * `Range` under `If-Range`. Fields that make no sense are as if they were not there.
 */
export function conditionalAnswer(stored: StoredResponse, request: RequestHead): ConditionalAnswer {
  const { headers } = request;
  const noneMatch = headers['if-none-match'];
  const hasRange = headers['range'] !== undefined && request.method === 'GET';
  if (noneMatch === undefined && headers['if-modified-since'] === undefined && !hasRange) {
    return FULL;
  }
  // Conditions are about a representation: an error or a redirect is sent as it is (RFC 9110 section 13.2.1).
  if (stored.status < 200 || stored.status > 299 || stored.status === 206) return FULL;
  if (noneMatch !== undefined) {
    const field = fieldText(headers, 'if-none-match') ?? '';
    if (noneMatchHits(field, flatValue(stored.headers, 'etag'))) return NOT_MODIFIED;
  } else if (isUnmodifiedSince(stored, singleValue(headers, 'if-modified-since'))) {
    return NOT_MODIFIED;
  }
  if (!hasRange || stored.status !== 200 || !isRangeUnderCondition(stored, request)) return FULL;
  const length = stored.body.byteLength;
  const range = parseByteRange(singleValue(headers, 'range') ?? '', length);
  if (range === 'none') return FULL;
  if (range === 'unsatisfiable')
    return { kind: 'unsatisfiable', contentRange: `bytes */${length}` };
  const { start, end } = range;
  return { kind: 'partial', start, end, contentRange: `bytes ${start}-${end - 1}/${length}` };
}

/**
 * Fields of a stored response that a 304 carries, flat: those that RFC 9110 section 15.4.5 asks for and those about the message,
 * but nothing that describes a body that is not sent.
 */
export function notModifiedFields(stored: readonly string[]): readonly string[] {
  const fields: string[] = [];
  for (let at = 0; at < stored.length; at += 2) {
    if (!BODY_FIELDS.has(stored[at]!.toLowerCase())) fields.push(stored[at]!, stored[at + 1]!);
  }
  return fields;
}

const BODY_FIELDS: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-language',
  'content-length',
  'content-md5',
  'content-range',
  'content-type',
]);

/** RFC 9111 section 4.3.2: by `Last-Modified`, else by `Date`. */
function isUnmodifiedSince(stored: StoredResponse, field: string | undefined): boolean {
  if (field === undefined) return false;
  const now = stored.respondedAt;
  const since = parseHttpDate(field, now);
  const known = flatValue(stored.headers, 'last-modified') ?? flatValue(stored.headers, 'date');
  const modified = known === undefined ? undefined : parseHttpDate(known, now);
  return since !== undefined && modified !== undefined && modified <= since;
}

/** RFC 9110 section 13.1.5: the range counts only if the client's part is of this very representation. */
function isRangeUnderCondition(stored: StoredResponse, { headers }: RequestHead): boolean {
  if (headers['if-range'] === undefined) return true;
  const condition = singleValue(headers, 'if-range') ?? '';
  const entityTag = flatValue(stored.headers, 'etag');
  if (condition.startsWith('"') || condition.startsWith('W/')) {
    return entityTag !== undefined && matchesStrongly(condition, entityTag);
  }
  const modified = flatValue(stored.headers, 'last-modified');
  return modified === condition && isStrongDate(stored, modified);
}

/** A date tells two versions apart only if the response was made at least a second after it (RFC 9110 section 8.8.2.2). */
function isStrongDate(stored: StoredResponse, text: string): boolean {
  const modified = parseHttpDate(text, stored.respondedAt);
  const dateText = flatValue(stored.headers, 'date');
  const date = dateText === undefined ? undefined : parseHttpDate(dateText, stored.respondedAt);
  return modified !== undefined && date !== undefined && date - modified >= 1000;
}
