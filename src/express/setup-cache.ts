import type { Server } from 'node:http';
import { toMilliseconds } from '../duration.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { locateManager } from '../manager/manager-locator.js';
import type { CacheAdminHandler } from './admin/admin-handler.js';
import { cacheAdmin } from './admin/cache-admin.js';
import { cacheErrorHandler, type HttpErrorMiddleware } from './error-handler.js';
import { cacheHealth } from './health.js';
import { httpCache } from './http-cache.js';
import { httpInvalidation } from './http-invalidation.js';
import type { HttpMiddleware } from './http-middleware.js';
import { rateLimit } from './rate-limit.js';
import type { Rate } from './rate-limit-options.js';
import { GracefulClose } from './setup-cache-close.js';
import {
  checkSetupCacheOptions,
  DEFAULT_ADMIN_PATH,
  DEFAULT_HEALTH_PATH,
  DEFAULT_SETUP_CLOSE_TIMEOUT,
  expectNoRoutes,
  type ApplicationLike,
  type SetupCacheOptions,
} from './setup-cache-options.js';

/** What `setupCache` gives. */
export interface CacheSetup extends AsyncDisposable {
  /** The manager of all parts; also in `app.locals.cache`, where `getCacheService` finds it. */
  readonly manager: CacheManager;
  /**
   * Makes `close` end this server first: it takes no new connections, requests under way are answered. When the server is
   * closed in another way, the manager is closed behind it.
   */
  attach(server: Server): void;
  /**
   * Ends the servers, then the streams of dashboards, then the manager; requests under way have `closeTimeout`. Calling it
   * again gives the same promise.
   */
  close(): Promise<void>;
}

/** `use`, as far as it is called here. */
interface Mounts {
  use(handler: HttpMiddleware | HttpErrorMiddleware): unknown;
  use(path: string, handler: HttpMiddleware): unknown;
}

/**
 * Gives an Express application all of its caching in one call, in the order in which it works: health check, limit,
 * admin API, invalidation by writes, cache. Errors of this library that no error handler of the application answers become
 * JSON.
 *
 * Stands before the routes, and behind what is to run for cached answers as well, such as `helmet`, `cors` or sessions.
 *
 * @throws {@link CacheConfigurationError} when the application has routes already, or an admin API without `auth`
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 *
 * @example
 * ```ts
 * import { CacheManager } from 'cachewell';
 * import { httpCache, setupCache } from 'cachewell/express';
 * import express from 'express';
 *
 * const app = express();
 * const manager = new CacheManager();
 * const cache = setupCache(app, { manager, rateLimit: '100/minute', signals: ['SIGTERM'] });
 * app.get('/items', httpCache({ manager, ttl: '1m' }), (_req, res) => void res.json([]));
 * cache.attach(app.listen(3000));
 * ```
 */
export function setupCache(app: ApplicationLike, options: SetupCacheOptions = {}): CacheSetup {
  checkSetupCacheOptions(options);
  expectNoRoutes(app);
  const manager = locateManager(undefined, options.manager);
  const timeoutMs = toMilliseconds(
    options.closeTimeout ?? DEFAULT_SETUP_CLOSE_TIMEOUT,
    'setupCache.closeTimeout',
  );
  const mounts = app as unknown as Mounts;
  const { errors = {}, health = {}, http = {}, invalidation = {} } = options;

  // Everything is made before anything is mounted: a wrong option leaves the application as it was.
  const parts: [path: string | undefined, handler: HttpMiddleware][] = [];
  if (errors !== false) parts.push([undefined, errorsLast(mounts, cacheErrorHandler(errors))]);
  if (health !== false) {
    const { path = DEFAULT_HEALTH_PATH, ...others } = health;
    parts.push([path, cacheHealth({ ...others, manager })]);
  }
  if (options.rateLimit !== undefined && options.rateLimit !== false) {
    parts.push([undefined, limiter(options.rateLimit, manager)]);
  }
  const admin = adminOf(options, manager);
  if (admin !== undefined) parts.push([undefined, admin]);
  if (invalidation !== false)
    parts.push([undefined, httpInvalidation({ ...invalidation, manager })]);
  if (http !== false) parts.push([undefined, httpCache({ ...http, manager })]);

  for (const [path, handler] of parts) {
    if (path === undefined) mounts.use(handler);
    else mounts.use(path, handler);
  }
  app.locals['cache'] = manager;
  const closing = new GracefulClose(manager, timeoutMs, () => admin?.close());
  if (options.server !== undefined) closing.attach(options.server);
  closing.listen(options.signals ?? []);
  return {
    manager,
    attach: (server) => closing.attach(server),
    close: () => closing.close(),
    [Symbol.asyncDispose]: () => closing.close(),
  };
}

function limiter(given: Rate | { readonly rate: Rate }, manager: CacheManager): HttpMiddleware {
  if (typeof given === 'string') return rateLimit(given, { manager });
  const { rate, ...options } = given;
  return rateLimit(rate, { ...options, manager });
}

function adminOf(
  { admin }: SetupCacheOptions,
  manager: CacheManager,
): CacheAdminHandler | undefined {
  if (admin === undefined || admin === false) return undefined;
  return cacheAdmin({ basePath: DEFAULT_ADMIN_PATH, ...admin, manager });
}

/** Error handlers work behind all routes, which are there when the first request comes. */
function errorsLast(mounts: Mounts, handler: HttpErrorMiddleware): HttpMiddleware {
  let isMounted = false;
  return (_req, _res, next) => {
    if (!isMounted) {
      isMounted = true;
      mounts.use(handler);
    }
    next();
  };
}
