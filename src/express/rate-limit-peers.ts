import { loadPeer } from '../load-peer.js';
import type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';

/** How many requests of a client were counted, and until when. */
export interface RateLimitCount {
  readonly totalHits: number;
  readonly resetTime: Date | undefined;
}

/** The part of express-rate-limit's `Store` that is used. */
export interface RateLimitStoreLike {
  init?(options: { readonly windowMs: number }): unknown;
  get?(key: string): Promise<RateLimitCount | undefined> | RateLimitCount | undefined;
  increment(key: string): Promise<RateLimitCount> | RateLimitCount;
  decrement(key: string): Promise<void> | void;
  resetKey(key: string): Promise<void> | void;
}

/** The part of express-rate-limit that is used. */
export interface ExpressRateLimitLike {
  rateLimit(options: {
    readonly windowMs: number;
    readonly limit: number;
    readonly standardHeaders: string | false;
    readonly legacyHeaders: false;
    readonly identifier: string;
    readonly passOnStoreError: boolean;
    readonly store: RateLimitStoreLike;
    readonly validate: { readonly [check: string]: boolean };
    readonly logger: {
      error(error: unknown, message?: string): void;
      warn(error: unknown, message?: string): void;
    };
    readonly keyGenerator?: (req: HttpRequest, res: HttpResponse) => string;
    skip(req: HttpRequest, res: HttpResponse): boolean;
    handler(req: HttpRequest, res: HttpResponse, next: NextFunction): void;
  }): HttpMiddleware;
  ipKeyGenerator(ip: string): string;
  readonly MemoryStore: new () => RateLimitStoreLike;
}

/** The part of rate-limit-redis that is used. */
export interface RateLimitRedisLike {
  readonly RedisStore: new (options: {
    readonly prefix: string;
    sendCommand(...command: string[]): Promise<unknown>;
  }) => RateLimitStoreLike;
}

/** @throws {@link MissingPeerError} when express-rate-limit is not installed */
export function loadExpressRateLimit(): ExpressRateLimitLike {
  return loadPeer('rateLimit', 'express-rate-limit', '^8.6.0') as ExpressRateLimitLike;
}

/** @throws {@link MissingPeerError} when rate-limit-redis is not installed */
export function loadRateLimitRedis(): RateLimitRedisLike {
  return loadPeer(
    'rateLimit on a Redis backend',
    'rate-limit-redis',
    '^5.0.0 || ^6.0.0',
  ) as RateLimitRedisLike;
}
