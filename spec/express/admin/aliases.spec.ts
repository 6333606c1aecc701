import { expect } from 'chai';
import express, { type Express } from 'express';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { BackendHealth } from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { bearerAuth } from '#internal/express/admin/bearer-auth.js';
import { cacheAdmin } from '#internal/express/admin/cache-admin.js';
import { cacheHealth } from '#internal/express/health.js';
import { setupCache } from '#internal/express/setup-cache.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { HttpServer, type HttpAnswer } from '../../support/http-server.js';

const TOKEN = 'a-token-of-administrators';
const auth = bearerAuth(TOKEN);
const authorization = `Bearer ${TOKEN}`;

interface Route {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly status: number;
  /** What the body holds; a text is part of it. */
  readonly body?: object | string;
  /** That it has worked. */
  readonly effect?: (manager: CacheManager) => Promise<boolean> | boolean;
}

const hasKey = async (manager: CacheManager): Promise<boolean> =>
  manager.cache('http').has(['GET', 'items', 'page=1']);
const isGone = async (manager: CacheManager): Promise<boolean> => !(await hasKey(manager));
const isReset = (manager: CacheManager): boolean => manager.statistics().sets === 0;

const stats = { hits: 1, misses: 1, sets: 2, total_requests: 2, hit_rate: 0.5 };
/** Each route below the base, with what it does to a cache of two entries. */
const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/keys?cache=http&count=10', status: 200, body: { cursor: 0 } },
  { method: 'GET', path: '/keys?pattern=GET:items:*', status: 200, body: 'GET:items:page=1' },
  { method: 'GET', path: '/keys/GET%3Aitems%3Apage=1?cache=http', status: 200, body: 'the items' },
  {
    method: 'DELETE',
    path: '/keys/GET%3Aitems%3Apage=1?cache=http',
    status: 200,
    body: { deleted: true },
    effect: isGone,
  },
  ...(['POST', 'DELETE'] as const).flatMap((method): Route[] => [
    { method, path: '/clear', status: 200, body: { cleared: true }, effect: isGone },
    { method, path: '/clear?cache=http', status: 200, body: { cleared: true }, effect: isGone },
    {
      method,
      path: '/clear?cache=http&pattern=GET:items:*',
      status: 200,
      body: { cleared: 1 },
      effect: isGone,
    },
    { method, path: '/clear?tag=items', status: 200, effect: isGone },
    { method, path: '/clear?pattern=GET:users:*', status: 200, effect: hasKey },
  ]),
  { method: 'GET', path: '/stats', status: 200, body: stats },
  { method: 'GET', path: '/metrics', status: 200, body: stats },
  { method: 'POST', path: '/stats/reset', status: 204, effect: isReset },
  { method: 'GET', path: '/ping', status: 200, body: { status: 'healthy' } },
  { method: 'GET', path: '/health', status: 200, body: { status: 'healthy', hit_rate: 0.5 } },
  { method: 'GET', path: '/info', status: 200, body: { caches: 1, enabled: true } },
  { method: 'GET', path: '/caches', status: 200, body: '"name":"http"' },
  { method: 'GET', path: '/dashboard', status: 200, body: '<!doctype html>' },
];
/** The old paths, counted from the root, and what took their place. */
const LEGACY: readonly (Route & { readonly successor: string })[] = [
  { method: 'GET', path: '/cache/stats', status: 200, body: stats, successor: '/stats' },
  {
    method: 'GET',
    path: '/cache/ping',
    status: 200,
    body: { status: 'healthy' },
    successor: '/ping',
  },
  ...(['POST', 'DELETE'] as const).map(
    (method) =>
      ({
        method,
        path: '/cache/clear',
        status: 200,
        body: { cleared: true },
        effect: isGone,
        successor: '/clear',
      }) as const,
  ),
  {
    method: 'GET',
    path: '/cache/reset-stats',
    status: 204,
    effect: isReset,
    successor: '/stats/reset',
  },
];

/** Where the admin API lies, and how it gets there. */
const MOUNTS: readonly (readonly [
  how: string,
  base: string,
  mount: (app: Express, manager: CacheManager) => unknown,
])[] = [
  ...['/api/cache', '/cache', '/admin/cache', '/examples/cache', '/v1/tenants/7/cache'].flatMap(
    (base): (typeof MOUNTS)[number][] => [
      [
        'mounted by the application',
        base,
        (app, manager) => app.use(base, cacheAdmin({ auth, manager })),
      ],
      [
        'by basePath',
        base,
        (app, manager) => app.use(cacheAdmin({ auth, manager, basePath: base })),
      ],
    ],
  ),
  ['by setupCache', '/api/cache', (app, manager) => setupCache(app, { manager, admin: { auth } })],
  [
    'by setupCache, elsewhere',
    '/admin/cache',
    (app, manager) => setupCache(app, { manager, admin: { auth, basePath: '/admin/cache' } }),
  ],
];

