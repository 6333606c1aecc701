import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect } from 'chai';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import {
  CacheConfigurationError,
  CacheManager,
  InvalidOptionError,
  MemoryBackend,
  configureCaching,
  resetCaching,
} from 'cachewell';
import { container } from 'tsyringe';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { bearerAuth } from '#internal/express/admin/bearer-auth.js';
import { getCacheService } from '#internal/express/get-cache-service.js';
import { httpCache } from '#internal/express/http-cache.js';
import { setupCache, type CacheSetup } from '#internal/express/setup-cache.js';
import type { SetupCacheOptions } from '#internal/express/setup-cache-options.js';
import { listening, type Listening } from '../../support/http-listener.js';
import { packageRoot } from '../../support/package-root.js';
import { until } from '../../support/until.js';

const TOKEN = 'a-token-of-some-length-for-the-spec';

interface Subject extends AsyncDisposable {
  readonly app: Express;
  readonly setup: CacheSetup;
  readonly server: Listening;
  /** How often the handler of `/items` ran. */
  runs(): number;
  get(path: string, init?: RequestInit): Promise<Response>;
  /** `X-Cache` of the answers. */
  words(...paths: string[]): Promise<(string | null)[]>;
}

function newManager(): CacheManager {
  return new CacheManager({ backend: new MemoryBackend(), logger: silentLogger });
}

async function subject(
  options: SetupCacheOptions = {},
  more?: (app: Express) => unknown,
): Promise<Subject> {
  const app = express();
  app.set('env', 'test');
  const manager = newManager();
  const setup = setupCache(app, { manager, ...options });
  let runs = 0;
  app.get(
    '/items',
    httpCache({ manager, ttl: '1m' }),
    (_req, res) => void res.json({ runs: ++runs }),
  );
  app.post('/items', (_req, res) => void res.sendStatus(201));
  app.get('/own', (_req, res) => void res.set('Cache-Control', 'max-age=60').send('own'));
  app.get('/plain', (_req, res) => void res.send('plain'));
  more?.(app);
  const server = await listening(app);
  const get = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(server.origin + path, init);
  return {
    app,
    setup,
    server,
    runs: () => runs,
    get,
    words: async (...paths) => {
      const words: (string | null)[] = [];
      for (const path of paths) words.push((await get(path)).headers.get('x-cache'));
      return words;
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await setup.close();
    },
  };
}

/** Whether somebody listens. */
function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

