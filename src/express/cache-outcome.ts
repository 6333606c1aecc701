import { formatCacheStatus, type ForwardReason } from '../http/cache-status.js';
import type { HttpCachePolicy } from '../http/http-cache-policy.js';
import type { StoredHead } from '../http/http-message.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';

/** What `X-Cache` says. */
export type CacheWord = 'HIT' | 'MISS' | 'SKIP' | 'STALE';

/**
 * What the cache did with a request.
 *
 * `X-Cache` is `HIT` where the handler did not run for this client (`hit`, or `collapsed`), `STALE` where that response was
 * past its lifetime, `MISS` where the handler's response was stored or answered from what was stored, and `SKIP` where the
 * request or the response kept the cache out.
 */
export interface Outcome {
  readonly word: CacheWord;
  /** `undefined` = a hit. */
  readonly fwd: ForwardReason | undefined;
  readonly fwdStatus?: number | undefined;
  /** Seconds; negative once it is stale. */
  readonly ttl?: number | undefined;
  readonly stored?: boolean | undefined;
  readonly collapsed?: boolean | undefined;
  /** Why, in one word. */
  readonly reason?: string | undefined;
}

/** The name of this cache in `Cache-Status`. */
const CACHE_NAME = 'cachewell';

/** The fields of outcomes that have nothing of one request in them, by the options that they were made for. */
const known = new WeakMap<ResolvedHttpCacheOptions, Map<string, readonly string[]>>();

/** The fields that tell an outcome, flat. */
export function outcomeFields(
  options: ResolvedHttpCacheOptions,
  outcome: Outcome,
): readonly string[] {
  const { word, fwd, fwdStatus, ttl, stored, reason } = outcome;
  if (ttl !== undefined || fwdStatus !== undefined) return writtenFields(options, outcome);
  let fields = known.get(options);
  if (fields === undefined) known.set(options, (fields = new Map<string, readonly string[]>()));
  const name = `${word} ${fwd} ${stored} ${reason}`;
  let written = fields.get(name);
  if (written === undefined) fields.set(name, (written = writtenFields(options, outcome)));
  return written;
}

function writtenFields(options: ResolvedHttpCacheOptions, outcome: Outcome): string[] {
  const { word, fwd, fwdStatus, ttl, stored, collapsed, reason } = outcome;
  const fields: string[] = [];
  if (options.xCache !== false) fields.push(options.xCache, word);
  if (options.statusHeader !== false) {
    const common = { cache: CACHE_NAME, ttl, detail: reason };
    const text =
      fwd === undefined
        ? formatCacheStatus({ ...common, hit: true })
        : formatCacheStatus({ ...common, hit: false, fwd, fwdStatus, stored, collapsed });
    fields.push(options.statusHeader, text);
  }
  if (options.isDebug && reason !== undefined) fields.push('X-Cache-Reason', reason);
  return fields;
}

/** The value of `Age` for a record that is sent, as a field. */
export function ageField(policy: HttpCachePolicy, record: StoredHead, now: number): string[] {
  return ['Age', String(policy.ageSeconds(record, now))];
}
