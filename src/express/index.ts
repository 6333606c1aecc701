/** `cachewell/express`: HTTP caching for Express applications, on the same caches as the methods. */

export { cacheErrorHandler } from './error-handler.js';
export type { CacheErrorHandlerOptions, HttpErrorMiddleware } from './error-handler.js';
export { cacheHealth, type CacheHealthOptions } from './health.js';
export type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
