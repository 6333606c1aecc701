import { currentAgeMs } from './age.js';
import type { NotReusedReason, RequestPlan, ReuseDecision } from './cache-decision.js';
import { flatValue } from './end-to-end-fields.js';
import { StoredFlag, type StoredHead } from './http-message.js';
import { parseHttpDate } from './http-date.js';
import { selectsBy, selectsVariant } from './selecting-values.js';

const FRESH: ReuseDecision = Object.freeze({ kind: 'fresh' });
const STALE: ReuseDecision = Object.freeze({ kind: 'stale', refresh: true });
const STALE_ACCEPTED: ReuseDecision = Object.freeze({ kind: 'stale', refresh: false });

/** Whether a stored response answers a request (RFC 9111 section 4). A plain hit allocates nothing. */
export function decideReuse(stored: StoredHead, plan: RequestPlan, now: number): ReuseDecision {
  if (stored.vary.length > 0 && !selectsVariant(stored, plan.headers)) return none('vary');
  if ((stored.flags & plan.requiredFlags) !== plan.requiredFlags) return none('credentials');
  if (plan.credentials.length > 0 && !isForCredentials(stored, plan)) return none('credentials');
  // A part under a condition: whether it still fits only the whole can tell.
  if (stored.status === 206 && plan.headers['if-range'] !== undefined) return none('range');
  if (plan.reload || !plan.lookup) return revalidate(stored, 'request', false);
  if ((stored.flags & StoredFlag.noCache) !== 0) return revalidate(stored, 'no-cache', false);

  const age = currentAgeMs(stored, now);
  const staleness = age - stored.freshMs;
  if (age > plan.maxAgeMs || plan.maxAgeMs === 0) {
    return revalidate(stored, 'request', mayReplaceError(stored, staleness));
  }
  if (staleness < 0) {
    if (-staleness >= plan.minFreshMs) return FRESH;
    return revalidate(stored, 'request', mayReplaceError(stored, staleness));
  }
  if (plan.minFreshMs === 0 && (stored.flags & StoredFlag.neverStale) === 0) {
    if (staleness < stored.staleWhileRevalidateMs) return STALE;
    if (plan.maxStaleMs > 0 && staleness <= plan.maxStaleMs) return STALE_ACCEPTED;
  }
  return revalidate(stored, 'stale', mayReplaceError(stored, staleness));
}

function isForCredentials({ flags, vary }: StoredHead, { credentials }: RequestPlan): boolean {
  return (flags & StoredFlag.forAuthorization) !== 0 || selectsBy(vary, credentials);
}

function mayReplaceError(stored: StoredHead, staleness: number): boolean {
  if (staleness < 0) return true;
  return staleness < stored.staleIfErrorMs && (stored.flags & StoredFlag.neverStale) === 0;
}

function none(reason: NotReusedReason): ReuseDecision {
  return { kind: 'none', reason };
}

function revalidate(
  stored: StoredHead,
  reason: NotReusedReason,
  staleIfError: boolean,
): ReuseDecision {
  return { kind: 'revalidate', reason, conditions: conditionsOf(stored), staleIfError };
}

/** The fields of a validation (RFC 9111 section 4.3.1): both, so that a handler that knows only one of them can answer. */
function conditionsOf(stored: StoredHead): Readonly<Record<string, string>> {
  const conditions: Record<string, string> = {};
  if ((stored.flags & StoredFlag.hasValidator) === 0) return conditions;
  const entityTag = flatValue(stored.headers, 'etag');
  if (entityTag !== undefined && entityTag !== '') conditions['if-none-match'] = entityTag;
  const modified = flatValue(stored.headers, 'last-modified');
  if (modified !== undefined && parseHttpDate(modified, stored.respondedAt) !== undefined) {
    conditions['if-modified-since'] = modified;
  }
  return conditions;
}
