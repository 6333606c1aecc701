import type { ResponseHead } from '../http/http-message.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import { fieldsWithout, type CapturedHead } from './response-head.js';

/** Fields without which a response means something else. */
const ABOUT_CONTENT: ReadonlySet<string> = new Set([
  'age',
  'cache-control',
  'cdn-cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-length',
  'content-location',
  'content-range',
  'content-type',
  'date',
  'etag',
  'expires',
  'last-modified',
  'location',
  'vary',
]);

/**
 * Fields about the client that a limiter has counted, which say nothing to another one: `RateLimit` and `RateLimit-Policy`, those
 * of the drafts before them, and those that were usual before any draft.
 */
const ABOUT_LIMITS = /^(?:x-)?rate-?limit(?:-|$)/i;

/** The head without the fields that are not to be replayed, for the decision whether, and as what, it is stored. */
export function replayedHead(head: CapturedHead, options: ResolvedHttpCacheOptions): ResponseHead {
  const rawHeaders = replayedFields(head.rawHeaders, options);
  if (options.replayHeaders !== 'safe') {
    return { ...head, headers: { ...head.headers, 'set-cookie': undefined }, rawHeaders };
  }
  return rawHeaders === head.rawHeaders ? head : { ...head, rawHeaders };
}

/** A flat list without the fields that are not to be replayed; itself where there are none. */
export function replayedFields(
  fields: readonly string[],
  { replayHeaders }: ResolvedHttpCacheOptions,
): readonly string[] {
  if (replayHeaders === 'all') return fields;
  if (replayHeaders !== 'safe') {
    return fieldsWithout(fields, (lower) => !replayHeaders.has(lower) && !ABOUT_CONTENT.has(lower));
  }
  if (!fields.some((field, index) => index % 2 === 0 && isAboutLimit(field))) return fields;
  // Beside a limit `Retry-After` says when there will be more of it.
  return fieldsWithout(fields, (lower) => lower === 'retry-after' || isAboutLimit(lower));
}

function isAboutLimit(name: string): boolean {
  return ABOUT_LIMITS.test(name);
}

/** Whether a response is one that has no end that anybody should wait for. */
export function isEventStream({ headers }: ResponseHead): boolean {
  return String(headers['content-type'] ?? '')
    .toLowerCase()
    .startsWith('text/event-stream');
}
