import type { CacheManager } from '../../manager/cache-manager.js';
import { healthBody, healthExaminer, healthHttpStatus, type HealthReport } from '../health.js';
import type { HttpRequest, HttpResponse } from '../http-middleware.js';
import { ok, refusal, type AdminAnswer, type AdminCall } from './admin-answer.js';
import { clear, CLEAR_PARAMETERS } from './admin-clear.js';
import { deleteKey, listKeys, showEntry } from './admin-keys.js';
import type { ResolvedAdminOptions } from './admin-options.js';
import { cachesBody, infoBody, statisticsBody } from './admin-statistics.js';
import { sendPage } from './dashboard/dashboard-page.js';
import type { LiveFeed } from './dashboard/live-feed.js';

/** The methods that a route may have; `HEAD` is answered like `GET`. */
export type AdminMethod = 'GET' | 'POST' | 'DELETE';

/** What a route does for one method. */
export interface AdminAction {
  /** The parameters that it knows. */
  readonly parameters: readonly string[];
  readonly repeatable?: readonly string[];
  /** Whether it changes state: other sites must not be able to make a browser ask for it. */
  readonly isChange?: boolean;
  /** `undefined` when it has answered by itself. */
  run(
    call: AdminCall,
    req: HttpRequest,
    res: HttpResponse,
  ): AdminAnswer | undefined | Promise<AdminAnswer>;
}

/** What a path does, by method. */
export type AdminRoute = Readonly<Partial<Record<AdminMethod, AdminAction>>>;

/** An old path, and the one that took its place. */
export interface LegacyRoute {
  readonly route: AdminRoute;
  readonly successor: string;
}

/** Below it lie the keys, one path each. */
const KEY_PREFIX = '/keys/';

/** The routes of the admin API; paths begin at its base. */
export class AdminRoutes {
  readonly #fixed: ReadonlyMap<string, AdminRoute>;
  readonly #legacy: ReadonlyMap<string, LegacyRoute>;
  readonly #ofKey: AdminRoute;

  constructor(options: ResolvedAdminOptions, feed: LiveFeed) {
    const examine = healthExaminer({ minHitRate: 0, minRequests: 1 });
    const clearing = {
      parameters: CLEAR_PARAMETERS,
      repeatable: ['tag'],
      isChange: true,
      run: clear,
    };
    const statistics: AdminAction = {
      parameters: [],
      run: ({ manager }) => ok(statisticsBody(manager)),
    };
    const resetting: AdminAction = { parameters: [], isChange: true, run: resetStatistics };
    const ping: AdminAction = {
      parameters: [],
      run: async ({ manager }) => pong(await examine(manager)),
    };
    const routes: [path: string, route: AdminRoute][] = [
      ['/keys', { GET: { parameters: ['cursor', 'count', 'pattern', 'cache'], run: listKeys } }],
      ['/clear', { POST: clearing, DELETE: clearing }],
      ['/stats', { GET: statistics }],
      ['/metrics', { GET: statistics }],
      ['/stats/reset', { POST: resetting }],
      ['/ping', { GET: ping }],
      [
        '/health',
        { GET: { parameters: [], run: async (call) => health(await examine(call.manager)) } },
      ],
      ['/info', { GET: { parameters: [], run: async (call) => ok(await infoBody(call.manager)) } }],
      ['/caches', { GET: { parameters: [], run: (call) => ok(cachesBody(call.manager)) } }],
    ];
    const access = options.dashboard;
    if (access !== 'none') {
      routes.push(
        ['/', { GET: { parameters: [], run: (_call, req) => toDashboard(req, options.basePath) } }],
        [
          '/dashboard',
          { GET: { parameters: [], run: (_call, req, res) => sendPage(req, res, access) } },
        ],
        [
          '/events',
          { GET: { parameters: [], run: (call, req, res) => feed.watch(call.manager, req, res) } },
        ],
      );
    }
    this.#fixed = new Map(routes);
    this.#legacy = new Map<string, LegacyRoute>([
      ['/cache/stats', { route: { GET: statistics }, successor: '/stats' }],
      ['/cache/ping', { route: { GET: ping }, successor: '/ping' }],
      ['/cache/clear', { route: { POST: clearing, DELETE: clearing }, successor: '/clear' }],
      ['/cache/reset-stats', { route: { GET: resetting }, successor: '/stats/reset' }],
    ]);
    this.#ofKey = {
      GET: { parameters: ['cache'], run: (call) => showEntry(call, options.showsValues) },
      DELETE: { parameters: ['cache'], isChange: true, run: deleteKey },
    };
  }

  /** The route of a path, and the key in it, still encoded. */
  find(path: string): { readonly route: AdminRoute; readonly key: string } | undefined {
    if (path.startsWith(KEY_PREFIX) && path.length > KEY_PREFIX.length) {
      return { route: this.#ofKey, key: path.slice(KEY_PREFIX.length) };
    }
    const route = this.#fixed.get(path);
    return route === undefined ? undefined : { route, key: '' };
  }

  /** The route of an old path, counted from the root. */
  findLegacy(path: string): LegacyRoute | undefined {
    return this.#legacy.get(path);
  }
}

/** The action for a method. */
export function actionOf(route: AdminRoute, method: string | undefined): AdminAction | undefined {
  if (method === 'GET' || method === 'HEAD') return route.GET;
  return method === 'POST' || method === 'DELETE' ? route[method] : undefined;
}

/** The methods of a route, as `Allow` names them. */
export function allowedMethods(route: AdminRoute): string {
  const names = Object.keys(route);
  return [...names, ...(names.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function resetStatistics({ manager }: { readonly manager: CacheManager }): AdminAnswer {
  manager.resetStatistics();
  return { status: 204 };
}

function health(report: HealthReport): AdminAnswer {
  return { status: healthHttpStatus(report.status), body: healthBody(report, true) };
}

function pong({ status: word }: HealthReport): AdminAnswer {
  const status = healthHttpStatus(word);
  return { status, body: { status: status === 503 ? 'unhealthy' : word } };
}

function toDashboard(req: HttpRequest, basePath: string): AdminAnswer {
  const base = `${req.baseUrl ?? ''}${basePath}`;
  // Two slashes at the start would lead to another host.
  if (base.startsWith('//')) return noSuchRoute();
  return { status: 302, headers: { Location: `${base}/dashboard` } };
}

/** There is nothing at this path. */
export function noSuchRoute(): AdminAnswer {
  return refusal(404, 'ERR_ADMIN_NO_SUCH_ROUTE', 'There is no such route here.');
}
