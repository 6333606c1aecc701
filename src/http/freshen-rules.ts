import type { FreshenDecision, RequestPlan } from './cache-decision.js';
import { endToEndFields, fieldMapOf, flatValue } from './end-to-end-fields.js';
import { isStrong, matchesStrongly, matchesWeakly } from './entity-tag.js';
import { fieldText, hasField, singleValue } from './field-list.js';
import { formatHttpDate } from './http-date.js';
import type { ExchangeTimes, ResponseHead, StoredResponse } from './http-message.js';
import type { ResolvedPolicyOptions } from './policy-options.js';
import { storageOf } from './storage-rules.js';

/**
 * Fields that tell how the stored body is to be read. The one in a 304 or in the answer to a HEAD may be about a body that was
 * not sent (RFC 9111 section 3.2).
 */
const ABOUT_THE_BODY: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
]);

const MISMATCH: FreshenDecision = Object.freeze({ kind: 'mismatch' });

/** What a 304, or a 200 to a HEAD, makes of a stored response (RFC 9111 sections 4.3.4 and 4.3.5). */
export function decideFreshening(
  stored: StoredResponse,
  plan: RequestPlan,
  response: ResponseHead,
  times: ExchangeTimes,
  options: ResolvedPolicyOptions,
): FreshenDecision {
  const isHeadUpdate = plan.method === 'HEAD' && response.status === 200;
  if (response.status !== 304 && !(isHeadUpdate && stored.status === 200)) return MISMATCH;
  if (!isAboutStored(stored, response) || (isHeadUpdate && !hasSameLength(stored, response))) {
    return MISMATCH;
  }
  const headers = mergedFields(stored.headers, response, times);
  const age = fieldText(response.headers, 'age');
  const fields = fieldMapOf(headers);
  if (age !== undefined) fields['age'] = age;
  const merged: ResponseHead = { status: stored.status, headers: fields, rawHeaders: headers };
  const decision = storageOf(plan, merged, times, options);
  if (!decision.store) {
    return { kind: 'last-use', stored: { ...stored, headers }, reason: decision.reason };
  }
  const { head, freshForMs, keepMs, groups } = decision;
  return { kind: 'updated', stored: { ...head, body: stored.body }, freshForMs, keepMs, groups };
}

/** Whether the answer names the validators of the stored response, or none at all. */
function isAboutStored(stored: StoredResponse, { headers }: ResponseHead): boolean {
  const entityTag = singleValue(headers, 'etag');
  const storedTag = flatValue(stored.headers, 'etag');
  if (entityTag !== undefined && storedTag !== undefined) {
    return isStrong(entityTag) && isStrong(storedTag)
      ? matchesStrongly(entityTag, storedTag)
      : matchesWeakly(entityTag, storedTag);
  }
  // A strong validator that nothing stored has: it is about another representation.
  if (entityTag !== undefined && isStrong(entityTag)) return false;
  const modified = fieldText(headers, 'last-modified');
  const storedModified = flatValue(stored.headers, 'last-modified');
  return modified === undefined || storedModified === undefined || modified === storedModified;
}

function hasSameLength(stored: StoredResponse, { headers }: ResponseHead): boolean {
  const length = fieldText(headers, 'content-length');
  return length === undefined || length === String(stored.body.byteLength);
}

/** The stored fields with those of the answer in their places, and what is new at the end. */
function mergedFields(
  stored: readonly string[],
  response: ResponseHead,
  times: ExchangeTimes,
): readonly string[] {
  const news = new Map<string, string[]>();
  const update = endToEndFields(response);
  if (!hasField(response.headers, 'date')) {
    update.push('Date', formatHttpDate(times.respondedAt));
  }
  for (let at = 0; at < update.length; at += 2) {
    const name = update[at]!.toLowerCase();
    if (ABOUT_THE_BODY.has(name)) continue;
    const pairs = news.get(name);
    if (pairs === undefined) news.set(name, [update[at]!, update[at + 1]!]);
    else pairs.push(update[at]!, update[at + 1]!);
  }
  const merged: string[] = [];
  const placed = new Set<string>();
  for (let at = 0; at < stored.length; at += 2) {
    const name = stored[at]!.toLowerCase();
    const pairs = news.get(name);
    if (pairs === undefined) merged.push(stored[at]!, stored[at + 1]!);
    else if (!placed.has(name)) {
      merged.push(...pairs);
      placed.add(name);
    }
  }
  for (const [name, pairs] of news) if (!placed.has(name)) merged.push(...pairs);
  return merged;
}
