import { toMilliseconds, type Duration } from '../../duration.js';
import { CacheConfigurationError, InvalidOptionError } from '../../errors.js';
import type { CacheManager } from '../../manager/cache-manager.js';
import {
  describeValue,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectOneOf,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../../options.js';
import { expectManagerOption, type ManagerOption } from '../manager-option.js';
import type { AdminAuthHandler } from './admin-handler.js';
import { isBearerAuth } from './bearer-auth.js';

/** Options of {@link cacheAdmin}. */
export interface CacheAdminOptions {
  /**
   * Lets through who may administer the cache, by `next()`, and answers everyone else: one handler, or several that all
   * have to let a request through. See {@link bearerAuth}. There is no default: without it, set-up fails.
   */
  readonly auth?: AdminAuthHandler | readonly AdminAuthHandler[] | undefined;
  /**
   * Opens everything to everyone who can reach the server, for development. Refused when `NODE_ENV` is `production`.
   * Such an admin answers only where the request names the server as `localhost` or by its address, so that no web page
   * reaches it through a name of its own (DNS rebinding).
   * @defaultValue false
   */
  readonly allowUnauthenticated?: boolean | undefined;
  /**
   * The manager, or a function that gives it at each request.
   * @defaultValue the container's
   */
  readonly manager?: CacheManager | (() => CacheManager) | undefined;
  /**
   * Where the routes lie when the handler is mounted at the root of the application, such as `/api/cache`; other paths go
   * on to the next handler. Empty: at the path that it is mounted at.
   * @defaultValue ''
   */
  readonly basePath?: string | undefined;
  /**
   * Whether `/cache/stats`, `/cache/ping`, `/cache/clear` and `/cache/reset-stats` (which changes state by `GET`) answer,
   * too, under the same `auth`, with `Deprecation` and the `Link` to what replaces them. Needs `basePath`.
   * @defaultValue false
   */
  readonly legacyRoutes?: boolean | undefined;
  /**
   * Whether `{base}/dashboard` and its stream are served: `true` = the page is behind `auth` like everything else, as
   * cookies and logins of browsers need it; `'bearer'` = the page itself, which holds no data, is open to everyone and
   * asks for a token that it sends with every request. With {@link bearerAuth} `true` means `'bearer'`.
   * @defaultValue true
   */
  readonly dashboard?: boolean | 'bearer' | undefined;
  /**
   * Whether the value of an entry can be looked at.
   * @defaultValue true
   */
  readonly showValues?: boolean | undefined;
  /**
   * How often a dashboard is told the news, from 100 ms to 15 seconds, for a picture is also the sign of life that
   * proxies wait for.
   * @defaultValue '1s'
   */
  readonly interval?: Duration | undefined;
  /**
   * How many dashboards may watch at a time; more are refused with 503.
   * @defaultValue 16
   */
  readonly maxWatchers?: number | undefined;
}

/** The admin's options, checked, with every default in place. */
export interface ResolvedAdminOptions {
  readonly auth: readonly AdminAuthHandler[];
  readonly isOpen: boolean;
  readonly manager: ManagerOption;
  readonly basePath: string;
  readonly hasLegacyRoutes: boolean;
  readonly dashboard: 'guarded' | 'public' | 'none';
  readonly showsValues: boolean;
  readonly intervalMs: number;
  readonly maxWatchers: number;
}

/** How often a dashboard is told the news when nothing says otherwise. */
export const DEFAULT_INTERVAL: Duration = '1s';
/** How many dashboards may watch at a time when nothing says otherwise. */
export const DEFAULT_MAX_WATCHERS = 16;

const OWNER = 'cacheAdmin';
const OPTIONS: readonly (keyof CacheAdminOptions)[] = [
  'auth',
  'allowUnauthenticated',
  'manager',
  'basePath',
  'legacyRoutes',
  'dashboard',
  'showValues',
  'interval',
  'maxWatchers',
];

/**
 * Checks the admin's options and fills in the defaults.
 *
 * @throws {@link CacheConfigurationError} when nothing says who may use it
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 */
export function resolveAdminOptions(options: CacheAdminOptions): ResolvedAdminOptions {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, OPTIONS);
  const auth = handlers(options.auth);
  const isOpen = expectBoolean(
    `${OWNER}.allowUnauthenticated`,
    options.allowUnauthenticated ?? false,
  );
  expectGuard(auth, isOpen);
  const dashboard = expectOneOf(`${OWNER}.dashboard`, options.dashboard ?? true, [
    true,
    false,
    'bearer',
  ]);
  const takesToken = dashboard === 'bearer' || auth.some(isBearerAuth);
  const basePath = expectBasePath(options.basePath ?? '');
  const hasLegacyRoutes = expectBoolean(`${OWNER}.legacyRoutes`, options.legacyRoutes ?? false);
  if (hasLegacyRoutes && basePath === '') {
    throw new InvalidOptionError(
      `${OWNER}.legacyRoutes`,
      "the old paths lie beside the new ones; mount the handler at the root, and say where these lie: app.use(cacheAdmin({ basePath: '/api/cache', legacyRoutes: true, … }))",
    );
  }
  return {
    auth,
    isOpen,
    manager: expectManagerOption(OWNER, options.manager),
    basePath,
    hasLegacyRoutes,
    dashboard: dashboard === false ? 'none' : takesToken ? 'public' : 'guarded',
    showsValues: expectBoolean(`${OWNER}.showValues`, options.showValues ?? true),
    intervalMs: expectInterval(options.interval ?? DEFAULT_INTERVAL),
    maxWatchers: expectInteger(
      `${OWNER}.maxWatchers`,
      options.maxWatchers ?? DEFAULT_MAX_WATCHERS,
      1,
      1000,
    ),
  };
}

