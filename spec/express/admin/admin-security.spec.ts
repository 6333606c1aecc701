import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheConfigurationError, InvalidOptionError } from '#internal/errors.js';
import type { CacheAdminOptions } from '#internal/express/admin/admin-options.js';
import { bearerAuth } from '#internal/express/admin/bearer-auth.js';
import { cacheAdmin } from '#internal/express/admin/cache-admin.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { HttpServer, type HttpAsk } from '../../support/http-server.js';

const ROUTES = [
  '/',
  '/keys',
  '/keys/1',
  '/keys/1?cache=a',
  '/clear',
  '/clear?cache=a',
  '/clear?pattern=*',
  '/clear?tag=t',
  '/stats',
  '/metrics',
  '/stats/reset',
  '/ping',
  '/health',
  '/info',
  '/caches',
  '/dashboard',
  '/events',
  '/nothing',
];
const METHODS = ['GET', 'HEAD', 'POST', 'DELETE', 'PUT', 'PATCH', 'OPTIONS'];
const TOKEN = 'a-token-of-administrators';

describe('security of cacheAdmin', () => {
  let manager: CacheManager;
  const passed: unknown[] = [];
  const start = (options: CacheAdminOptions): Promise<HttpServer> => {
    const app = express();
    app.use(options.basePath === undefined ? '/c' : '/', cacheAdmin({ manager, ...options }));
    app.use(((error: unknown, _req, res, _next) => {
      passed.push(error);
      res.status(500).send('the application');
    }) as express.ErrorRequestHandler);
    return HttpServer.start(app);
  };
  beforeEach(async () => {
    passed.length = 0;
    manager = new CacheManager({ backend: new MemoryBackend(), logger: silentLogger });
    await manager.cache('a').set(1, 'value', { tags: ['t'] });
    manager.core('a').counter.hits = 5;
  });
  afterEach(() => manager.close());
  const expectUntouched = async (): Promise<void> => {
    expect(manager.statistics().hits).to.equal(5);
    expect(await manager.cache('a').has(1)).to.equal(true);
  };

  describe('closed by default', () => {
    const production = process.env['NODE_ENV'];
    afterEach(() => {
      if (production === undefined) delete process.env['NODE_ENV'];
      else process.env['NODE_ENV'] = production;
    });

    it('cannot be set up without auth', () => {
      for (const options of [
        {},
        { auth: undefined },
        { auth: [] },
        { allowUnauthenticated: false },
      ]) {
        expect(() => cacheAdmin({ manager, ...options }))
          .to.throw(CacheConfigurationError, "needs 'auth'")
          .with.property('message')
          .that.contains('bearerAuth');
      }
    });

    it('cannot be opened to everyone in production', () => {
      process.env['NODE_ENV'] = 'production';
      expect(() => cacheAdmin({ manager, allowUnauthenticated: true })).to.throw(
        CacheConfigurationError,
        'NODE_ENV=production',
      );
      process.env['NODE_ENV'] = 'development';
      cacheAdmin({ manager, allowUnauthenticated: true });
    });

    it('refuses options that contradict each other or do not exist', () => {
      const auth = bearerAuth(TOKEN);
      for (const options of [
        { auth, allowUnauthenticated: true },
        { auth, legacyRoutes: true },
        { auth, basePath: 'api' },
        { auth, basePath: '/api/' },
        { auth, basePath: '/a?b' },
        { auth, interval: 99 },
        { auth, interval: '16s' },
        { auth, maxWatchers: 0 },
        { auth, dashboard: 'open' },
        { auth, showValue: false },
        { auth: 'token' },
        { auth: [auth, undefined] },
        { auth, manager: {} },
      ]) {
        expect(
          () => cacheAdmin({ manager, ...(options as CacheAdminOptions) }),
          JSON.stringify(options),
        ).to.throw(InvalidOptionError);
      }
    });

    it('answers nothing but the empty page without credentials, by any method, and changes nothing', async () => {
      for (const dashboard of [true, false] as const) {
        await using server = await start({ auth: bearerAuth(TOKEN), dashboard });
        for (const method of METHODS) {
          for (const route of ROUTES) {
            const isPage = ['/', '/dashboard'].includes(route) && dashboard;
            if (isPage && ['GET', 'HEAD', 'OPTIONS'].includes(method)) continue;
            const answer = await server.ask(`/c${route}`, { method });
            const which = `${method} ${route}`;
            expect(answer.status, which).to.equal(401);
            expect(answer.headers['www-authenticate'], which).to.equal('Bearer realm="cache"');
            expect(answer.headers['cache-control'], which).to.equal('no-store');
            expect(answer.text, which).not.to.contain('value');
          }
        }
      }
      await expectUntouched();
    });

    it('keeps the page behind auth, too, where a browser logs in by itself', async () => {
      const auth: RequestHandler = (_req, res) => void res.status(403).send('no');
      await using server = await start({ auth, basePath: '/c', legacyRoutes: true });
      const old = ['/cache/stats', '/cache/ping', '/cache/clear', '/cache/reset-stats'];
      for (const path of [...ROUTES.map((route) => `/c${route}`), ...old]) {
        for (const method of METHODS) {
          expect((await server.ask(path, { method })).status, `${method} ${path}`).to.equal(403);
        }
      }
      await expectUntouched();
    });

    it('holds no data in the empty page', async () => {
      await using server = await start({ auth: bearerAuth(TOKEN) });
      const page = await server.ask('/c/dashboard');
      expect(page.status).to.equal(200);
      expect(page.headers['cache-control']).to.equal('no-store');
      await manager.cache('another').set(2, 2);
      expect((await server.ask('/c/dashboard')).text).to.equal(page.text);
    });
  });

  describe('auth handlers', () => {
    it('have to let a request through, each of them', async () => {
      const trace: string[] = [];
      const allow =
        (name: string): RequestHandler =>
        (_req, _res, next) => {
          trace.push(name);
          next();
        };
      const deny: RequestHandler = (_req, res) => void res.status(403).send('role');
      await using open = await start({ auth: [allow('one'), allow('two')] });
      expect((await open.ask('/c/ping')).status).to.equal(200);
      expect(trace).to.deep.equal(['one', 'two']);
      await using shut = await start({ auth: [allow('one'), deny, allow('never')] });
      expect((await shut.ask('/c/stats')).status).to.equal(403);
      expect(trace).not.to.include('never');
    });

    it('that fail, reject, or say anything else than next() let nobody through', async () => {
      const boom = new Error('boom');
      const handlers: Record<string, RequestHandler> = {
        throws: () => {
          throw boom;
        },
        rejects: () => Promise.reject(boom),
        'rejects with nothing': () => Promise.reject(undefined as unknown as Error),
        'gives an error': (_req, _res, next) => next(boom),
        'leaves the route': (_req, _res, next) => next('route'),
        'leaves the router': (_req, _res, next) => next('router'),
        'answers and goes on': (_req, res, next) => {
          res.status(403).end();
          next();
        },
        'refuses and changes its mind': (_req, _res, next) => {
          next(boom);
          next();
        },
      };
      for (const [name, auth] of Object.entries(handlers)) {
        await using server = await start({ auth });
        const answer = await server.ask('/c/stats/reset', { method: 'POST' });
        expect(answer.status, name).to.be.oneOf([403, 404, 500]);
        expect((await server.ask('/c/stats')).text, name).not.to.contain('hit_rate');
      }
      await expectUntouched();
      expect(passed).to.include(boom);
    });
  });

  describe(bearerAuth.name, () => {
    const asked = async (
      auth: CacheAdminOptions['auth'],
      authorization: string | undefined,
      ask: HttpAsk = {},
      path = '/c/ping',
    ): Promise<[number, string | undefined]> => {
      await using server = await start({ auth });
      const headers = authorization === undefined ? {} : { Authorization: authorization };
      const answer = await server.ask(path, { ...ask, headers: { ...ask.headers, ...headers } });
      return [answer.status, answer.headers['www-authenticate']];
    };

    it('lets the token through, in whatever case the scheme is', async () => {
      for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer  ']) {
        expect((await asked(bearerAuth(TOKEN), `${scheme} ${TOKEN}`))[0], scheme).to.equal(200);
      }
      expect((await asked(bearerAuth(['old', TOKEN]), 'Bearer old'))[0]).to.equal(200);
    });

    it('answers 401 with a challenge to everything else', async () => {
      const plain = 'Bearer realm="cache"';
      const invalid = 'Bearer realm="cache", error="invalid_token"';
      for (const [authorization, challenge] of [
        [undefined, plain],
        ['', plain],
        ['Bearer', plain],
        ['Bearer ', plain],
        [TOKEN, plain],
        [`Basic ${TOKEN}`, plain],
        [`Bearer ${TOKEN} ${TOKEN}`, plain],
        [`Bearer ${TOKEN},`, plain],
        [`Bearer ${TOKEN}x`, invalid],
        [`Bearer ${TOKEN.slice(0, -1)}`, invalid],
        [`Bearer ${TOKEN.toUpperCase()}`, invalid],
      ] as const) {
        expect(await asked(bearerAuth(TOKEN), authorization), authorization).to.deep.equal([
          401,
          challenge,
        ]);
      }
    });

    it('lets a reader look, and answers 403 where something would change', async () => {
      const auth = bearerAuth(TOKEN, { readOnly: 'reader' });
      const reader = 'Bearer reader';
      expect((await asked(auth, reader, {}, '/c/stats'))[0]).to.equal(200);
      for (const [method, path] of [
        ['POST', '/c/clear'],
        ['DELETE', '/c/clear'],
        ['DELETE', '/c/keys/1'],
        ['POST', '/c/stats/reset'],
        ['PUT', '/c/stats'],
      ] as const) {
        expect(await asked(auth, reader, { method }, path), path).to.deep.equal([
          403,
          'Bearer realm="cache", error="insufficient_scope"',
        ]);
      }
      await using old = await start({ auth, basePath: '/c', legacyRoutes: true });
      const headers = { Authorization: reader };
      expect((await old.ask('/cache/reset-stats', { headers })).status).to.equal(403);
      await expectUntouched();
      expect(
        (await asked(auth, `Bearer ${TOKEN}`, { method: 'POST' }, '/c/stats/reset'))[0],
      ).to.equal(204);
    });

    it('refuses tokens that no header can carry, without repeating them', () => {
      for (const token of ['', 'two words', 'ünicode', 'a\nb', 17, undefined, null, ['ok', '']]) {
        expect(() => bearerAuth(token as string))
          .to.throw(InvalidOptionError)
          .with.property('message')
          .that.does.not.match(/two words|ünicode|17/);
      }
      expect(() => bearerAuth([])).to.throw(InvalidOptionError);
      expect(() => bearerAuth(TOKEN, { readonly: 'x' } as object)).to.throw(InvalidOptionError);
    });
  });

  describe('requests on behalf of other sites', () => {
    const CHANGES = [
      ['POST', '/c/clear'],
      ['DELETE', '/c/clear'],
      ['DELETE', '/c/keys/1'],
      ['POST', '/c/stats/reset'],
      ['GET', '/cache/reset-stats'],
    ] as const;
    const OTHERS: readonly Readonly<Record<string, string>>[] = [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://admin.example' },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { Origin: 'http://admin.example.evil.example' },
      { Origin: 'http://admin.example:81' },
      { Referer: 'https://evil.example/admin.example' },
    ];
    const start2 = (): Promise<HttpServer> =>
      start({ auth: (_req, _res, next) => next(), basePath: '/c', legacyRoutes: true });

    it('change nothing', async () => {
      await using server = await start2();
      for (const [method, path] of CHANGES) {
        for (const headers of OTHERS) {
          const answer = await server.ask(path, {
            method,
            headers: { Host: 'admin.example', ...headers },
          });
          expect(answer.status, `${method} ${path} ${JSON.stringify(headers)}`).to.equal(403);
        }
      }
      await expectUntouched();
    });

    it('are told apart from the own page, and from clients that are no browsers', async () => {
      await using server = await start2();
      for (const headers of [
        { 'Sec-Fetch-Site': 'same-origin' },
        { 'Sec-Fetch-Site': 'same-origin', Origin: 'https://public.example' },
        { 'Sec-Fetch-Site': 'none' },
        { Origin: 'http://admin.example' },
        { Origin: 'https://ADMIN.example' },
        { Referer: 'http://admin.example/c/dashboard' },
        {},
      ]) {
        manager.core('a').counter.hits = 5;
        const answer = await server.ask('/c/stats/reset', {
          method: 'POST',
          headers: { Host: 'admin.example', ...headers } as Record<string, string>,
        });
        expect(answer.status, JSON.stringify(headers)).to.equal(204);
        expect(manager.statistics().hits).to.equal(0);
      }
    });

    it('reach no admin that is open to everyone through a name of theirs', async () => {
      await using server = await start({ allowUnauthenticated: true });
      for (const host of [
        'evil.example',
        'localhost.evil.example',
        '1.2.3.4.evil.example',
        'a:1',
      ]) {
        for (const path of ['/c/keys', '/c/dashboard', '/c/stats/reset']) {
          const method = path.endsWith('reset') ? 'POST' : 'GET';
          const headers = { Host: host, 'Sec-Fetch-Site': 'same-origin' };
          expect((await server.ask(path, { method, headers })).status, `${host} ${path}`).to.equal(
            403,
          );
        }
      }
      for (const host of [
        'localhost',
        'localhost:3000',
        'app.localhost',
        '127.0.0.1:80',
        '[::1]:80',
      ]) {
        expect((await server.ask('/c/ping', { headers: { Host: host } })).status, host).to.equal(
          200,
        );
      }
      await expectUntouched();
    });
  });

  it('changes nothing by GET or HEAD, whatever the route', async () => {
    await using server = await start({ auth: (_req, _res, next) => next() });
    for (const route of ROUTES) {
      if (route === '/events') continue;
      for (const method of ['GET', 'HEAD']) await server.ask(`/c${route}`, { method });
    }
    await expectUntouched();
  });

  it('never lets an answer be stored, framed, or read as something else', async () => {
    await using server = await start({ auth: (_req, _res, next) => next() });
    for (const route of ROUTES) {
      const ask = { method: route === '/events' ? 'HEAD' : 'GET' };
      const { headers } = await server.ask(`/c${route}`, ask);
      expect(headers['cache-control'], route).to.match(/^no-store/);
      expect(headers['x-content-type-options'], route).to.equal('nosniff');
      expect(headers['x-frame-options'], route).to.equal('DENY');
      expect(headers['cross-origin-resource-policy'], route).to.equal('same-origin');
      expect(headers, route).not.to.have.property('access-control-allow-origin');
    }
  });
});
