import { type Duration, toMilliseconds } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { describeValue, expectOneOf, expectOptions, rejectUnknown } from '../options.js';
import type { CredentialFields } from './credential-fields.js';
import { MAX_DELTA_MS } from './delta-seconds.js';
import { isToken } from './field-list.js';
import {
  HTTP_PROFILES,
  type HttpProfile,
  type ProfileRules,
  type RequestControl,
} from './http-profile.js';

/** The targeted fields that are read where nothing else is said, the most specific first. */
export const DEFAULT_TARGETED_FIELDS: readonly string[] = [
  'Cachewell-Cache-Control',
  'CDN-Cache-Control',
];

/** How long a response is kept after its lifetime for the sake of its validator. */
export const DEFAULT_KEEP_FOR_VALIDATION_MS = 3_600_000;

/** About one request, and never to be stored, whatever else is said (RFC 6585 sections 3 to 6). */
export const ABOUT_ONE_REQUEST: ReadonlySet<number> = new Set([428, 429, 431, 511]);

/** Options of {@link HttpCachePolicy}. */
export interface HttpCachePolicyOptions {
  /**
   * Which rules hold: `'safe'` stores less than the RFCs allow, `'rfc9111'` is a shared cache as the RFCs describe it.
   *
   * @defaultValue `'safe'`
   */
  readonly profile?: HttpProfile | undefined;
  /**
   * The freshness lifetime of responses that name none themselves (`max-age`, `s-maxage`, `Expires`), if nothing in them forbids
   * storing. What a response says always wins. 0 is the same as absent; more than 68 years count as 68 years.
   *
   * @defaultValue none: such responses are not stored, or as the profile says
   */
  readonly ttl?: Duration | undefined;
  /**
   * How long after its lifetime a response may be served while it is refreshed, where it does not say so itself.
   *
   * @defaultValue 0
   */
  readonly staleWhileRevalidate?: Duration | undefined;
  /**
   * How long after its lifetime a response may be served in place of an error, where it does not say so itself. 0: never. A response
   * with `must-revalidate`, `proxy-revalidate`, `s-maxage` or `no-cache` is not served stale, whatever this says.
   *
   * @defaultValue `'1m'` in `safe`, `'1d'` in `rfc9111`
   */
  readonly staleIfError?: Duration | undefined;
  /**
   * Statuses that may be stored, 200 to 599 without 304, and without those about one request: 428, 429, 431 and 511 (RFC 6585). A 206 is
   * stored for the same range only.
   *
   * @defaultValue `[200]` in `safe`, every one of them in `rfc9111`
   */
  readonly statuses?: readonly number[] | undefined;
  /**
   * What of a client's `Cache-Control` is obeyed: all of it, nothing, or only `no-cache` and `no-store` (`'reload'`). Whatever is
   * obeyed lets clients reach the handler at will.
   *
   * @defaultValue `'reload'` in `safe`, `true` in `rfc9111`
   */
  readonly respectRequestCacheControl?: RequestControl | undefined;
  /**
   * What an obeyed `no-cache` does: pass the cache by, or run the handler and store its answer.
   *
   * @defaultValue `'bypass'` in `safe`, `'refresh'` in `rfc9111`
   */
  readonly onNoCache?: 'bypass' | 'refresh' | undefined;
  /**
   * Targeted fields in order of preference (RFC 9213): the first one that is there and valid replaces `Cache-Control` and
   * `Expires`. `[]` turns them off.
   *
   * @defaultValue `['Cachewell-Cache-Control', 'CDN-Cache-Control']`
   */
  readonly targetedFields?: readonly string[] | undefined;
  /**
   * How long after its lifetime a response is kept for the sake of its `ETag` or `Last-Modified`: a handler that answers
   * 304 saves its work. 0 keeps none for that.
   *
   * @defaultValue `'1h'`
   */
  readonly keepForValidation?: Duration | undefined;
  /**
   * Which request fields are credentials beside `Authorization` and `Cookie`: a list of names, or `'likely'` for those whose names
   * look like it, such as `X-API-Key`. A request with one neither reads nor fills what does not allow it: as for `Authorization`
   * (RFC 9111 section 3.5), by `public`, `s-maxage` or `must-revalidate`, or by a `Vary` that names the field.
   *
   * @defaultValue `'likely'` in `safe`, `[]` in `rfc9111`
   */
  readonly credentialHeaders?: readonly string[] | 'likely' | undefined;
}

