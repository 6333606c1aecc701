import type { SyncMode } from '../cache/cache-handle.js';
import type { KeyPart } from '../cache/cache-key.js';
import { normalizeTags } from '../cache/cache-settings.js';
import { toMilliseconds } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { HttpCachePolicy } from '../http/http-cache-policy.js';
import { HTTP_PROFILES } from '../http/http-profile.js';
import { queryFilter, type QueryFilter } from '../http/query-parameters.js';
import {
  describeValue,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectOneOf,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../options.js';
import {
  DEFAULT_COLLAPSE_TIMEOUT,
  DEFAULT_HTTP_CACHE,
  DEFAULT_MAX_BUFFERED_BYTES,
  DEFAULT_MAX_RESPONSE_SIZE,
  DEFAULT_MAX_VARIANTS,
  type HttpCacheOptions,
} from './http-cache-options.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';
import { expectManagerOption, type ManagerOption } from './manager-option.js';
import { resolveVaryBy, type ResolvedAttribute } from './vary-by.js';

/** {@link HttpCacheOptions}, checked, with every default in place. */
export interface ResolvedHttpCacheOptions {
  readonly manager: ManagerOption;
  readonly cache: string;
  /** Whether responses that say nothing are stored. */
  readonly hasTtl: boolean;
  readonly tags: readonly string[] | ((req: HttpRequest, res: HttpResponse) => readonly string[]);
  readonly varyBy: readonly ResolvedAttribute[];
  readonly key: ((req: HttpRequest) => readonly KeyPart[]) | undefined;
  readonly condition: ((req: HttpRequest, res: HttpResponse) => boolean) | undefined;
  readonly maxResponseSize: number;
  readonly maxBufferedBytes: number;
  /** What the attributes of `varyBy` tell: everything that a key holds of the client. */
  readonly keyedBy: 'attribute' | 'identity' | undefined;
  /** Whether this client's `Cache-Control` is obeyed; `undefined` = as the policy says. */
  readonly obeysRequest: ((req: HttpRequest) => boolean) | undefined;
  readonly refreshWhen: ((req: HttpRequest) => boolean) | undefined;
  readonly queryFilter: QueryFilter | undefined;
  readonly origin: string | undefined;
  readonly maxVariants: number;
  /** `undefined` = as the cache says. */
  readonly sync: SyncMode | undefined;
  readonly collapseTimeoutMs: number;
  readonly replayHeaders: 'safe' | 'all' | ReadonlySet<string>;
  readonly sendCacheControl: boolean;
  /** In lower case. */
  readonly hideFields: readonly string[];
  readonly xCache: string | false;
  readonly statusHeader: string | false;
  readonly isDebug: boolean;
  readonly isFront: boolean;
  /** Whether the answer to a POST may be stored for GET. */
  readonly storesPost: boolean;
  /** The rules on a route: whatever guards it stands before it. */
  readonly policy: HttpCachePolicy;
  /** The rules for more than one route, whose guards may stand behind this cache. */
  readonly widePolicy: HttpCachePolicy;
  /** The same for responses that have to say themselves how long they are fresh. */
  readonly strictPolicy: HttpCachePolicy;
}

const OWNER = 'httpCache';

const KNOWN: readonly (keyof HttpCacheOptions)[] = [
  'manager',
  'cache',
  'ttl',
  'tags',
  'varyBy',
  'key',
  'condition',
  'maxResponseSize',
  'maxBufferedBytes',
  'statuses',
  'refreshWhen',
  'respectRequestCacheControl',
  'queryAllow',
  'queryIgnore',
  'origin',
  'maxVariants',
  'sync',
  'collapseTimeout',
  'staleWhileRevalidate',
  'staleIfError',
  'profile',
  'replayHeaders',
  'sendCacheControl',
  'hideFields',
  'xCache',
  'statusHeader',
  'debug',
  'front',
  'targetedFields',
  'keepForValidation',
  'credentialHeaders',
];

/** A field name, by RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~\w]+$/;

/**
 * Checks options and puts the defaults in.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 */
export function resolveHttpCacheOptions(options: HttpCacheOptions): ResolvedHttpCacheOptions {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, KNOWN);
  const { ttl, profile = 'safe' } = options;
  expectOneOf(`${OWNER}.profile`, profile, ['safe', 'rfc9111']);
  for (const name of ['key', 'condition', 'refreshWhen'] as const) {
    if (options[name] !== undefined) expectFunction(`${OWNER}.${name}`, options[name]);
  }
  const varyBy = resolveVaryBy(`${OWNER}.varyBy`, options.varyBy ?? []);
  if (options.front === true) expectFrontable(options, varyBy);
  return Object.freeze({
    manager: expectManagerOption(OWNER, options.manager),
    cache: expectText(`${OWNER}.cache`, options.cache ?? DEFAULT_HTTP_CACHE),
    hasTtl: ttl !== undefined && toMilliseconds(ttl, `${OWNER}.ttl`) > 0,
    tags:
      typeof options.tags === 'function'
        ? options.tags
        : normalizeTags(options.tags ?? [], `${OWNER}.tags`),
    varyBy,
    keyedBy: keyedBy(varyBy),
    key: options.key,
    condition: options.condition,
    maxResponseSize: bytes('maxResponseSize', options.maxResponseSize, DEFAULT_MAX_RESPONSE_SIZE),
    maxBufferedBytes: bytes(
      'maxBufferedBytes',
      options.maxBufferedBytes,
      DEFAULT_MAX_BUFFERED_BYTES,
    ),
    obeysRequest:
      typeof options.respectRequestCacheControl === 'function'
        ? options.respectRequestCacheControl
        : undefined,
    refreshWhen: options.refreshWhen,
    queryFilter: queryFilter({
      allow: names('queryAllow', options.queryAllow),
      ignore: names('queryIgnore', options.queryIgnore),
    }),
    origin: options.origin === undefined ? undefined : expectOrigin(options.origin),
    maxVariants: expectInteger(
      `${OWNER}.maxVariants`,
      options.maxVariants ?? DEFAULT_MAX_VARIANTS,
      0,
      256,
    ),
    sync:
      options.sync === undefined
        ? undefined
        : expectOneOf(`${OWNER}.sync`, options.sync, ['local', 'cluster', false]),
    collapseTimeoutMs: toMilliseconds(
      options.collapseTimeout ?? DEFAULT_COLLAPSE_TIMEOUT,
      `${OWNER}.collapseTimeout`,
    ),
    replayHeaders: replayed(options.replayHeaders),
    sendCacheControl: expectBoolean(`${OWNER}.sendCacheControl`, options.sendCacheControl ?? false),
    hideFields: hidden(options.hideFields),
    xCache: fieldName('xCache', options.xCache, 'X-Cache'),
    statusHeader: fieldName('statusHeader', options.statusHeader, 'Cache-Status'),
    isDebug: expectBoolean(`${OWNER}.debug`, options.debug ?? false),
    isFront: expectBoolean(`${OWNER}.front`, options.front ?? false),
    storesPost: HTTP_PROFILES[profile].storesPost,
    policy: policyOf(options, ttl, []),
    widePolicy: policyOf(options, ttl, undefined),
    strictPolicy: policyOf(options, undefined, undefined),
  });
}