describe('setupCache', () => {
  it("works again for another application on the container's manager, with limits that count on", async () => {
    configureCaching(container, { logger: silentLogger });
    try {
      const statuses: number[] = [];
      for (let index = 0; index < 2; index++) {
        const app = express();
        app.set('env', 'test');
        setupCache(app, { rateLimit: '2/minute' });
        app.get('/', (_req, res) => void res.end());
        await using server = await listening(app);
        for (let each = 0; each < 2; each++) statuses.push((await fetch(server.origin)).status);
      }
      expect(statuses).to.deep.equal([200, 200, 429, 429]);
    } finally {
      container.reset();
      await resetCaching();
    }
  });

  it('caches marked routes and responses that say so themselves, and nothing else', async () => {
    await using s = await subject();
    expect(await s.words('/items', '/items', '/own', '/own')).to.deep.equal([
      'MISS',
      'HIT',
      'MISS',
      'HIT',
    ]);
    expect(await s.words('/plain', '/plain')).not.to.include('HIT');
  });

  it('makes the next read fresh after a write', async () => {
    await using s = await subject();
    await s.words('/items', '/items');
    await s.get('/items', { method: 'POST' });
    expect(await (await s.get('/items')).json()).to.deep.equal({ runs: 2 });
  });

  it('counts hits, whose fields are not those of the first answer, but no health checks', async () => {
    await using s = await subject({ rateLimit: '3/minute' });
    const left: (string | undefined)[] = [];
    for (let index = 0; index < 3; index++) {
      const { headers } = await s.get('/items');
      left.push(/r=\d/.exec(headers.get('ratelimit')!)?.[0]);
    }
    expect(left).to.deep.equal(['r=2', 'r=1', 'r=0']);
    expect(s.runs()).to.equal(1);
    const refused = await s.get('/items');
    expect(refused.status).to.equal(429);
    expect(refused.headers.has('retry-after')).to.equal(true);
    expect(await refused.json()).to.have.nested.property('error.code', 'ERR_CACHE_RATE_LIMIT');
    for (let index = 0; index < 5; index++) {
      expect((await s.get('/health/cache')).status).to.equal(200);
    }
  });

  it('takes the limit with its options', async () => {
    await using s = await subject({ rateLimit: { rate: '1/minute', skip: () => true } });
    await s.words('/items', '/items');
    expect((await s.get('/items')).status).to.equal(200);
  });

  it("leaves errors to the application's own handlers, and answers what they pass on", async () => {
    const seen: unknown[] = [];
    const onError: ErrorRequestHandler = (error, _req, _res, next) => {
      seen.push((error as { code: string }).code);
      next(error);
    };
    await using s = await subject({ rateLimit: '1/minute' }, (app) => app.use(onError));
    await s.get('/plain');
    const body: unknown = await (await s.get('/plain')).json();
    expect(body).to.have.nested.property('error.name', 'RateLimitError');
    expect(seen).to.deep.equal(['ERR_CACHE_RATE_LIMIT']);
  });

  it('guards the admin API, which is never cached, and counts its requests', async () => {
    await using s = await subject({ admin: { auth: bearerAuth(TOKEN) }, rateLimit: '3/minute' });
    expect((await s.get('/api/cache/stats')).status).to.equal(401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const stats = await s.get('/api/cache/stats', { headers });
    expect(stats.status).to.equal(200);
    expect(stats.headers.get('cache-control')).to.include('no-store');
    expect(stats.headers.get('ratelimit')).to.include('r=1');
  });

  it('leaves out what is switched off', async () => {
    await using s = await subject({
      http: false,
      invalidation: false,
      health: false,
      errors: false,
    });
    expect(await s.words('/own', '/items', '/items')).to.deep.equal([null, 'MISS', 'HIT']);
    await s.get('/items', { method: 'POST' });
    expect(await s.words('/items')).to.deep.equal(['HIT']);
    expect((await s.get('/health/cache')).status).to.equal(404);
    expect((await s.get('/api/cache/stats')).status).to.equal(404);
  });

  it('hands options to the parts', async () => {
    await using s = await subject({
      http: { ttl: '1m' },
      invalidation: { tags: ['all'] },
      health: { path: '/ready', exposeDetails: true },
    });
    expect(await s.words('/plain', '/plain')).to.deep.equal(['MISS', 'HIT']);
    await s.setup.manager.cache('x').set('a', 1, { tags: ['all'] });
    await s.get('/items', { method: 'POST' });
    expect(await s.setup.manager.cache('x').get('a')).to.equal(undefined);
    expect(await (await s.get('/ready')).text()).to.include('memory');
  });

  it('gives its manager to the application', async () => {
    await using s = await subject();
    expect(s.app.locals['cache']).to.equal(s.setup.manager);
    const other = express();
    await using byDefault = setupCache(other);
    expect(other.locals['cache']).to.equal(byDefault.manager);
  });

  it('gives its manager to routes, those of applications that are mounted in it included', async () => {
    const found: CacheManager[] = [];
    const note: RequestHandler = (req, res) => {
      found.push(getCacheService(req));
      res.end();
    };
    await using s = await subject({}, (app) =>
      app.post('/warm', note).use('/sub', express().post('/warm', note)),
    );
    await s.get('/warm', { method: 'POST' });
    await s.get('/sub/warm', { method: 'POST' });
    expect(found.map((manager) => manager === s.setup.manager)).to.deep.equal([true, true]);
    const bare = { app: express() };
    expect(() => getCacheService(bare)).to.throw(CacheConfigurationError, /setupCache/);
  });

  describe('refuses', () => {
    it('an application that has routes, routers or applications already', () => {
      const late: readonly (readonly [message: string, add: (app: Express) => unknown])[] = [
        ['/items', (app) => app.get('/items', () => undefined)],
        ['a router', (app) => app.use(express.Router().get('/a', () => undefined))],
        ['a router', (app) => app.use('/sub', express())],
      ];
      for (const [message, add] of late) {
        const app = express();
        add(app);
        const options = { manager: newManager() };
        expect(() => setupCache(app, options)).to.throw(CacheConfigurationError, message);
      }
    });

    it('none that has only middlewares', () => {
      const app = express();
      app.use(express.json(), (_req, _res, next) => next());
      expect(() => setupCache(app, { manager: newManager() })).not.to.throw();
    });

    it('an admin API without auth, and leaves the application as it was', () => {
      const app = express();
      const options = { manager: newManager(), admin: {} };
      expect(() => setupCache(app, options)).to.throw(CacheConfigurationError);
      expect((app.router as unknown as { stack: unknown[] }).stack).to.have.length(0);
      expect(app.locals['cache']).to.equal(undefined);
    });

    const wrong: readonly (readonly [options: object, option: string])[] = [
      [{ htpp: {} }, 'setupCache.htpp'],
      [{ http: true }, 'setupCache.http'],
      [{ http: { tll: 1 } }, 'httpCache.tll'],
      [{ invalidation: { scope: 'x' } }, 'httpInvalidation.scope'],
      [{ invalidation: { manager: undefined } }, 'setupCache.invalidation.manager'],
      [{ health: { path: 'ready' } }, 'setupCache.health.path'],
      [{ rateLimit: '100' }, 'rateLimit'],
      [{ signals: 'SIGTERM' }, 'setupCache.signals'],
      [{ closeTimeout: '5x' }, 'setupCache.closeTimeout'],
    ];
    for (const [options, option] of wrong) {
      it(JSON.stringify(options), () => {
        expect(() => setupCache(express(), { manager: newManager(), ...options }))
          .to.throw(InvalidOptionError)
          .with.property('option', option);
      });
    }
  });

  describe('#close', () => {
    it('lets requests under way end, then closes the manager, once', async () => {
      let answer: (() => void) | undefined;
      await using s = await subject({}, (app) =>
        app.get('/slow', (_req, res) => void (answer = () => void res.send('done'))),
      );
      s.setup.attach(s.server.server);
      const slow = s.get('/slow').then((response) => response.text());
      await until('the handler runs', () => answer !== undefined);
      const closing = s.setup.close();
      expect(s.setup.close()).to.equal(closing);
      expect(s.setup.manager.isClosed).to.equal(false);
      expect(s.server.server.listening).to.equal(false);
      answer!();
      expect(await slow).to.equal('done');
      await closing;
      expect(s.setup.manager.isClosed).to.equal(true);
    });

    it('cuts what takes longer than closeTimeout', async () => {
      await using s = await subject({ closeTimeout: 50 }, (app) =>
        app.get('/never', () => undefined),
      );
      s.setup.attach(s.server.server);
      const never = s.get('/never').catch(() => 'cut');
      await once(s.server.server, 'request');
      await s.setup.close();
      expect(await never).to.equal('cut');
      expect(s.setup.manager.isClosed).to.equal(true);
    });

    it('ends the streams of dashboards, which never end by themselves', async () => {
      await using s = await subject({ admin: { auth: bearerAuth(TOKEN) }, closeTimeout: Infinity });
      s.setup.attach(s.server.server);
      const headers = { authorization: `Bearer ${TOKEN}` };
      const events = await s.get('/api/cache/events', { headers });
      expect(events.headers.get('content-type')).to.include('text/event-stream');
      await s.setup.close();
      expect(await events.text()).to.include('data:');
    });

    it('follows a server that is closed in another way', async () => {
      await using s = await subject();
      s.setup.attach(s.server.server);
      s.server.server.close();
      s.server.server.closeAllConnections();
      await until('the manager is closed', () => s.setup.manager.isClosed);
    });

    it('is called by a signal, which then ends the process as usual', async () => {
      const program = `
        import express from 'express';
        import 'cachewell';
        import { setupCache } from 'cachewell/express';
        const app = express();
        const setup = setupCache(app, { signals: ['SIGTERM'] });
        app.get('/', (_req, res) => {
          process.once('SIGUSR2', () => res.send('done'));
          process.send('asked');
        });
        const server = app.listen(0, '127.0.0.1', () => process.send(server.address().port));
        setup.attach(server);
        server.once('close', () => process.send('closed'));
      `;
      const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
        cwd: packageRoot,
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      const [port] = (await once(child, 'message')) as [number];
      const answer = fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
      await once(child, 'message');
      const exit = once(child, 'exit');
      child.kill('SIGTERM');
      // No new connections are taken from now on, which the signal has to have brought about.
      await until('the server is closing', async () => !(await accepts(port)));
      child.kill('SIGUSR2');
      expect(await answer).to.equal('done');
      expect((await exit)[1]).to.equal('SIGTERM');
    });
  });
});
