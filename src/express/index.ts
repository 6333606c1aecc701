/** `cachewell/express`: an HTTP cache for Express applications. */
export { accelerate, type RequestListener } from './accelerate.js';
export type { AccelerateOptions } from './accelerate-options.js';
export { httpCache } from './http-cache.js';
export type { HttpCacheOptions, VaryAttribute, VaryBy, VaryValue } from './http-cache-options.js';
export type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