function policyOf(
  options: HttpCacheOptions,
  ttl: HttpCacheOptions['ttl'],
  credentialHeaders: HttpCacheOptions['credentialHeaders'],
): HttpCachePolicy {
  const { refreshWhen } = options;
  // Where the author says who may reload, clients do not.
  const respected = options.respectRequestCacheControl ?? (refreshWhen ? false : undefined);
  return new HttpCachePolicy(
    {
      profile: options.profile,
      ttl,
      staleWhileRevalidate: options.staleWhileRevalidate,
      staleIfError: options.staleIfError,
      statuses: options.statuses,
      respectRequestCacheControl: typeof respected === 'function' ? true : respected,
      targetedFields: options.targetedFields,
      keepForValidation: options.keepForValidation,
      credentialHeaders: options.credentialHeaders ?? credentialHeaders,
    },
    OWNER,
  );
}

/** In front of the application nothing of this can be asked. */
function expectFrontable(options: HttpCacheOptions, varyBy: readonly ResolvedAttribute[]): void {
  const needed = [
    options.key !== undefined && 'key',
    options.condition !== undefined && 'condition',
    options.refreshWhen !== undefined && 'refreshWhen',
    varyBy.length > 0 && 'varyBy',
    typeof options.manager === 'function' && 'a function as manager',
  ].filter((each) => each !== false);
  if (needed.length === 0) return;
  throw new InvalidOptionError(
    `${OWNER}.front`,
    `true goes without ${needed.join(' and ')}: they need what the application makes of a request, and hits are answered before that; leave one of them away`,
  );
}

