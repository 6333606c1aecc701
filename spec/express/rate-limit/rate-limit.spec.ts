import { expect } from 'chai';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import {
  CacheConfigurationError,
  CacheManager,
  CacheConnectionError,
  InvalidOptionError,
  MemoryBackend,
  RateLimitError,
  configureCaching,
  resetCaching,
} from 'cachewell';
import { FaultyBackend } from 'cachewell/testing';
import { container } from 'tsyringe';
import type { CommandArea } from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { httpCache } from '#internal/express/http-cache.js';
import { rateLimit, type RateLimiter } from '#internal/express/rate-limit.js';
import {
  parseRate,
  type Rate,
  type RateLimitOptions,
} from '#internal/express/rate-limit-options.js';
import { listening, type Listening } from '../../support/http-listener.js';

/** A backend on a server whose answers a spec decides. */
class ServedBackend extends MemoryBackend {
  answer: (command: string, rest: readonly string[]) => Promise<unknown> = () =>
    Promise.reject(new CacheConnectionError('the counters are away'));

  openArea(): CommandArea {
    return { prefix: 'p:', call: (command, ...rest) => this.answer(command, rest) };
  }
}

interface Subject extends AsyncDisposable {
  readonly manager: CacheManager;
  readonly limiter: RateLimiter;
  readonly server: Listening;
  readonly errors: string[];
  get(fields?: Record<string, string>): Promise<globalThis.Response>;
}

async function subject(
  rate: Rate,
  options: RateLimitOptions<Request, Response> = {},
  {
    backend = new MemoryBackend(),
    onError,
  }: { backend?: MemoryBackend; onError?: ErrorRequestHandler } = {},
): Promise<Subject> {
  const manager = new CacheManager({ backend, logger: silentLogger });
  const errors: string[] = [];
  manager.on('error', ({ error }) => errors.push(error.message));
  const limiter = rateLimit(rate, { manager, ...options });
  const app = express();
  app.set('env', 'test');
  app.get('/', limiter, (_req, res) => void res.send('ok'));
  if (onError !== undefined) app.use(onError);
  const server = await listening(app);
  return {
    manager,
    limiter,
    server,
    errors,
    get: (headers = {}) => fetch(server.origin, { headers }),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await manager.close();
    },
  };
}

