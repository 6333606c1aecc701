import type { CacheCore } from '../cache/cache-core.js';
import type { RequestContext, RequestPlan } from '../http/cache-decision.js';
import type { ForwardReason } from '../http/cache-status.js';
import type { HttpCachePolicy } from '../http/http-cache-policy.js';
import { looksLikeFile, refusedTarget } from '../http/request-target.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';
import { hasOverride, originOf, targetOf, type RequestKeys } from './request-key.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import { attributeValues } from './vary-by.js';

/** A request that has to do with the cache. */
export interface RequestTicket {
  readonly plan: RequestPlan;
  readonly key: string;
  readonly policy: HttpCachePolicy;
}

/** A request that goes past the cache. */
export interface RefusedRequest {
  readonly fwd: ForwardReason;
  readonly reason: string;
}

const NO_CONTEXT: RequestContext = {};
const KEYED_BY_IDENTITY: RequestContext = { keyedBy: 'identity' };

/**
 * Decides whether a request has to do with the cache, and under which key. Throws what the user's functions throw.
 *
 * @param onMissing - told of an attribute that a request lacks
 */
export function openRequest(
  req: HttpRequest,
  res: HttpResponse,
  core: CacheCore,
  options: ResolvedHttpCacheOptions,
  keys: RequestKeys,
  onMissing: (attribute: string) => void,
): RequestTicket | RefusedRequest {
  const { method = 'GET', headers } = req;
  const mayStorePost = method === 'POST' && options.storesPost && isUnconditional(headers);
  if (method !== 'GET' && method !== 'HEAD' && !mayStorePost) {
    return { fwd: 'method', reason: 'method' };
  }
  if (!core.runtime.isEnabled) return refuse('disabled');
  const target = targetOf(req);
  // What a whole application is told to cache must not catch a private page under the name of a file.
  const isWide = req.route === undefined;
  const isRisky = isWide && options.hasTtl && looksLikeFile(target);
  const widePolicy = isRisky ? options.strictPolicy : options.widePolicy;
  const policy = isWide ? widePolicy : options.policy;
  const context = contextOf(req, options);
  const plan = policy.request(
    { method, headers },
    mayStorePost ? { ...context, url: originOf(req) + target } : context,
  );
  if (plan.bypass !== undefined && !mayStorePost) {
    const isRequest = plan.bypass.startsWith('request-no-');
    return { fwd: isRequest ? 'request' : 'bypass', reason: plan.bypass };
  }
  const refusal = refusedTarget(target);
  if (refusal !== undefined) return refuse(`target-${refusal}`);
  if (hasOverride(req)) return refuse('override');
  if (options.origin !== undefined && !isOfHost(originOf(req), options.origin)) {
    return refuse('other-host');
  }
  if (options.condition !== undefined && !options.condition(req, res)) return refuse('condition');
  if (options.varyBy.length === 0) return { plan, key: keys.keyOf(req, NO_ATTRIBUTES), policy };
  const attributes = attributeValues(options.varyBy, req, res);
  if (attributes.missing === undefined) {
    return { plan, key: keys.keyOf(req, attributes.values), policy };
  }
  onMissing(attributes.missing);
  return refuse('attribute');
}

const NO_ATTRIBUTES: readonly [] = [];

/** The answer to a POST under a condition, or to one of a part, says less than a GET would get. */
function isUnconditional(headers: HttpRequest['headers']): boolean {
  return CONDITIONS.every((name) => headers[name] === undefined);
}

const CONDITIONS: readonly string[] = [
  'if-match',
  'if-none-match',
  'if-modified-since',
  'if-unmodified-since',
  'if-range',
  'range',
];

function refuse(reason: string): RefusedRequest {
  return { fwd: 'bypass', reason };
}

function contextOf(
  req: HttpRequest,
  { keyedBy, obeysRequest, refreshWhen }: ResolvedHttpCacheOptions,
): RequestContext {
  let context = keyedBy === 'identity' ? KEYED_BY_IDENTITY : NO_CONTEXT;
  // Nothing but `true`: a promise, which says yes to everything, is not waited for.
  if (refreshWhen?.(req) === true) context = { ...context, reload: true };
  if (obeysRequest === undefined || req.headers['cache-control'] === undefined) return context;
  return { ...context, respectRequestCacheControl: obeysRequest(req) };
}

/** Behind a proxy that ends TLS the scheme that the application sees is not the public one. */
function isOfHost(origin: string, expected: string): boolean {
  return hostOf(origin) === hostOf(expected);
}

function hostOf(origin: string): string {
  return origin.slice(origin.indexOf('//') + 2);
}