function keyedBy(varyBy: readonly ResolvedAttribute[]): ResolvedHttpCacheOptions['keyedBy'] {
  if (varyBy.length === 0) return undefined;
  return varyBy.some(({ isIdentity }) => isIdentity) ? 'identity' : 'attribute';
}

function replayed(
  given: HttpCacheOptions['replayHeaders'],
): ResolvedHttpCacheOptions['replayHeaders'] {
  const option = `${OWNER}.replayHeaders`;
  if (given === undefined) return 'safe';
  if (typeof given === 'string') return expectOneOf(option, given, ['safe', 'all']);
  const list = names('replayHeaders', given) ?? [];
  for (const name of list) expectToken(option, name);
  return new Set(list.map((name) => name.toLowerCase()));
}

/** Without these, other caches would give one client what was made for another, or for another time. */
const NEVER_HIDDEN: ReadonlySet<string> = new Set(['cache-control', 'expires', 'vary']);

function hidden(given: HttpCacheOptions['hideFields']): readonly string[] {
  const option = `${OWNER}.hideFields`;
  return (names('hideFields', given) ?? []).map((name) => {
    const lower = expectToken(option, name).toLowerCase();
    if (!NEVER_HIDDEN.has(lower)) return lower;
    throw new InvalidOptionError(
      option,
      `got ${describeValue(name)}, which tells other caches what they must not keep; leave it out, and say to this cache by 'Cachewell-Cache-Control' what is for it alone`,
    );
  });
}

function bytes(name: string, given: number | undefined, otherwise: number): number {
  return expectInteger(`${OWNER}.${name}`, given ?? otherwise, 0, Infinity);
}

function names(name: string, given: readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined) return undefined;
  const option = `${OWNER}.${name}`;
  if (!Array.isArray(given)) {
    throw new InvalidOptionError(option, `expected a list of names, got ${describeValue(given)}`);
  }
  for (const each of given) expectText(option, each);
  return [...(given as readonly string[])];
}

function fieldName(
  name: 'xCache' | 'statusHeader',
  given: string | false | undefined,
  otherwise: string,
): string | false {
  if (given === undefined || given === false) return given ?? otherwise;
  return expectToken(`${OWNER}.${name}`, given);
}

function expectToken(option: string, name: string): string {
  if (typeof name === 'string' && TOKEN.test(name)) return name;
  throw new InvalidOptionError(option, `expected the name of a field, got ${describeValue(name)}`);
}

function expectOrigin(given: string): string {
  const option = `${OWNER}.origin`;
  let origin: string | undefined;
  try {
    origin = new URL(given).origin;
  } catch {
    // Said below.
  }
  if (origin !== undefined && origin === given.toLowerCase()) return origin;
  throw new InvalidOptionError(
    option,
    `expected scheme, host and port, such as 'https://api.example.com', got ${describeValue(given)}`,
  );
}