describe('rateLimit', () => {
  it('answers so many requests of a client, and refuses the next', async () => {
    await using s = await subject('3/minute');
    const statuses: number[] = [];
    for (let index = 0; index < 5; index++) statuses.push((await s.get()).status);
    expect(statuses).to.deep.equal([200, 200, 200, 429, 429]);
  });

  it('counts concurrent requests exactly', async () => {
    await using s = await subject('20/minute');
    const answers = await Promise.all(Array.from({ length: 50 }, () => s.get()));
    expect(answers.filter(({ status }) => status === 200)).to.have.length(20);
  });

  it('says what is left, as the eighth draft has it', async () => {
    await using s = await subject('2/minute', { name: 'items' });
    const { headers } = await s.get();
    expect(headers.get('ratelimit')).to.match(/^"items"; r=1; t=(?:60|59)$/);
    expect(headers.get('ratelimit-policy')).to.match(/^"items"; q=2; w=60; pk=:[\w+/=]+:$/);
    expect(headers.get('retry-after')).to.equal(null);
    await s.get();
    const refused = await s.get();
    expect(refused.headers.get('ratelimit')).to.match(/^"items"; r=0; t=/);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(58, 60);
  });

  it('says it as an earlier draft, or not at all', async () => {
    await using seventh = await subject('2/minute', { headers: 'draft-7' });
    expect((await seventh.get()).headers.get('ratelimit')).to.match(
      /^limit=2, remaining=1, reset=/,
    );
    await using silent = await subject('1/minute', { headers: false });
    expect((await silent.get()).headers.has('ratelimit')).to.equal(false);
    expect((await silent.get()).status).to.equal(429);
  });

  it('hands a RateLimitError to the error handlers', async () => {
    let seen: unknown;
    const onError: ErrorRequestHandler = (error, _req, res, _next) => {
      seen = error;
      res.status(418).end();
    };
    await using s = await subject('1/hour', {}, { onError });
    await s.get();
    expect((await s.get()).status).to.equal(418);
    expect(seen).to.be.instanceOf(RateLimitError);
    const { retryAfterMs, code } = seen as RateLimitError;
    expect(retryAfterMs).to.be.within(3_590_000, 3_600_000);
    expect(code).to.equal('ERR_CACHE_RATE_LIMIT');
  });

  it("is answered with 429 and the fields by Express' own error handler", async () => {
    await using s = await subject('1/hour');
    await s.get();
    const refused = await s.get();
    expect(refused.status).to.equal(429);
    expect(Number(refused.headers.get('retry-after'))).to.be.within(3590, 3600);
    expect(refused.headers.get('ratelimit')).to.match(/r=0/);
  });

  it("answers by itself with onLimit 'answer'", async () => {
    await using s = await subject('1/hour', { onLimit: 'answer' });
    await s.get();
    const refused = await s.get();
    expect(refused.status).to.equal(429);
    expect(refused.headers.get('content-type')).to.equal('application/json; charset=utf-8');
    expect(refused.headers.has('retry-after')).to.equal(true);
    expect(await refused.json()).to.have.nested.property('error.code', 'ERR_CACHE_RATE_LIMIT');
  });

  it('counts by a key, and by address without one', async () => {
    await using s = await subject('1/minute', { key: (req) => req.get('x-api-key') });
    const status = async (key?: string): Promise<number> =>
      (await s.get(key === undefined ? {} : { 'x-api-key': key })).status;
    expect([await status('a'), await status('b'), await status()]).to.deep.equal([200, 200, 200]);
    expect([await status('a'), await status('127.0.0.1'), await status()]).to.deep.equal([
      429, 200, 429,
    ]);
    expect(await s.limiter.count('a')).to.have.property('totalHits', 2);
    expect(await s.limiter.count('c')).to.equal(undefined);
    await s.limiter.reset('a');
    expect(await status('a')).to.equal(200);
  });

  it('tells and resets the count of an address', async () => {
    await using s = await subject('1/minute');
    await s.get();
    expect(await s.limiter.count('127.0.0.1')).to.have.property('totalHits', 1);
    await s.limiter.reset('127.0.0.1');
    expect((await s.get()).status).to.equal(200);
  });

  it('leaves out what it is told to skip', async () => {
    await using s = await subject('1/minute', { skip: (req) => req.get('x-free') !== undefined });
    for (let index = 0; index < 3; index++) {
      const free = await s.get({ 'x-free': '1' });
      expect(free.status).to.equal(200);
      expect(free.headers.has('ratelimit')).to.equal(false);
    }
    expect((await s.get()).status).to.equal(200);
  });

  it('fails requests where there is no manager to count with, as a fault of the set-up', async () => {
    let seen: unknown;
    const onError: ErrorRequestHandler = (error, _req, res, _next) => {
      seen = error;
      res.status(500).end();
    };
    const gone = new CacheConfigurationError('there is no manager');
    const manager = (): CacheManager => {
      throw gone;
    };
    await using s = await subject('1/minute', { manager }, { onError });
    expect((await s.get()).status).to.equal(500);
    expect(seen).to.equal(gone);
  });

  it('outlives what is cleared', async () => {
    await using s = await subject('1/minute');
    await s.get();
    await s.manager.clearAll();
    expect((await s.get()).status).to.equal(429);
  });

  it('tells nobody what was left to the client whose response is stored', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const app = express();
    const limiter = rateLimit('5/minute', { manager });
    app.get('/', httpCache({ manager, ttl: '1m' }), limiter, (_req, res) => void res.send('x'));
    await using server = await listening(app);
    const [miss, hit] = [await fetch(server.origin), await fetch(server.origin)];
    expect(miss.headers.get('ratelimit')).to.match(/^"5\/minute"; r=4; /);
    expect(hit.headers.get('x-cache')).to.equal('HIT');
    expect(hit.headers.has('ratelimit')).to.equal(false);
    expect(hit.headers.has('ratelimit-policy')).to.equal(false);
  });

  it('counts on the server behind a backend that stands before another', async () => {
    const served = new ServedBackend();
    served.answer = () => Promise.resolve([7, 60_000]);
    await using manager = new CacheManager({
      backend: new FaultyBackend(served),
      logger: silentLogger,
    });
    const limiter = rateLimit('10/minute', { manager });
    expect(await limiter.count('127.0.0.1')).to.have.property('totalHits', 7);
  });

  describe('without its counters', () => {
    it('lets requests pass, and tells', async () => {
      await using s = await subject('1/minute', {}, { backend: new ServedBackend() });
      expect([(await s.get()).status, (await s.get()).status]).to.deep.equal([200, 200]);
      expect(s.errors).to.have.length(2);
      expect(s.errors[0]).to.include('the counters are away');
    });

    it("rejects them with onStoreError 'reject'", async () => {
      let seen: unknown;
      const onError: ErrorRequestHandler = (error, _req, res, _next) => {
        seen = error;
        res.status((error as CacheConnectionError).httpStatus).end();
      };
      const backend = new ServedBackend();
      await using s = await subject('1/minute', { onStoreError: 'reject' }, { backend, onError });
      expect((await s.get()).status).to.equal(503);
      expect(seen).to.be.instanceOf(CacheConnectionError);
    });

    it('counts as soon as they are back, with scripts that the server does not know', async () => {
      const backend = new ServedBackend();
      await using s = await subject('1/minute', {}, { backend });
      await s.get();
      let hits = 0;
      const commands: string[] = [];
      backend.answer = (command, rest) => {
        commands.push(command);
        if (command === 'EVALSHA') {
          const cause = { name: 'ReplyError', message: 'NOSCRIPT No matching script.' };
          return Promise.reject(new CacheConnectionError('increment failed', { cause }));
        }
        expect(rest[0]).to.include('redis.call');
        expect(rest[2]).to.match(/^p:1\/minute:[\w-]{22}$/);
        return Promise.resolve([++hits, 60_000]);
      };
      expect([(await s.get()).status, (await s.get()).status]).to.deep.equal([200, 429]);
      expect(commands).to.deep.equal(['EVALSHA', 'EVAL', 'EVALSHA', 'EVAL']);
    });
  });

  describe('of two limiters', () => {
    it('counts apart under two names', async () => {
      await using manager = new CacheManager({ logger: silentLogger });
      const app = express();
      app.set('env', 'test');
      app.get('/a', rateLimit('1/minute', { manager, name: 'a' }), (_req, res) => void res.end());
      app.get('/b', rateLimit('1/minute', { manager, name: 'b' }), (_req, res) => void res.end());
      await using server = await listening(app);
      const status = async (path: string): Promise<number> =>
        (await fetch(server.origin + path)).status;
      expect([await status('/a'), await status('/b'), await status('/a')]).to.deep.equal([
        200, 200, 429,
      ]);
    });

    it('counts together under one name and rate, and tells once', async () => {
      const warnings: string[] = [];
      const logger = { ...silentLogger, warn: (message: string) => void warnings.push(message) };
      await using manager = new CacheManager({ logger });
      const app = express();
      app.set('env', 'test');
      for (const path of ['/a', '/b', '/c']) {
        app.get(path, rateLimit('2/minute', { manager }), (_req, res) => void res.end());
      }
      await using server = await listening(app);
      const status = async (path: string): Promise<number> =>
        (await fetch(server.origin + path)).status;
      expect([await status('/a'), await status('/b'), await status('/c')]).to.deep.equal([
        200, 200, 429,
      ]);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include("several limiters '2/minute'");
    });

    it('refuses one name with two rates', async () => {
      await using manager = new CacheManager({ logger: silentLogger });
      const name = 'items';
      rateLimit('1/minute', { manager, name });
      for (const rate of ['2/minute', '1/hour'] as const) {
        expect(() => rateLimit(rate, { manager, name }))
          .to.throw(InvalidOptionError, /another name/)
          .with.property('option', 'rateLimit.name');
      }
      await using other = new CacheManager({ logger: silentLogger });
      rateLimit('2/minute', { manager: other, name });
    });

    it('lets a name go with its manager', async () => {
      const manager = new CacheManager({ logger: silentLogger });
      rateLimit('1/minute', { manager, name: 'items' });
      await manager.close();
      rateLimit('2/minute', { manager, name: 'items' });
    });

    it('fails requests by one of two rates where the manager was found later', async () => {
      const errors: unknown[] = [];
      const onError: ErrorRequestHandler = (error, _req, res, _next) => {
        errors.push(error);
        res.status(error instanceof RateLimitError ? 429 : 500).end();
      };
      await using manager = new CacheManager({ logger: silentLogger });
      const options = { manager: () => manager, name: 'items' };
      const app = express();
      app.get('/a', rateLimit('2/minute', options), (_req, res) => void res.end());
      app.get('/b', rateLimit('3/minute', options), (_req, res) => void res.end());
      app.use(onError);
      await using server = await listening(app);
      const status = async (path: string): Promise<number> =>
        (await fetch(server.origin + path)).status;
      expect([await status('/a'), await status('/b'), await status('/b')]).to.deep.equal([
        200, 500, 500,
      ]);
      expect(errors[0]).to.be.instanceOf(InvalidOptionError);
      expect([await status('/a'), await status('/a')]).to.deep.equal([200, 429]);
    });
  });

  describe('of an application that is built twice', () => {
    function createApp(): express.Express {
      const app = express();
      app.set('env', 'test');
      app.get('/', rateLimit('2/minute'), (_req, res) => void res.end());
      return app;
    }

    async function statusOf(app: express.Express, times: number): Promise<readonly number[]> {
      await using server = await listening(app);
      const statuses: number[] = [];
      for (let index = 0; index < times; index++)
        statuses.push((await fetch(server.origin)).status);
      return statuses;
    }

    beforeEach(() => configureCaching(container, { logger: silentLogger }));
    afterEach(async () => {
      container.reset();
      await resetCaching();
    });

    it('counts on', async () => {
      const [first, second] = [createApp(), createApp()];
      expect(await statusOf(first, 1)).to.deep.equal([200]);
      expect(await statusOf(second, 2)).to.deep.equal([200, 429]);
    });

    it("counts anew with the container's next manager", async () => {
      const app = createApp();
      expect(await statusOf(app, 3)).to.deep.equal([200, 200, 429]);
      await resetCaching();
      expect(await statusOf(app, 3)).to.deep.equal([200, 200, 429]);
      expect(await statusOf(createApp(), 1)).to.deep.equal([429]);
    });

    it('goes on counting when its manager was closed for good', async () => {
      const app = express();
      app.set('env', 'test');
      const closed = (): CacheManager => {
        const manager = new CacheManager({ logger: silentLogger });
        void manager.close();
        return manager;
      };
      app.get('/', rateLimit('2/minute', { manager: closed }), (_req, res) => void res.end());
      expect(await statusOf(app, 3)).to.deep.equal([200, 200, 429]);
    });
  });

  describe('refuses', () => {
    const wrong: readonly (readonly [rate: unknown, options: object, option: string])[] = [
      ['100', {}, 'rateLimit'],
      [100, {}, 'rateLimit'],
      ['0/minute', {}, 'rateLimit'],
      ['-1/minute', {}, 'rateLimit'],
      ['1.5/minute', {}, 'rateLimit'],
      ['1/week', {}, 'rateLimit'],
      ['1/constructor', {}, 'rateLimit'],
      ['1/500ms', {}, 'rateLimit'],
      ['1/0s', {}, 'rateLimit'],
      ['1/30d', {}, 'rateLimit'],
      ['1/s', { nmae: 'a' }, 'rateLimit.nmae'],
      ['1/s', { name: 'a b' }, 'rateLimit.name'],
      ['1/s', { name: '' }, 'rateLimit.name'],
      ['1/s', { name: 'a"' }, 'rateLimit.name'],
      ['1/s', { key: 'ip' }, 'rateLimit.key'],
      ['1/s', { skip: true }, 'rateLimit.skip'],
      ['1/s', { onStoreError: 'fail' }, 'rateLimit.onStoreError'],
      ['1/s', { onLimit: 'throw' }, 'rateLimit.onLimit'],
      ['1/s', { headers: 'draft-9' }, 'rateLimit.headers'],
      ['1/s', { front: 'yes' }, 'rateLimit.front'],
      ['1/s', [], 'rateLimit'],
    ];
    for (const [rate, options, option] of wrong) {
      it(`${JSON.stringify(rate)} with ${JSON.stringify(options)}`, () => {
        expect(() => rateLimit(rate as Rate, options))
          .to.throw(InvalidOptionError)
          .with.property('option', option);
      });
    }
  });
});

describe('parseRate', () => {
  const rows: readonly (readonly [rate: string, limit: number, windowMs: number])[] = [
    ['100/minute', 100, 60_000],
    ['5/s', 5, 1000],
    ['5/second', 5, 1000],
    ['1/hour', 1, 3_600_000],
    ['9/day', 9, 86_400_000],
    ['20/15m', 20, 900_000],
    ['20/1.5h', 20, 5_400_000],
    ['1/24d', 1, 2_073_600_000],
  ];
  for (const [rate, limit, windowMs] of rows) {
    it(`reads ${rate}`, () => {
      expect(parseRate(rate)).to.deep.equal({ limit, windowMs });
    });
  }
});