/** Closed by default: who forgets the guard is told so when the application starts, not by an incident. */
function expectGuard(auth: readonly AdminAuthHandler[], isOpen: boolean): void {
  if (auth.length > 0 && isOpen) {
    throw new InvalidOptionError(
      `${OWNER}.allowUnauthenticated`,
      "contradicts 'auth'; leave one of them out",
    );
  }
  if (auth.length > 0) return;
  if (!isOpen) {
    throw new CacheConfigurationError(
      "cacheAdmin needs 'auth', the handler that lets administrators through, such as auth: bearerAuth(process.env.CACHE_ADMIN_TOKEN). For development alone, allowUnauthenticated: true opens it to everyone.",
    );
  }
  if (process.env['NODE_ENV'] === 'production') {
    throw new CacheConfigurationError(
      "cacheAdmin refuses allowUnauthenticated: true with NODE_ENV=production, for everyone could read and clear the cache. Give it 'auth', such as bearerAuth(process.env.CACHE_ADMIN_TOKEN).",
    );
  }
}

function handlers(auth: CacheAdminOptions['auth']): readonly AdminAuthHandler[] {
  if (auth === undefined) return [];
  const list = Array.isArray(auth) ? (auth as readonly AdminAuthHandler[]) : [auth];
  for (const each of list) expectFunction(`${OWNER}.auth`, each);
  return list as readonly AdminAuthHandler[];
}

function expectBasePath(path: string): string {
  if (path === '') return path;
  expectText(`${OWNER}.basePath`, path);
  if (/^(?:\/[\w.~!$&'()+,;=@-]+)+$/.test(path)) return path;
  throw new InvalidOptionError(
    `${OWNER}.basePath`,
    `expected a path such as '/api/cache', without a slash at the end, got ${describeValue(path)}`,
  );
}

function expectInterval(interval: Duration): number {
  const ms = toMilliseconds(interval, `${OWNER}.interval`);
  if (ms >= 100 && ms <= 15_000) return ms;
  throw new InvalidOptionError(
    `${OWNER}.interval`,
    `expected from 100 ms to 15 seconds, got ${describeValue(interval)}`,
  );
}
