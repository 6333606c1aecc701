import { parseCacheControl } from './cache-control.js';
import type { BypassReason, RequestContext, RequestPlan } from './cache-decision.js';
import { credentialsIn, NO_CREDENTIALS } from './credential-fields.js';
import { fieldText } from './field-list.js';
import { type FieldMap, type RequestHead, StoredFlag } from './http-message.js';
import type { RequestControl } from './http-profile.js';
import type { ResolvedPolicyOptions } from './policy-options.js';

const NO_CONTEXT: RequestContext = {};

/** What a request allows and asks for. */
export function planRequest(
  head: RequestHead,
  options: ResolvedPolicyOptions,
  context: RequestContext = NO_CONTEXT,
): RequestPlan {
  const { method, headers } = head;
  const bypass = bypassReason(method, headers);
  const plan: MutablePlan = {
    method,
    headers,
    lookup: bypass === undefined,
    store: bypass === undefined && method === 'GET',
    bypass,
    reload: context.reload === true,
    onlyIfCached: false,
    maxAgeMs: Infinity,
    minFreshMs: 0,
    maxStaleMs: 0,
    hideRange: options.rules.hidesRange,
    requiredFlags: options.rules.guardsCredentials ? consentNeeded(headers, context) : 0,
    credentials:
      context.keyedBy === 'identity' ? NO_CREDENTIALS : credentialsIn(headers, options.credentials),
    context,
  };
  if (bypass !== undefined) {
    plan.store = method === 'POST' && options.rules.storesPost && context.url !== undefined;
    return plan;
  }
  if (headers['cache-control'] === undefined) return plan;
  const respect = context.respectRequestCacheControl ?? options.requestControl;
  if (respect !== false) obey(plan, respect, options.onNoCache);
  return plan;
}

type MutablePlan = { -readonly [Name in keyof RequestPlan]: RequestPlan[Name] };

function bypassReason(method: string, headers: FieldMap): BypassReason | undefined {
  if (method !== 'GET' && method !== 'HEAD') return 'method';
  if (headers['transfer-encoding'] !== undefined) return 'request-body';
  const length = headers['content-length'];
  if (length !== undefined && String(length) !== '0') return 'request-body';
  if (headers['if-match'] !== undefined || headers['if-unmodified-since'] !== undefined) {
    return 'precondition';
  }
  return undefined;
}

/** The bits that a record must have to be shared with the sender of these fields. */
function consentNeeded(headers: FieldMap, { keyedBy }: RequestContext): number {
  if (keyedBy === 'identity') return 0;
  let flags = headers['authorization'] === undefined ? 0 : StoredFlag.forAuthorization;
  if (headers['cookie'] !== undefined) flags |= StoredFlag.forCookie;
  return flags;
}

/** The client's `Cache-Control`. A fault in it takes nothing away from what could be read. */
function obey(plan: MutablePlan, respect: RequestControl, onNoCache: 'bypass' | 'refresh'): void {
  const control = parseCacheControl(fieldText(plan.headers, 'cache-control') ?? '');
  if (control.noStore) pass(plan, 'request-no-store');
  else if (control.noCache && !plan.reload) {
    if (onNoCache === 'bypass') pass(plan, 'request-no-cache');
    plan.reload = true;
  }
  if (respect === 'reload') return;
  plan.onlyIfCached = control.onlyIfCached;
  // A value that is no number asks for something that cannot be known: for the most careful reading.
  if (control.maxAge !== undefined) plan.maxAgeMs = Math.max(0, control.maxAge * 1000);
  if (control.minFresh !== undefined) plan.minFreshMs = Math.max(0, control.minFresh * 1000);
  if (control.maxStale !== undefined) plan.maxStaleMs = Math.max(0, control.maxStale * 1000);
}

function pass(plan: MutablePlan, reason: BypassReason): void {
  plan.bypass = reason;
  plan.lookup = false;
  plan.store = false;
}
