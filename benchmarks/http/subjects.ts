import type { RequestListener, ServerResponse } from 'node:http';
import apicache from 'apicache';
import { CacheManager } from 'cachewell';
import { accelerate, httpCache, rateLimit, type HttpCacheOptions } from 'cachewell/express';
import express, { type Express, type RequestHandler } from 'express';

/** What is asked, and what a right answer has. */
export interface HttpSubject {
  /** What answers. Called in a process of its own. */
  readonly listener: () => RequestListener;
  readonly method?: 'GET' | 'HEAD';
  readonly headers?: Readonly<Record<string, string>>;
  /** Whether each request asks for another URL. */
  readonly isUnique?: boolean;
  /** @defaultValue 200 */
  readonly status?: number;
  /** What `X-Cache` says once the subject is warm. */
  readonly cache?: 'HIT' | 'MISS' | 'SKIP';
  /** Whether the answer has not passed Express, once the subject is warm. */
  readonly isFront?: boolean;
  /** A field that every answer has, in lower case: what shows that the limiter has counted it. */
  readonly field?: string;
}

/** About 1 kB of JSON, as an API gives it. */
const ITEMS = Array.from({ length: 9 }, (_, id) => ({
  id,
  name: `Item number ${id}`,
  price: id * 100 + 99,
  tags: ['alpha', 'beta', 'gamma'],
  isAvailable: id % 2 === 0,
}));
const BODY = Buffer.from(JSON.stringify(ITEMS));
const HEAD = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': BODY.length };

const json: RequestHandler = (_req, res) => void res.json(ITEMS);
const uncacheable: RequestHandler = (_req, res) =>
  void res.set('Cache-Control', 'no-store').json(ITEMS);

function constant(_req: unknown, res: ServerResponse): void {
  res.writeHead(200, HEAD);
  res.end(BODY);
}

function application(...handlers: readonly RequestHandler[]): Express {
  const app = express();
  app.get('/items', ...handlers);
  return app;
}

function cached(options: HttpCacheOptions = {}): RequestHandler {
  // Bounded, so that unique URLs measure what a full cache does.
  const manager = new CacheManager();
  return httpCache({ manager, ttl: '1h', ...options }) as RequestHandler;
}

/** A limiter that counts every request and refuses none, and the cache behind it, over one manager. */
function limited(options: HttpCacheOptions = {}): readonly RequestHandler[] {
  const manager = new CacheManager();
  const limiter = rateLimit('999999999/day', { manager }) as RequestHandler;
  return [limiter, cached({ manager, ...options })];
}

function front(): RequestListener {
  return accelerate(application(cached({ front: true }), json));
}

function limitedFront(): RequestListener {
  return accelerate(application(...limited({ front: true }), json));
}

/** The physical limit. */
export const RAW = 'node:http, constant buffer';
/** The limit within Express. */
export const FIRST_MIDDLEWARE = 'Express, first middleware ends a constant buffer';
export const APICACHE = 'apicache, hit';
export const EXPRESS_JSON = 'Express, JSON without a cache';
export const HANDED_ON = 'accelerate, JSON without a cache';
export const EXPRESS_UNIQUE = 'Express, JSON without a cache, unique URLs';
export const EXPRESS_NO_STORE = 'Express, no-store without a cache';
export const MIDDLEWARE = 'httpCache, hit';
export const FRONT = 'accelerate, hit';
export const FRONT_NOT_MODIFIED = 'accelerate, 304';
export const FRONT_HEAD = 'accelerate, HEAD';
export const MIDDLEWARE_LIMITED = 'httpCache, hit, with rateLimit';
export const FRONT_LIMITED = 'accelerate, hit, with rateLimit';
export const MISS = 'httpCache, miss that is stored, unique URLs';
export const UNCACHEABLE = 'httpCache, response that is not stored';

/** Everything that is measured, by name. */
export const SUBJECTS: Readonly<Record<string, HttpSubject>> = {
  [RAW]: { listener: () => constant },
  [FRONT]: { listener: front, cache: 'HIT', isFront: true },
  [FRONT_NOT_MODIFIED]: {
    listener: front,
    headers: { 'if-none-match': '*' },
    status: 304,
    cache: 'HIT',
    isFront: true,
  },
  [FRONT_HEAD]: { listener: front, method: 'HEAD', cache: 'HIT', isFront: true },
  [FRONT_LIMITED]: { listener: limitedFront, cache: 'HIT', isFront: true, field: 'ratelimit' },
  [FIRST_MIDDLEWARE]: { listener: () => express().use(constant) },
  [MIDDLEWARE]: { listener: () => application(cached(), json), cache: 'HIT' },
  [MIDDLEWARE_LIMITED]: {
    listener: () => application(...limited(), json),
    cache: 'HIT',
    field: 'ratelimit',
  },
  'httpCache for the whole application, hit': {
    listener: () => express().use(cached()).get('/items', json),
    cache: 'HIT',
  },
  'httpCache, 304': {
    listener: () => application(cached(), json),
    headers: { 'if-none-match': '*' },
    status: 304,
    cache: 'HIT',
  },
  'httpCache, HEAD': { listener: () => application(cached(), json), method: 'HEAD', cache: 'HIT' },
  [APICACHE]: {
    listener: () => application(apicache.newInstance().middleware('1 hour'), json),
  },
  [EXPRESS_JSON]: { listener: () => application(json) },
  [HANDED_ON]: { listener: () => accelerate(application(json)) },
  [EXPRESS_NO_STORE]: { listener: () => application(uncacheable) },
  [UNCACHEABLE]: { listener: () => application(cached(), uncacheable), cache: 'SKIP' },
  [EXPRESS_UNIQUE]: { listener: () => application(json), isUnique: true },
  [MISS]: { listener: () => application(cached(), json), isUnique: true, cache: 'MISS' },
};
