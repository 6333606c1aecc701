import { expect } from 'chai';
import { Router, type ErrorRequestHandler, type Request, type Response } from 'express';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { CommandArea } from '#internal/cache/backend.js';
import { CacheConnectionError, InvalidOptionError } from '#internal/errors.js';
import { accelerate } from '#internal/express/accelerate.js';
import { httpCache } from '#internal/express/http-cache.js';
import { rateLimit } from '#internal/express/rate-limit.js';
import type { RateLimitOptions } from '#internal/express/rate-limit-options.js';
import { setupCache } from '#internal/express/setup-cache.js';
import { describeFrontLimits } from '../../support/front/limits-suite.js';
import { HttpFixture } from '../../support/http-fixture.js';

describeFrontLimits('memory', () => new MemoryBackend());

/** A backend whose counters are on a server whose answers a spec decides. */
class ServedBackend extends MemoryBackend {
  asked = 0;
  answer = (): Promise<unknown> => Promise.reject(new CacheConnectionError('away'));

  openArea(): CommandArea {
    return { prefix: 'p:', call: () => (this.asked++, this.answer()) };
  }
}

describe('a rateLimit behind a fast lane', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start({}, (app) => accelerate(app));
  });

  afterEach(() => http.stop());

  async function ask(path = '/', headers: Record<string, string> = {}): Promise<string> {
    const answer = await http.ask(path, { headers: { host: 'a.example', ...headers } });
    return `${answer.status} ${answer.headers['x-powered-by'] === undefined ? 'in front' : 'by Express'}`;
  }

  function limit(
    name: string,
    options: RateLimitOptions<Request, Response> = {},
  ): ReturnType<typeof rateLimit> {
    return rateLimit('2/minute', { manager: http.manager, name, ...options });
  }

  const cache = (): ReturnType<typeof httpCache> =>
    httpCache({ manager: http.manager, ttl: '1m', front: true });

  it('counts with every limiter that stands before the cache, and with none behind it', async () => {
    const [all, route, inner] = ['all', 'route', 'inner'].map((name) => limit(name));
    http.app.use(all!);
    http.app.get('/', route!, cache(), inner!, (_req, res) => void res.send('x'));
    await ask();
    const hit = await http.ask('/', { headers: { host: 'a.example' } });
    expect(hit.headers['x-powered-by']).to.equal(undefined);
    expect(hit.headers['ratelimit']).to.match(/^"all"; r=0; t=\d+, "route"; r=0; t=\d+$/);
    const counts = await Promise.all(
      [all!, route!, inner!].map(async (each) => (await each.count('127.0.0.1'))?.totalHits),
    );
    expect(counts).to.deep.equal([2, 2, 1]);
    expect(await ask()).to.equal('429 by Express');
    // The second one was not reached, in front neither.
    expect((await route!.count('127.0.0.1'))?.totalHits).to.equal(2);
  });

  it('hands on what the second limiter refuses, and neither counts it again', async () => {
    const wide = rateLimit('9/minute', { manager: http.manager });
    const tight = limit('tight');
    http.app.get('/', wide, tight, cache(), (_req, res) => void res.send('x'));
    for (const expected of ['200 by Express', '200 in front', '429 by Express']) {
      expect(await ask()).to.equal(expected);
    }
    const counts = [await wide.count('127.0.0.1'), await tight.count('127.0.0.1')];
    expect(counts.map((count) => count?.totalHits)).to.deep.equal([3, 3]);
  });

  it('shows a key function the request as it stands at the limiter', async () => {
    const seen: unknown[] = [];
    const router = Router({ mergeParams: true });
    router.use(
      limit('seen', {
        front: true,
        key: (req) => {
          const { baseUrl, path, originalUrl, params, query, method, ip, protocol } = req;
          const named = [baseUrl, path, originalUrl, { ...params }, { ...query }];
          seen.push([...named, method, ip, protocol, req.get('host'), req.accepts('html')]);
          return 'all';
        },
      }),
    );
    router.get('/list', cache(), (_req, res) => void res.send('x'));
    http.app.use('/spaces/:id', router);
    expect(await ask('/spaces/7/list?a=b')).to.equal('200 by Express');
    expect(await ask('/spaces/7/list?a=b')).to.equal('200 in front');
    expect(seen).to.have.length(2);
    expect(seen[0]).to.deep.include({ id: '7' });
    expect(seen[1]).to.deep.equal(seen[0]);
  });

  it('counts the limit of setupCache', async () => {
    const { manager, app } = http;
    setupCache(app, { manager, rateLimit: '2/minute', http: false });
    app.get('/', cache(), (_req, res) => void res.send('x'));
    for (const expected of ['200 by Express', '200 in front', '429 by Express']) {
      expect(await ask()).to.equal(expected);
    }
  });

  it('gives a URL up whose limits depend on more than the URL', async () => {
    const limiter = limit('some');
    http.app.use((req, res, next) => {
      if (req.headers['x-free'] === undefined) limiter(req, res, next);
      else next();
    });
    http.app.get('/', cache(), (_req, res) => void res.vary('X-Free').send('x'));
    await ask();
    expect(await ask()).to.equal('200 in front');
    expect(await ask('/', { 'x-free': '1' })).to.equal('200 by Express');
    expect(await ask()).to.equal('429 by Express');
    expect(await ask('/', { 'x-free': '1' })).to.equal('200 by Express');
  });

  it('leaves a request to the application when a function of the limiter fails in front', async () => {
    const limiter = limit('user', {
      front: true,
      key: (req) => (req as unknown as { readonly user: { id: string } }).user.id,
    });
    http.app.use((req, _res, next) => {
      Object.assign(req, { user: { id: 'u' } });
      next();
    });
    http.app.get('/', limiter, cache(), (_req, res) => void res.send('x'));
    for (const expected of ['200 by Express', '200 by Express', '429 by Express']) {
      expect(await ask()).to.equal(expected);
    }
    expect((await limiter.count('u'))?.totalHits).to.equal(3);
  });

  it('leaves out what it is told to skip', async () => {
    const limiter = limit('skip', { front: true, skip: (req) => req.get('x-free') === '1' });
    http.app.get('/', limiter, cache(), (_req, res) => void res.send('x'));
    await ask();
    for (let time = 0; time < 3; time++) {
      expect(await ask('/', { 'x-free': '1' })).to.equal('200 in front');
    }
    expect(await ask()).to.equal('200 in front');
    expect(await ask()).to.equal('429 by Express');
  });

  for (const onStoreError of ['pass', 'reject'] as const) {
    it(`asks counters that are away once for each request, with onStoreError '${onStoreError}'`, async () => {
      await http.stop();
      const backend = new ServedBackend();
      http = await HttpFixture.start({ backend }, (app) => accelerate(app));
      const errors: string[] = [];
      http.manager.on('error', ({ operation }) => errors.push(operation));
      const onError: ErrorRequestHandler = (error, _req, res, _next) => {
        res.status((error as CacheConnectionError).httpStatus).end();
      };
      let left = 1;
      backend.answer = () =>
        left-- > 0
          ? Promise.resolve([1, 60_000])
          : Promise.reject(new CacheConnectionError('away'));
      http.app.get('/', limit('away', { onStoreError }), cache(), (_req, res) => {
        res.send('x');
      });
      http.app.use(onError);
      expect(await ask()).to.equal('200 by Express');
      expect(await ask()).to.equal(onStoreError === 'pass' ? '200 in front' : '503 by Express');
      expect(backend.asked).to.equal(2);
      expect(errors).to.deep.equal(onStoreError === 'pass' ? ['rateLimit'] : []);
    });
  }

  it('is no limit for accelerate to ask', () => {
    expect(() => accelerate(http.app, { limit: limit('given') as never })).to.throw(
      InvalidOptionError,
      /accelerate\.limit.*by itself/,
    );
  });
});
