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

/** Fields about the client that a limiter has counted, which say nothing to another one. */
const ABOUT_LIMITS: readonly string[] = [
  'ratelimit',
  'ratelimit-policy',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
];

/** The head without the fields that are not to be replayed, for the decision whether, and as what, it is stored. */
export function replayedHead(
  head: CapturedHead,
  { replayHeaders }: ResolvedHttpCacheOptions,
): ResponseHead {
  if (replayHeaders === 'safe') return withoutLimits(head);
  const headers = { ...head.headers, 'set-cookie': undefined };
  if (replayHeaders === 'all') return { ...head, headers };
  const rawHeaders = fieldsWithout(
    head.rawHeaders,
    (lower) => !replayHeaders.has(lower) && !ABOUT_CONTENT.has(lower),
  );
  return { ...head, headers, rawHeaders };
}

function withoutLimits(head: CapturedHead): ResponseHead {
  if (ABOUT_LIMITS.every((name) => head.headers[name] === undefined)) return head;
  const rawHeaders = fieldsWithout(head.rawHeaders, (lower) => ABOUT_LIMITS.includes(lower));
  return { ...head, rawHeaders };
}

/** Whether a response is one that has no end that anybody should wait for. */
export function isEventStream({ headers }: ResponseHead): boolean {
  return String(headers['content-type'] ?? '')
    .toLowerCase()
    .startsWith('text/event-stream');
}
