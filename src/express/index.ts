/** `cachewell/express`: HTTP caching for Express applications, on the same caches as the methods. */

// Administration
export { cacheAdmin } from './admin/cache-admin.js';
export type { AdminAuthHandler, CacheAdminHandler } from './admin/admin-handler.js';
export type { CacheAdminOptions } from './admin/admin-options.js';
export { bearerAuth, type BearerAuthOptions } from './admin/bearer-auth.js';
export { cacheErrorHandler } from './error-handler.js';
export type { CacheErrorHandlerOptions, HttpErrorMiddleware } from './error-handler.js';
export { cacheHealth, type CacheHealthOptions } from './health.js';
export type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