describe('the paths of the admin API', () => {
  let backend: FaultyBackend;
  let manager: CacheManager;
  let server: HttpServer;

  beforeEach(async () => {
    backend = new FaultyBackend(new MemoryBackend());
    manager = new CacheManager({ backend, logger: silentLogger });
    const cache = manager.cache('http');
    await cache.set(['GET', 'items', 'page=1'], 'the items', { tags: ['items'] });
    await cache.set('other', 'another');
    await cache.get('other');
    await cache.get('unknown');
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await manager.close();
  });

  const start = async (mount: (app: Express) => unknown): Promise<void> => {
    const app = express();
    mount(app);
    app.use((_req, res) => void res.status(404).send('the application'));
    server = await HttpServer.start(app);
  };
  const expectAnswer = async (route: Route, target: string): Promise<HttpAnswer> => {
    const { method, status, body, effect } = route;
    const before = manager.statistics();
    const refused = await server.ask(target, { method });
    // The page holds no data, and asks for the token by itself.
    expect(refused.status, 'without a token').to.equal(target.endsWith('/dashboard') ? 200 : 401);
    expect(await hasKey(manager), 'nothing has happened').to.equal(true);
    expect(manager.statistics().sets).to.equal(before.sets);
    if (body === stats) {
      // What was looked at above has counted.
      manager.resetStatistics();
      Object.assign(manager.core('http').counter, { hits: 1, misses: 1, sets: 2 });
    }
    const answer = await server.ask(target, { method, headers: { authorization } });
    expect(answer.status).to.equal(status);
    if (typeof body === 'string') expect(answer.text).to.include(body);
    else if (body !== undefined) expect(answer.json()).to.deep.include(body);
    if (effect !== undefined) expect(await effect(manager), 'the effect').to.equal(true);
    return answer;
  };

  for (const [how, base, mount] of MOUNTS) {
    describe(`${base}, ${how}`, () => {
      beforeEach(() => start((app) => mount(app, manager)));
      for (const route of ROUTES) {
        it(`${route.method} ${base}${route.path}`, async () => {
          await expectAnswer(route, base + route.path);
        });
      }
    });
  }

  for (const base of ['/api/cache', '/admin/cache']) {
    describe(`of old, beside ${base}`, () => {
      for (const route of LEGACY) {
        it(`${route.method} ${route.path}`, async () => {
          await start((app) =>
            app.use(cacheAdmin({ auth, manager, basePath: base, legacyRoutes: true })),
          );
          const { headers } = await expectAnswer(route, route.path);
          expect(headers.link).to.equal(`<${base}${route.successor}>; rel="successor-version"`);
          expect(headers['deprecation']).to.match(/^@\d+$/);
          expect(headers['cache-control']).to.include('no-store');
        });

        it(`not ${route.method} ${route.path}, where nobody asked for it`, async () => {
          await start((app) => app.use(cacheAdmin({ auth, manager, basePath: base })));
          const { method, path } = route;
          const answer = await server.ask(path, { method, headers: { authorization } });
          expect([answer.status, answer.text]).to.deep.equal([404, 'the application']);
          expect(await hasKey(manager)).to.equal(true);
        });
      }
    });
  }

  describe('for health checks', () => {
    const PATHS = ['/health/cache', '/health/redis', '/health', '/examples/cache/health'];
    const WORDS: readonly (readonly [word: string, status: number, make: () => unknown])[] = [
      ['healthy', 200, () => undefined],
      ['disabled', 200, () => (manager.enabled = false)],
      ...(['degraded', 'unhealthy', 'unavailable'] as const).map(
        (status) =>
          [
            status,
            status === 'degraded' ? 200 : 503,
            () => (backend.health = (): BackendHealth => ({ status })),
          ] as const,
      ),
    ];
    for (const path of PATHS) {
      for (const [word, status, make] of WORDS) {
        it(`GET ${path} of a cache that is ${word}`, async () => {
          await start((app) => {
            app.get(path, cacheHealth({ manager }));
            app.get(`/lenient${path}`, cacheHealth({ manager, alwaysOk: true }));
          });
          make();
          for (const [target, wanted] of [
            [path, status],
            [`/lenient${path}`, 200],
          ] as const) {
            const answer = await server.ask(target);
            expect(answer.status, target).to.equal(wanted);
            expect(answer.json(), target).to.deep.equal({ status: word });
          }
        });
      }
      it(`GET ${path}, mounted by setupCache`, async () => {
        await start((app) => setupCache(app, { manager, health: { path } }));
        expect((await server.ask(path)).json()).to.deep.equal({ status: 'healthy' });
      });
    }
  });
});
