/** `cachewell/express`: an HTTP cache for Express applications. */
export { httpCache } from './http-cache.js';
export type { HttpCacheOptions, VaryAttribute, VaryBy, VaryValue } from './http-cache-options.js';
export type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
