import { initialAgeMs } from './age.js';
import { isContentRange } from './byte-range.js';
import type { CacheControl } from './cache-control.js';
import { responseGroups } from './cache-groups.js';
import type { NotStoredReason, RequestPlan, StorageDecision } from './cache-decision.js';
import { MAX_DELTA_MS } from './delta-seconds.js';
import { endToEndFields } from './end-to-end-fields.js';
import { fieldText, hasField, singleValue } from './field-list.js';
import { freshnessLifetime, lastModified, type Lifetime } from './freshness-lifetime.js';
import { formatHttpDate } from './http-date.js';
import {
  type ExchangeTimes,
  type FieldMap,
  type ResponseHead,
  StoredFlag,
  type StoredHead,
} from './http-message.js';
import { ABOUT_ONE_REQUEST, type ResolvedPolicyOptions } from './policy-options.js';
import { selectingValues, selectsBy, varyNames } from './selecting-values.js';
import { effectiveControl, type EffectiveControl } from './targeted-control.js';

/** Final statuses whose rules of caching are implemented, for `must-understand` (RFC 9111 section 5.2.2.3). */
const UNDERSTOOD: ReadonlySet<number> = new Set([
  200, 203, 204, 206, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 451, 501,
]);

/** Whether and how a response is stored (RFC 9111 section 3). */
export function decideStorage(
  plan: RequestPlan,
  response: ResponseHead,
  times: ExchangeTimes,
  options: ResolvedPolicyOptions,
): StorageDecision {
  if (!plan.store) return refuse(plan.bypass ?? 'head');
  return storageOf(plan, response, times, options);
}

/** The same for a request that may store, whatever its plan says: a validation changes what is stored already. */
export function storageOf(
  plan: RequestPlan,
  response: ResponseHead,
  times: ExchangeTimes,
  options: ResolvedPolicyOptions,
): StorageDecision {
  const { status, headers } = response;
  const effective = effectiveControl(headers, options.targetedFields);
  const { control } = effective;
  const isPartial = status === 206;
  const vary = varyNames(fieldText(headers, 'vary'));
  const reason =
    statusRefusal(status, options) ??
    controlRefusal(status, effective) ??
    (options.rules.storesSetCookie || !hasField(headers, 'set-cookie')
      ? undefined
      : 'set-cookie') ??
    credentialsRefusal(plan, control, vary, options) ??
    (isPartial && !isStorablePart(plan, headers) ? 'partial' : undefined);
  if (reason !== undefined) return refuse(reason);
  if (vary === undefined) return refuse('vary-any');
  const selectors = withImplied(vary, isPartial, headers);

  const lifetime = freshnessLifetime(effective, status, headers, times.respondedAt, options);
  if (plan.method === 'POST' && !isOwnRepresentation(plan, response, lifetime)) {
    return refuse('content-location');
  }
  const flags = flagsOf(control, lifetime, headers, times.respondedAt);
  if (lifetime.by === 'none' && !isWorthStoring(effective, flags, options)) {
    return refuse('no-lifetime');
  }
  const groups = responseGroups(headers);
  if (groups === undefined) return refuse('groups');

  const windows = staleWindows(control, lifetime, flags, options);
  // Without a spread: a record of such fields is half as large, and copied faster.
  const head: StoredHead = {
    v: 1,
    status,
    headers: withDate(endToEndFields(response), headers, times.respondedAt),
    requestedAt: times.requestedAt,
    respondedAt: times.respondedAt,
    initialAgeMs: Math.min(initialAgeMs(headers, times), MAX_DELTA_MS),
    freshMs: Math.min(lifetime.ms, MAX_DELTA_MS),
    staleWhileRevalidateMs: windows.staleWhileRevalidateMs,
    staleIfErrorMs: windows.staleIfErrorMs,
    vary: selectors,
    selecting: selectingValues(selectors, plan.headers),
    flags,
  };
  const { freshForMs, keepMs } = keepTimes(head, options);
  if (keepMs > 0) return { store: true, head, freshForMs, keepMs, groups };
  return refuse(control.noCache ? 'no-cache' : 'expired');
}

function refuse(reason: NotStoredReason): StorageDecision {
  return { store: false, reason };
}

/** What selects a response though it does not say so: a part its range, and an encoded one what the client can decode. */
function withImplied(
  vary: readonly string[],
  isPartial: boolean,
  headers: FieldMap,
): readonly string[] {
  const isEncoded = hasField(headers, 'content-encoding');
  if (!isPartial && (!isEncoded || vary.includes('accept-encoding'))) return vary;
  const implied = [...(isPartial ? ['range'] : []), ...(isEncoded ? ['accept-encoding'] : [])];
  return [...new Set([...vary, ...implied])].sort();
}

function statusRefusal(status: number, options: ResolvedPolicyOptions): 'status' | undefined {
  const { statuses } = options;
  const isFinal = status >= 200 && status <= 599;
  if (!isFinal || status === 304 || ABOUT_ONE_REQUEST.has(status)) return 'status';
  return statuses === undefined || statuses.has(status) ? undefined : 'status';
}

/** What the fields about caching forbid. Fails towards not storing. */
function controlRefusal(
  status: number,
  { control, forbidden }: EffectiveControl,
): NotStoredReason | undefined {
  if (forbidden !== undefined) return forbidden;
  if (control.private || control.mentionsPrivate) return 'private';
  const mayIgnoreNoStore = control.mustUnderstand && control.noStore && !control.fault;
  if ((control.noStore || control.mentionsNoStore) && !mayIgnoreNoStore) return 'no-store';
  if (control.mustUnderstand && !UNDERSTOOD.has(status)) return 'not-understood';
  return control.fault ? 'cache-control-syntax' : undefined;
}

