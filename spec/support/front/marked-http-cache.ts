import { httpCache as plain } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import type { HttpMiddleware } from '#internal/express/http-middleware.js';

/** `httpCache` that is marked `front` wherever it can be, for specs that know nothing of a fast lane. */
export function httpCache(options?: HttpCacheOptions): HttpMiddleware {
  return plain(isFrontable(options) ? { ...options, front: true } : options);
}

function isFrontable(options: HttpCacheOptions | undefined): boolean {
  if (options === undefined) return true;
  if (typeof options !== 'object' || options === null) return false;
  const { key, condition, refreshWhen, varyBy, manager, front } = options;
  const needed = [key, condition, refreshWhen, varyBy, front];
  return needed.every((each) => each === undefined) && typeof manager !== 'function';
}
