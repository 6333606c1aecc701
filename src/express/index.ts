/**
 * `cachewell/express`: HTTP caching for Express applications, on the same caches, tags and invalidations as the methods.
 */

// Without a manager of its own, a middleware takes that of the container, as a decorator does.
import 'reflect-metadata';
import '../injection/container-manager.js';

export { accelerate, type RequestListener } from './accelerate.js';
export type { AccelerateOptions } from './accelerate-options.js';
export { httpCache } from './http-cache.js';
export type { HttpCacheOptions, VaryAttribute, VaryBy, VaryValue } from './http-cache-options.js';
export type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';

// Invalidation by writes
export { httpInvalidation, noInvalidation } from './http-invalidation.js';
export type { HttpInvalidationOptions, ListOf } from './http-invalidation-options.js';
export { invalidationPatterns } from '../http/invalidation-patterns.js';
export { pathInvalidationTags, type InvalidationScope } from '../http/path-tags.js';

// Limits
export { rateLimit, type RateLimiter } from './rate-limit.js';
export type { Rate, RateLimitOptions, RatePeriod } from './rate-limit-options.js';
export type { RateLimitCount } from './rate-limit-peers.js';

// Administration
export { cacheAdmin } from './admin/cache-admin.js';
export type { AdminAuthHandler, CacheAdminHandler } from './admin/admin-handler.js';
export type { CacheAdminOptions } from './admin/admin-options.js';
export { bearerAuth, type BearerAuthOptions } from './admin/bearer-auth.js';
export { cacheErrorHandler } from './error-handler.js';
export type { CacheErrorHandlerOptions, HttpErrorMiddleware } from './error-handler.js';
export { cacheHealth, type CacheHealthOptions } from './health.js';

// All in one
export { getCacheService } from './get-cache-service.js';
export { setupCache, type CacheSetup } from './setup-cache.js';
export type {
  ApplicationLike,
  ApplicationRateLimit,
  SetupCacheOptions,
} from './setup-cache-options.js';
