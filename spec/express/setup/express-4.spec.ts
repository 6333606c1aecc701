import { expect } from 'chai';
import type { Express, RequestHandler } from 'express';
import express4 from 'express4';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheConfigurationError } from '#internal/errors.js';
import {
  accelerate,
  bearerAuth,
  httpCache,
  rateLimit,
  setupCache,
} from '#internal/express/index.js';
import type { SetupCacheOptions } from '#internal/express/setup-cache-options.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { HttpServer } from '../../support/http-server.js';

const TOKEN = '0123456789abcdef0123456789abcdef';

describe('with Express 4', () => {
  let clock: ManualClock;
  let manager: CacheManager;
  let app: Express;
  let runs: number;
  let server: HttpServer | undefined;

  beforeEach(() => {
    clock = new ManualClock();
    manager = new CacheManager({ backend: new MemoryBackend(), clock, logger: silentLogger });
    app = express4();
    app.set('env', 'test');
    runs = 0;
  });

  afterEach(async () => {
    await server?.[Symbol.asyncDispose]();
    server = undefined;
    await manager.close();
  });

  const setUp = (options: Omit<SetupCacheOptions, 'manager'> = {}): void =>
    void setupCache(app, { manager, ...options });
  const cached = (options: object = {}): RequestHandler =>
    httpCache({ manager, ttl: '1m', ...options }) as RequestHandler;
  const counting: RequestHandler = (req, res) => void res.send(`${req.originalUrl} ${++runs}`);
  /** `X-Cache` and the body. */
  const ask = async (path: string, init?: Parameters<HttpServer['ask']>[1]): Promise<string> => {
    server ??= await HttpServer.start(app);
    const answer = await server.ask(path, init);
    return `${answer.headers['x-cache'] as string} ${answer.text}`;
  };

  it('is the alias of this spec', () => {
    expect(app).to.have.property('lazyrouter');
  });

  it('answers from the cache, and makes void what a write has changed', async () => {
    setUp();
    app.get('/items', cached(), counting);
    app.post('/items', (_req, res) => void res.status(201).send('made'));
    expect(await ask('/items')).to.equal('MISS /items 1');
    expect(await ask('/items')).to.equal('HIT /items 1');
    expect(await ask('/items', { method: 'POST' })).to.equal('SKIP made');
    expect(await ask('/items')).to.equal('MISS /items 2');
  });

  it('knows the whole path of a route in a router, for keys and for writes', async () => {
    setUp();
    const router = express4.Router();
    router.get('/:id', cached(), counting);
    router.put('/:id', (_req, res) => void res.send('put'));
    app.use('/items', router);
    app.use('/others', router);
    expect(await ask('/items/1')).to.equal('MISS /items/1 1');
    expect(await ask('/others/1')).to.equal('MISS /others/1 2');
    expect(await ask('/items/1?b=1&a=2')).to.equal('MISS /items/1?b=1&a=2 3');
    expect(await ask('/items/1?a=2&b=1')).to.equal('HIT /items/1?b=1&a=2 3');
    await ask('/items/1', { method: 'PUT' });
    expect(await ask('/items/1?a=2&b=1')).to.equal('MISS /items/1?a=2&b=1 4');
    expect(await ask('/others/1')).to.equal('HIT /others/1 2');
  });

  it('runs the handler once for those who come together', async () => {
    app.get('/items', cached(), (req, res, next) => {
      setImmediate(() => void counting(req, res, next));
    });
    server = await HttpServer.start(app);
    const answers = await Promise.all(Array.from({ length: 10 }, () => ask('/items')));
    expect(runs).to.equal(1);
    expect(answers.filter((each) => each === 'MISS /items 1')).to.have.length(1);
    expect(answers.filter((each) => each === 'HIT /items 1')).to.have.length(9);
  });

  it('serves what is stale in place of an error', async () => {
    app.get('/items', cached({ staleIfError: '1h' }), (req, res, next) => {
      if (runs === 0) counting(req, res, next);
      else next(new Error('the source is gone'));
    });
    await ask('/items');
    clock.advance(61_000);
    expect(await ask('/items')).to.equal('STALE /items 1');
  });

  it('leaves conditional requests and parts to what is stored', async () => {
    app.get('/items', cached(), (_req, res) => void res.set('ETag', '"1"').send('0123456789'));
    await ask('/items');
    const unchanged = await server!.ask('/items', { headers: { 'if-none-match': '"1"' } });
    expect([unchanged.status, unchanged.headers['x-cache']]).to.deep.equal([304, 'HIT']);
    const part = await server!.ask('/items', { headers: { range: 'bytes=2-4' } });
    expect([part.status, part.text]).to.deep.equal([206, '234']);
  });

  it('counts hits, and refuses beyond the limit with an error that the set-up answers', async () => {
    setUp();
    app.get(
      '/items',
      rateLimit('2/minute', { manager, name: 'four' }) as RequestHandler,
      cached(),
      counting,
    );
    await ask('/items');
    expect(await ask('/items')).to.equal('HIT /items 1');
    const refused = await server!.ask('/items');
    expect(refused.status).to.equal(429);
    expect(refused.json()).to.have.nested.property('error.code', 'ERR_CACHE_RATE_LIMIT');
  });

  it('has the admin API and the health check', async () => {
    setUp({ admin: { auth: bearerAuth(TOKEN) } });
    app.get('/items', cached(), counting);
    await ask('/items');
    expect((await server!.ask('/api/cache/keys')).status).to.equal(401);
    const headers = { authorization: `Bearer ${TOKEN}` };
    const { keys } = (await server!.ask('/api/cache/keys', { headers })).json() as {
      keys: readonly object[];
    };
    expect(keys).to.have.length(1);
    expect((await server!.ask('/health/cache')).json()).to.deep.equal({ status: 'healthy' });
  });

  it('is answered in front of the application', async () => {
    let seen = 0;
    app.use((_req, _res, next) => {
      seen++;
      next();
    });
    app.get('/items', cached({ front: true }), counting);
    server = await HttpServer.start(accelerate(app));
    expect(await ask('/items')).to.equal('MISS /items 1');
    expect(await ask('/items')).to.equal('HIT /items 1');
    expect(await ask('/items')).to.equal('HIT /items 1');
    expect(seen).to.equal(1);
  });

  it('keeps hosts apart where it trusts a proxy', async () => {
    app.set('trust proxy', true);
    app.get('/items', cached(), (req, res) => void res.send(req.hostname));
    const forwarded = (host: string): { headers: Record<string, string> } => ({
      headers: { 'x-forwarded-host': host },
    });
    expect(await ask('/items', forwarded('a.example'))).to.equal('MISS a.example');
    expect(await ask('/items', forwarded('b.example'))).to.equal('MISS b.example');
    expect(await ask('/items', forwarded('a.example'))).to.equal('HIT a.example');
  });

  it('refuses to be set up behind routes, and takes middleware before it', () => {
    app.use((_req, _res, next) => next());
    setUp();
    const withRoute = express4();
    withRoute.get('/items', counting);
    expect(() => setupCache(withRoute, { manager })).to.throw(
      CacheConfigurationError,
      "the route '/items'",
    );
    const withRouter = express4();
    withRouter.use('/items', express4.Router());
    expect(() => setupCache(withRouter, { manager })).to.throw(CacheConfigurationError, 'a router');
  });
});
