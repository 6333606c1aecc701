import type { Server } from 'node:http';
import type { Duration } from '../duration.js';
import { CacheConfigurationError, InvalidOptionError } from '../errors.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { expectManager } from '../manager/manager-locator.js';
import { describeValue, expectOptions, rejectUnknown } from '../options.js';
import type { CacheAdminOptions } from './admin/admin-options.js';
import type { CacheErrorHandlerOptions } from './error-handler.js';
import type { CacheHealthOptions } from './health.js';
import type { HttpCacheOptions } from './http-cache-options.js';
import type { HttpInvalidationOptions } from './http-invalidation-options.js';
import type { Rate, RateLimitOptions } from './rate-limit-options.js';

/** What of an Express application is used. Those of Express 5 and 4 fit as they are. */
export interface ApplicationLike {
  readonly locals: Record<string, unknown>;
  readonly router: unknown;
  /** Of any type: Express' own is a list of overloads. */
  readonly use: unknown;
}

/** A limit for the whole application. */
export interface ApplicationRateLimit extends Omit<RateLimitOptions, 'manager'> {
  readonly rate: Rate;
}

/**
 * What `setupCache` puts in front of an application's routes. `false` leaves a part out. Each part uses the manager given
 * here.
 */
export interface SetupCacheOptions {
  /**
   * The manager of all parts. Closing the set-up closes it.
   * @defaultValue the container's, as decorators find it
   */
  readonly manager?: CacheManager | undefined;
  /**
   * The cache for the whole application. Without a `ttl` only responses are stored that say so themselves, and those of
   * routes with an `httpCache` of their own.
   * @defaultValue {}
   */
  readonly http?: Omit<HttpCacheOptions, 'manager'> | false | undefined;
  /**
   * What writes invalidate.
   * @defaultValue {}
   */
  readonly invalidation?: Omit<HttpInvalidationOptions, 'manager'> | false | undefined;
  /**
   * A limit for everything but the health check.
   * @defaultValue false
   */
  readonly rateLimit?: Rate | ApplicationRateLimit | false | undefined;
  /**
   * The admin API, at `basePath` (`/api/cache` when absent).
   * @defaultValue false
   */
  readonly admin?: Omit<CacheAdminOptions, 'manager'> | false | undefined;
  /**
   * The health check, at `path`.
   * @defaultValue { path: '/health/cache' }
   */
  readonly health?:
    (Omit<CacheHealthOptions, 'manager'> & { readonly path?: string }) | false | undefined;
  /**
   * Answers errors of this library, once no error handler of the application did.
   * @defaultValue {}
   */
  readonly errors?: CacheErrorHandlerOptions | false | undefined;
  /**
   * A server that `close` ends first; see {@link CacheSetup.attach}.
   */
  readonly server?: Server | undefined;
  /**
   * Signals that close everything, such as `['SIGTERM', 'SIGINT']`. Afterwards the process ends as it would have without.
   * @defaultValue []
   */
  readonly signals?: readonly NodeJS.Signals[] | undefined;
  /**
   * How long `close` waits for requests under way, and then for the cache.
   * @defaultValue '5s'
   */
  readonly closeTimeout?: Duration | undefined;
}

/** Where the admin API lies when nothing says otherwise. */
export const DEFAULT_ADMIN_PATH = '/api/cache';
/** Where the health check lies when nothing says otherwise. */
export const DEFAULT_HEALTH_PATH = '/health/cache';
/** How long closing waits when nothing says otherwise. */
export const DEFAULT_SETUP_CLOSE_TIMEOUT: Duration = '5s';

const OWNER = 'setupCache';
const KNOWN: readonly (keyof SetupCacheOptions)[] = [
  'manager',
  'http',
  'invalidation',
  'rateLimit',
  'admin',
  'health',
  'errors',
  'server',
  'signals',
  'closeTimeout',
];

/** @throws {@link InvalidOptionError} for what no part of it checks itself */
export function checkSetupCacheOptions(options: SetupCacheOptions): void {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, KNOWN);
  for (const part of ['http', 'invalidation', 'admin', 'health', 'errors'] as const) {
    const value = options[part];
    if (value === undefined || value === false) continue;
    expectOptions(`${OWNER}.${part}`, value);
    if ('manager' in value) {
      throw new InvalidOptionError(
        `${OWNER}.${part}.manager`,
        'all parts have the same manager; give it as the option manager of setupCache',
      );
    }
  }
  const { manager, health, signals = [] } = options;
  if (manager !== undefined) expectManager(`${OWNER}.manager`, manager);
  if (health !== undefined && health !== false) expectHealthPath(health.path);
  if (!Array.isArray(signals) || !signals.every((each) => typeof each === 'string')) {
    throw new InvalidOptionError(
      `${OWNER}.signals`,
      `expected a list of signals, got ${describeValue(signals)}`,
    );
  }
}

/**
 * Refuses an application that has routes already: requests would reach them without passing the cache.
 *
 * @throws {@link CacheConfigurationError} naming the route
 */
export function expectNoRoutes(app: ApplicationLike): void {
  for (const { route, handle } of layersOf(app)) {
    const { stack: inner, name } = (handle ?? {}) as { stack?: unknown; name?: unknown };
    // What Express wraps an application in that was mounted.
    const isRouter = inner !== undefined || name === 'mounted_app';
    if (route === undefined && !isRouter) continue;
    const what = route === undefined ? 'a router' : `the route '${String(route.path)}'`;
    throw new CacheConfigurationError(
      `setupCache has to be called before the routes are added, or they are answered without the cache: there is ${what} already.`,
    );
  }
}

function layersOf(app: ApplicationLike): readonly LayerLike[] {
  // Express 4 makes its router when it is first used, and has it under another name; to ask for this one throws there.
  const router = 'lazyrouter' in app ? (app as { readonly _router?: unknown })._router : app.router;
  return ((router ?? {}) as { readonly stack?: readonly LayerLike[] }).stack ?? [];
}

interface LayerLike {
  readonly route?: { readonly path: unknown } | undefined;
  readonly handle?: unknown;
}

function expectHealthPath(path: unknown): void {
  if (path === undefined || (typeof path === 'string' && path.startsWith('/'))) return;
  throw new InvalidOptionError(
    `${OWNER}.health.path`,
    `expected a path that begins with a slash, got ${describeValue(path)}`,
  );
}
