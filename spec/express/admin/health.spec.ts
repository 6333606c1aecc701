import { expect } from 'chai';
import express from 'express';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { BackendHealth } from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheConnectionError, InvalidOptionError } from '#internal/errors.js';
import { cacheHealth, type CacheHealthOptions } from '#internal/express/health.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { HttpServer, type HttpAnswer } from '../../support/http-server.js';
import { until } from '../../support/until.js';

class ToldBackend extends FaultyBackend {
  answer: BackendHealth = { status: 'healthy' };
  constructor() {
    super(new MemoryBackend());
  }
  override health(): BackendHealth {
    return this.answer;
  }
}

describe(cacheHealth.name, () => {
  let backend: ToldBackend;
  let manager: CacheManager;
  beforeEach(() => {
    backend = new ToldBackend();
    manager = new CacheManager({ backend, logger: silentLogger });
  });
  afterEach(() => manager.close().catch(() => undefined));

  const ask = async (options: CacheHealthOptions = {}): Promise<HttpAnswer> => {
    const app = express();
    app.get('/health/cache', cacheHealth({ manager, ...options }));
    await using server = await HttpServer.start(app);
    return await server.ask('/health/cache');
  };

  const WORDS: readonly [word: BackendHealth['status'], status: number][] = [
    ['healthy', 200],
    ['degraded', 200],
    ['unhealthy', 503],
    ['unavailable', 503],
  ];
  for (const [word, status] of WORDS) {
    it(`answers ${status} when the cache is ${word}`, async () => {
      backend.answer = { status: word };
      const answer = await ask();
      expect(answer.status).to.equal(status);
      expect(answer.json()).to.deep.equal({ status: word });
      expect(answer.headers['cache-control']).to.equal('no-store');
    });

    it(`answers 200 when the cache is ${word} and it is told to`, async () => {
      backend.answer = { status: word };
      const answer = await ask({ alwaysOk: true });
      expect(answer.status).to.equal(200);
      expect(answer.json()).to.deep.equal({ status: word });
    });
  }

  it('answers 200 when the cache is off', async () => {
    manager.enabled = false;
    const answer = await ask();
    expect(answer.status).to.equal(200);
    expect(answer.json()).to.deep.equal({ status: 'disabled' });
  });

  it('answers 503 when the manager is closed', async () => {
    await manager.close();
    const answer = await ask();
    expect(answer.status).to.equal(503);
    expect(answer.json()).to.deep.equal({ status: 'unavailable' });
  });

  it('asks the store: one that does not answer is unhealthy before any breaker says so', async () => {
    backend.fail('ping', { error: new CacheConnectionError('redis://a:hunter2@10.0.0.1') });
    const answer = await ask({ exposeDetails: true });
    expect(answer.status).to.equal(503);
    expect(answer.json()).to.have.property('status', 'unhealthy');
    expect(answer.text).not.to.match(/hunter2|10\.0/);
  });

  it('asks the store once for all requests that come meanwhile', async () => {
    const app = express();
    app.get('/', cacheHealth({ manager }));
    await using server = await HttpServer.start(app);
    let arrived = 0;
    const counting = express();
    counting.use((_req, _res, next) => {
      arrived++;
      next();
    }, app);
    await using front = await HttpServer.start(counting);
    const held = backend.hold('ping');
    const answers = Promise.all(Array.from({ length: 20 }, () => front.ask('/')));
    await until('all requests have arrived', () => arrived === 20);
    held.release();
    for (const answer of await answers) expect(answer.status).to.equal(200);
    expect(backend.calls('ping')).to.equal(1);
    await server.ask('/');
    expect(backend.calls('ping')).to.equal(2);
  });

  it('shows the code of a failure, and more only where details are exposed', async () => {
    backend.answer = { status: 'degraded', errorCode: 'ERR_CACHE_CONNECTION' };
    expect((await ask()).json()).to.deep.equal({
      status: 'degraded',
      error: 'ERR_CACHE_CONNECTION',
    });
    expect((await ask({ exposeDetails: true })).json()).to.deep.equal({
      status: 'degraded',
      error: 'ERR_CACHE_CONNECTION',
      backend: backend.name,
      hit_rate: 0,
    });
  });

  it('shows what the breaker lets through where details are exposed', async () => {
    for (const breaker of ['closed', 'half-open', 'open'] as const) {
      backend.answer = { status: 'degraded', breaker };
      expect((await ask()).json()).to.deep.equal({ status: 'degraded' });
      expect((await ask({ exposeDetails: true })).json()).to.include({ breaker });
    }
  });

  it('calls a cache degraded whose hit rate is low, once it means something', async () => {
    const cache = manager.cache('a');
    await cache.set(1, 1);
    for (let index = 0; index < 9; index++) await cache.get(1);
    expect((await ask({ minHitRate: 1, minRequests: 10 })).json()).to.have.property(
      'status',
      'healthy',
    );
    await cache.get(2);
    const low = await ask({ minHitRate: 0.95, minRequests: 10, exposeDetails: true });
    expect(low.status).to.equal(200);
    expect(low.json()).to.include({ status: 'degraded', reason: 'hit-rate', hit_rate: 0.9 });
    expect((await ask({ minHitRate: 0.9, minRequests: 10 })).json()).to.have.property(
      'status',
      'healthy',
    );
    expect((await ask({ minHitRate: 0.95 })).json()).to.have.property('status', 'healthy');
  });

  it('takes a function for the manager, and looks for none before it is asked', async () => {
    let found = 0;
    const handler = cacheHealth({
      manager: () => {
        found++;
        return manager;
      },
    });
    expect(found).to.equal(0);
    await using server = await HttpServer.start(express().use(handler));
    expect((await server.ask('/')).status).to.equal(200);
    expect(found).to.equal(1);
  });

  it('refuses unknown and wrong options', () => {
    for (const options of [
      { minHitRate: 1.1 },
      { minHitRate: '1' },
      { minRequests: 0 },
      { alwaysOk: 1 },
      { exposeDetails: 'yes' },
      { managers: manager },
      { manager: {} },
    ]) {
      expect(() => cacheHealth(options as CacheHealthOptions), JSON.stringify(options)).to.throw(
        InvalidOptionError,
      );
    }
  });
});