/** {@link HttpCachePolicyOptions} with everything decided. */
export interface ResolvedPolicyOptions {
  readonly profile: HttpProfile;
  readonly rules: ProfileRules;
  readonly ttlMs: number;
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly statuses: ReadonlySet<number> | undefined;
  readonly requestControl: RequestControl;
  readonly onNoCache: 'bypass' | 'refresh';
  /** In lower case. */
  readonly targetedFields: readonly string[];
  readonly keepForValidationMs: number;
  readonly credentials: CredentialFields;
}

/** Names of the options of {@link HttpCachePolicyOptions}, for front ends that pass them on. */
export const POLICY_OPTION_NAMES: readonly (keyof HttpCachePolicyOptions)[] = [
  'profile',
  'ttl',
  'staleWhileRevalidate',
  'staleIfError',
  'statuses',
  'respectRequestCacheControl',
  'onNoCache',
  'targetedFields',
  'keepForValidation',
  'credentialHeaders',
];

/**
 * Checks and completes the options.
 *
 * @param owner - whose options they are, for messages
 * @throws {@link InvalidOptionError} for an option that does not exist or cannot have its value
 */
export function resolveHttpCachePolicyOptions(
  options: HttpCachePolicyOptions,
  owner = 'HttpCachePolicy',
): ResolvedPolicyOptions {
  expectOptions(owner, options);
  rejectUnknown(owner, options, POLICY_OPTION_NAMES);
  const profile = expectOneOf(`${owner}.profile`, options.profile ?? 'safe', ['safe', 'rfc9111']);
  const rules = HTTP_PROFILES[profile];
  const timeOf = (
    name: keyof HttpCachePolicyOptions,
    value: Duration | undefined,
    otherwise: number,
  ) =>
    value === undefined
      ? otherwise
      : Math.min(toMilliseconds(value, `${owner}.${name}`), MAX_DELTA_MS);
  return Object.freeze({
    profile,
    rules,
    ttlMs: timeOf('ttl', options.ttl, 0),
    staleWhileRevalidateMs: timeOf('staleWhileRevalidate', options.staleWhileRevalidate, 0),
    staleIfErrorMs: timeOf('staleIfError', options.staleIfError, rules.staleIfErrorMs),
    statuses: statusSet(options.statuses ?? rules.statuses, `${owner}.statuses`),
    requestControl: expectOneOf(
      `${owner}.respectRequestCacheControl`,
      options.respectRequestCacheControl ?? rules.respectRequestCacheControl,
      [true, false, 'reload'],
    ),
    onNoCache: expectOneOf(`${owner}.onNoCache`, options.onNoCache ?? rules.onNoCache, [
      'bypass',
      'refresh',
    ]),
    targetedFields: fieldNames(
      options.targetedFields ?? DEFAULT_TARGETED_FIELDS,
      `${owner}.targetedFields`,
    ),
    keepForValidationMs: timeOf(
      'keepForValidation',
      options.keepForValidation,
      DEFAULT_KEEP_FOR_VALIDATION_MS,
    ),
    credentials: credentialFields(
      options.credentialHeaders ?? rules.credentialHeaders,
      `${owner}.credentialHeaders`,
    ),
  });
}

function statusSet(value: unknown, option: string): ReadonlySet<number> | undefined {
  if (value === undefined) return undefined;
  const isSound = (each: unknown) =>
    typeof each === 'number' &&
    Number.isInteger(each) &&
    each >= 200 &&
    each <= 599 &&
    each !== 304 &&
    !ABOUT_ONE_REQUEST.has(each);
  if (Array.isArray(value) && value.every(isSound)) return new Set(value as readonly number[]);
  throw new InvalidOptionError(
    option,
    `expected a list of statuses from 200 to 599 without 304, 428, 429, 431 and 511, got ${describeList(value)}`,
  );
}

function credentialFields(value: unknown, option: string): CredentialFields {
  if (value === 'likely') return value;
  if (Array.isArray(value) && value.every((each) => typeof each === 'string' && isToken(each))) {
    return new Set((value as readonly string[]).map((each) => each.toLowerCase()));
  }
  throw new InvalidOptionError(
    option,
    `expected 'likely' or a list of field names, such as ['X-API-Key'], got ${describeList(value)}`,
  );
}

function fieldNames(value: unknown, option: string): readonly string[] {
  const isSound = (each: unknown) => typeof each === 'string' && isToken(each);
  if (Array.isArray(value) && value.every(isSound)) {
    const names = (value as readonly string[]).map((each) => each.toLowerCase());
    if (!names.includes('cache-control')) return Object.freeze(names);
  }
  throw new InvalidOptionError(
    option,
    `expected a list of field names without Cache-Control itself, such as ['CDN-Cache-Control'], got ${describeList(value)}`,
  );
}

function describeList(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(describeValue).join(', ')}]` : describeValue(value);
}
