import type { IncomingMessage, ServerResponse } from 'node:http';
import { systemClock } from '../clock.js';
import { CacheBackendError, isCacheError, RateLimitError, type CacheError } from '../errors.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { locateManager } from '../manager/manager-locator.js';
import { passLimiter, takeCount } from './front-limits.js';
import type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
import { CountingResponse, LimiterInFront } from './rate-limit-front.js';
import {
  resolveRateLimitOptions,
  type Rate,
  type RateLimitOptions,
  type ResolvedRateLimitOptions,
} from './rate-limit-options.js';
import { loadExpressRateLimit, type RateLimitCount } from './rate-limit-peers.js';
import { RateLimitStore } from './rate-limit-store.js';

/** A limiter: a middleware, and its counters. */
export interface RateLimiter extends HttpMiddleware {
  /**
   * How often a client was counted in its present window; `undefined` when not at all.
   *
   * @param client - what the option `key` gives for it; without that option its address
   */
  count(client: string): Promise<RateLimitCount | undefined>;
  /** Lets a client begin anew. */
  reset(client: string): Promise<void>;
}

/**
 * Limits how often a client may ask: `app.get('/items', rateLimit('100/minute'), httpCache({ ttl: '1m' }), handler)`.
 *
 * It has to stand before the cache, so that hits count. On a Redis backend all processes count together, on the backend's
 * connection, within its time limit, and in keys that `clear`, `clearAll` and tags do not touch; otherwise each process
 * counts for itself. A window begins with a client's first request. Responses say how much is left in `RateLimit` and
 * `RateLimit-Policy`, one beyond the limit has `Retry-After`, too.
 *
 * Hits that `accelerate` answers in front of the application count all the same, by the same limiter, once each: see the option
 * `front`.
 *
 * Works with express-rate-limit, on Redis also with rate-limit-redis.
 *
 * Limiters of one name and rate on one manager count together, which is logged once: an application that is built twice
 * finds its counters again. Those of one name and different rates are an error: at once where `manager` is one, else at the first
 * request, which fails with it.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected; also when another limiter of the
 * manager has the name with another rate
 * @throws {@link MissingPeerError} when express-rate-limit is not installed. That rate-limit-redis is missing turns out when the
 * backend is first needed: until it is there every request fails with this error, whatever `onStoreError` says
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { rateLimit } from 'cachewell/express';
 *
 * const app = express();
 * app.use('/api', rateLimit('1000/hour', { name: 'api', key: (req) => req.headers['x-api-key'] as string }));
 * ```
 */
export function rateLimit<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
>(rate: Rate, options: RateLimitOptions<Request, Response> = {}): RateLimiter {
  const resolved = resolveRateLimitOptions(rate, options);
  const peer = loadExpressRateLimit();
  const manager = (): CacheManager => locateManager(undefined, resolved.manager);
  const store = new RateLimitStore(resolved, manager);
  // A manager of the container, or of a function, may not be there before the first request.
  if (typeof resolved.manager === 'object') store.join();
  const report = (error: unknown, message?: string): void => {
    manager().runtime.reportError('rateLimit', asCacheError(error, message), undefined);
  };
  const network = (ip: string): string => peer.ipKeyGenerator(ip);
  const middleware = peer.rateLimit({
    windowMs: resolved.windowMs,
    limit: resolved.limit,
    standardHeaders: resolved.headers,
    legacyHeaders: false,
    identifier: resolved.name,
    passOnStoreError: resolved.onStoreError === 'pass',
    store,
    validate: { creationStack: false, keyGeneratorIpFallback: false },
    logger: { error: report, warn: report },
    ...(resolved.key !== undefined && { keyGenerator: clientKey(resolved.key, network) }),
    skip: (req, res) => resolved.skip?.(req, res) ?? false,
    handler: (req, res, next) => {
      if (res instanceof CountingResponse) res.refuse();
      else refuse(resolved, req, res, next);
    },
  });
  const front = new LimiterInFront(resolved.isFront, {
    middleware,
    isStoreFailure: (error) => store.hasFailedBy(error),
    refuse: (req, res, next) => refuse(resolved, req, res, next),
  });
  const limiter: HttpMiddleware = (req, res, next) => {
    try {
      // No failure of the counters, with which a request may pass.
      store.join();
    } catch (error) {
      next(error);
      return;
    }
    passLimiter(req, front);
    const count = takeCount(req, front);
    if (count === undefined) middleware(req, res, next);
    else front.answer(count, req, res, next);
  };
  const counter = resolved.key === undefined ? network : marked;
  limiters.add(limiter);
  return Object.assign(limiter, {
    count: (client: string) => store.get(counter(client)),
    reset: (client: string) => store.resetKey(counter(client)),
  });
}

/** Whether a function is a `rateLimit`. */
export function isRateLimiter(given: object): boolean {
  return limiters.has(given);
}

const limiters = new WeakSet<object>();

function clientKey(
  key: NonNullable<ResolvedRateLimitOptions['key']>,
  network: (ip: string) => string,
): (req: HttpRequest, res: HttpResponse) => string {
  return (req, res) => {
    const own = key(req, res);
    if (own !== undefined) return marked(own);
    const { ip } = req as { readonly ip?: string };
    return network(ip ?? 'unknown');
  };
}

/** Keeps a text that a client chose from being taken for an address. */
function marked(key: string): string {
  return `=${key}`;
}

function refuse(
  { name, windowMs, onLimit }: ResolvedRateLimitOptions,
  req: HttpRequest,
  res: HttpResponse,
  next: NextFunction,
): void {
  const resetTime = (req as { readonly rateLimit?: RateLimitCount }).rateLimit?.resetTime;
  const retryAfterMs = Math.max(
    0,
    resetTime === undefined ? windowMs : resetTime.getTime() - systemClock.now(),
  );
  const error = new RateLimitError(
    `Too many requests: the limit '${name}' is reached. Try again in ${Math.ceil(retryAfterMs / 1000)} s.`,
    retryAfterMs,
  );
  if (onLimit === 'next') return next(expressError(error, res));
  res.statusCode = error.httpStatus;
  res.setHeader('Content-Type', 'application/json; charset=utf-8');
  res.end(JSON.stringify({ error }));
}

/** Express' own error handler takes the status from `status`, and drops all fields but those in `headers`. */
function expressError(error: RateLimitError, res: HttpResponse): RateLimitError {
  const headers: Record<string, string> = {};
  for (const name of res.getHeaderNames()) {
    if (/^(?:ratelimit|retry-after)/.test(name)) headers[name] = String(res.getHeader(name));
  }
  return Object.assign(error, { status: error.httpStatus, headers });
}

function asCacheError(error: unknown, message: string | undefined): CacheError {
  if (isCacheError(error)) return error;
  return new CacheBackendError(message ?? String(error), { cause: error });
}