/**
 * RFC 9111 section 3.5 for `Authorization`; the same with a higher bar for cookies where the profile guards them, and for
 * other fields, unless the response is selected by their values.
 */
function credentialsRefusal(
  plan: RequestPlan,
  control: CacheControl,
  vary: readonly string[] | undefined,
  { rules }: ResolvedPolicyOptions,
): 'authorization' | 'cookie' | 'credentials' | undefined {
  if (plan.context.keyedBy === 'identity') return undefined;
  if (hasField(plan.headers, 'authorization') && !isForAuthorization(control)) {
    return 'authorization';
  }
  if (!isForAuthorization(control) && !selectsBy(vary, plan.credentials)) return 'credentials';
  if (!rules.guardsCredentials) return undefined;
  return hasField(plan.headers, 'cookie') && !control.public ? 'cookie' : undefined;
}

function isForAuthorization(control: CacheControl): boolean {
  return control.public || control.mustRevalidate || control.sMaxage !== undefined;
}

function isStorablePart(plan: RequestPlan, headers: FieldMap): boolean {
  const contentRange = singleValue(headers, 'content-range');
  return (
    hasField(plan.headers, 'range') && contentRange !== undefined && isContentRange(contentRange)
  );
}

/** Whether the answer to a POST says that it is what a GET would get (RFC 9110 sections 8.7 and 9.3.3). */
function isOwnRepresentation(
  plan: RequestPlan,
  { status, headers }: ResponseHead,
  lifetime: Lifetime,
): boolean {
  if (status !== 200) return false;
  const { url } = plan.context;
  const location = singleValue(headers, 'content-location');
  if (url === undefined || location === undefined || lifetime.by !== 'response') return false;
  if (!URL.canParse(location, url)) return false;
  return new URL(location, url).href === new URL(url).href;
}

function flagsOf(
  control: CacheControl,
  lifetime: Lifetime,
  headers: FieldMap,
  now: number,
): number {
  let flags = 0;
  if (control.noCache) flags |= StoredFlag.noCache;
  if (control.mustRevalidate || control.proxyRevalidate || control.sMaxage !== undefined) {
    flags |= StoredFlag.neverStale;
  }
  if (lifetime.by === 'heuristic') flags |= StoredFlag.heuristic;
  if (lifetime.by === 'route') flags |= StoredFlag.routeTtl;
  if (isForAuthorization(control)) flags |= StoredFlag.forAuthorization;
  if (control.public) flags |= StoredFlag.forCookie;
  const entityTag = singleValue(headers, 'etag');
  if ((entityTag !== undefined && entityTag !== '') || lastModified(headers, now) !== undefined) {
    flags |= StoredFlag.hasValidator;
  }
  return flags;
}

/** Without a lifetime a response can serve only to be validated: where it says so, or where the profile stores such. */
function isWorthStoring(
  { isStated, control }: EffectiveControl,
  flags: number,
  { rules }: ResolvedPolicyOptions,
): boolean {
  if ((flags & StoredFlag.hasValidator) === 0) return false;
  return rules.storesUnstated || (isStated && control.noCache);
}

function staleWindows(
  control: CacheControl,
  lifetime: Lifetime,
  flags: number,
  options: ResolvedPolicyOptions,
): Pick<StoredHead, 'staleWhileRevalidateMs' | 'staleIfErrorMs'> {
  // RFC 9111 section 4.2.4: a response that asks for validation is never served stale; and without a lifetime there is no "after".
  if ((flags & (StoredFlag.noCache | StoredFlag.neverStale)) !== 0 || lifetime.by === 'none') {
    return { staleWhileRevalidateMs: 0, staleIfErrorMs: 0 };
  }
  // What is stale from the start asks not to be kept; only its own words can give it a window.
  const isEverFresh = lifetime.ms > 0;
  return {
    staleWhileRevalidateMs: windowOf(
      control.staleWhileRevalidate,
      isEverFresh ? options.staleWhileRevalidateMs : 0,
    ),
    staleIfErrorMs: windowOf(control.staleIfError, isEverFresh ? options.staleIfErrorMs : 0),
  };
}

function windowOf(seconds: number | undefined, otherwiseMs: number): number {
  return seconds === undefined ? otherwiseMs : Math.max(0, seconds * 1000);
}

/** How long a record is fresh and worth keeping, from `respondedAt` on. */
export function keepTimes(
  head: StoredHead,
  options: ResolvedPolicyOptions,
): { readonly freshForMs: number; readonly keepMs: number } {
  const left = head.freshMs - head.initialAgeMs;
  const freshForMs = Math.max(0, left);
  const stale = Math.max(head.staleWhileRevalidateMs, head.staleIfErrorMs);
  const validated = (head.flags & StoredFlag.hasValidator) === 0 ? 0 : options.keepForValidationMs;
  // To be validated before each use: its lifetime is of no use, only its validator is.
  if ((head.flags & StoredFlag.noCache) !== 0) return { freshForMs: 0, keepMs: validated };
  return { freshForMs, keepMs: Math.max(freshForMs + validated, left + stale) };
}

/** A response without a date is dated when it was made (RFC 9110 section 6.6.1), so that hits repeat that date. */
function withDate(fields: string[], headers: FieldMap, respondedAt: number): readonly string[] {
  if (!hasField(headers, 'date')) fields.push('Date', formatHttpDate(respondedAt));
  return fields;
}
