import { expect } from 'chai';
import express from 'express';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { cacheAdmin } from '#internal/express/admin/cache-admin.js';
import type { CacheAdminOptions } from '#internal/express/admin/admin-options.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { HttpServer } from '../../support/http-server.js';

interface Page {
  readonly keys: readonly { key: string; ttl: number | null; cache: string; size: number }[];
  readonly cursor: number | string;
}

describe(cacheAdmin.name, () => {
  let clock: ManualClock;
  let backend: FaultyBackend;
  let manager: CacheManager;
  let server: HttpServer;
  const open = async (options: Partial<CacheAdminOptions> = {}): Promise<void> => {
    const app = express();
    const admin = cacheAdmin({ auth: (_req, _res, next) => next(), manager, ...options });
    if (options.basePath === undefined) app.use('/api/cache', admin);
    else app.use(admin);
    app.use((_req, res) => void res.status(404).send('the application'));
    server = await HttpServer.start(app);
  };
  beforeEach(async () => {
    clock = new ManualClock();
    backend = new FaultyBackend(new MemoryBackend());
    manager = new CacheManager({ backend, clock, logger: silentLogger });
    await open();
  });
  afterEach(async () => {
    await server[Symbol.asyncDispose]();
    await manager.close().catch(() => undefined);
  });
  const at = (path: string): string => `/api/cache${path}`;
  const get = async (path: string): Promise<unknown> => (await server.ask(at(path))).json();

  describe('GET /keys', () => {
    it('gives key texts with what is left of their ttl, in seconds, and the cursor 0', async () => {
      const cache = manager.cache('http');
      await cache.set(['GET', 'items', 'page=1'], 'x', { ttl: '42s' });
      await cache.set('forever', 'xyz', { ttl: Infinity });
      clock.advance(500);
      expect(await get('/keys?cache=http')).to.deep.equal({
        keys: [
          { key: 'GET:items:page=1', ttl: 42, cache: 'http', size: 1 },
          { key: 'forever', ttl: null, cache: 'http', size: 3 },
        ],
        cursor: 0,
      });
    });

    it('is no use of what it lists, and takes no value out of a store that can tell without', async () => {
      const memory = new MemoryBackend({ maxEntries: 2, isolation: 'copy' });
      backend = new FaultyBackend(memory);
      const own = new CacheManager({ backend, clock, logger: silentLogger });
      try {
        const cache = own.cache('a');
        await cache.set('first', { text: 'x'.repeat(100) });
        await cache.set('second', 'x');
        await server[Symbol.asyncDispose]();
        await open({ manager: own });
        const { keys } = (await get('/keys')) as Page;
        expect(keys.map(({ size }) => size)).to.deep.equal([104, 1]);
        await cache.set('third', 'x');
        expect(((await get('/keys')) as Page).keys.map(({ key }) => key)).to.deep.equal([
          'second',
          'third',
        ]);
        expect(backend.calls('getMany')).to.equal(0);
      } finally {
        await own.close();
      }
    });

    it('reads ten entries at a time where the store has no outlines', async () => {
      const { open: openStore } = backend;
      const asked: number[] = [];
      backend.open = (space) => {
        const { outlines: _, ...store } = openStore.call(backend, space);
        return {
          ...store,
          getMany: (keys, hints) => {
            asked.push(keys.length);
            return store.getMany(keys, hints);
          },
        };
      };
      const cache = manager.cache('a');
      await cache.setMany(
        Array.from({ length: 25 }, (_, index) => [index, 'xy'] as const),
        {
          ttl: '9s',
        },
      );
      const { keys } = (await get('/keys')) as Page;
      expect(keys).to.have.length(25);
      expect(keys[24]).to.deep.equal({ key: '24', ttl: 9, cache: 'a', size: 2 });
      expect(asked).to.deep.equal([10, 10, 5]);
    });

    it('walks through pages, of one cache and of all, until each key was there', async () => {
      const wanted = new Set<string>();
      for (const name of ['a', 'b', 'c']) {
        const cache = manager.cache(name);
        for (let index = 0; index < 70; index++) {
          await cache.set(index, index);
          wanted.add(`${name} ${index}`);
        }
      }
      const walk = async (query: string): Promise<string[]> => {
        const met: string[] = [];
        let cursor: number | string = 0;
        do {
          const page = (await get(`/keys?count=25&cursor=${cursor}${query}`)) as Page;
          expect(page.keys.length).to.be.at.most(25);
          met.push(...page.keys.map(({ cache, key }) => `${cache} ${key}`));
          cursor = page.cursor;
        } while (cursor !== 0);
        return met;
      };
      expect(await walk('')).to.have.members([...wanted]);
      expect(await walk('&cache=b')).to.have.members(
        [...wanted].filter((each) => each.startsWith('b')),
      );
    });

    it('pages through 5,000 keys by at most 1,000', async () => {
      await manager
        .cache('big')
        .setMany(Array.from({ length: 5_000 }, (_, index) => [index, 'x'] as const));
      const met = new Set<string>();
      let cursor: number | string = 0;
      let pages = 0;
      do {
        const page = (await get(`/keys?cache=big&count=1000&cursor=${cursor}`)) as Page;
        expect(page.keys.length).to.be.at.most(1_000);
        for (const { key } of page.keys) met.add(key);
        cursor = page.cursor;
        pages++;
      } while (cursor !== 0);
      expect(met.size).to.equal(5_000);
      expect(pages).to.be.within(5, 6);
      expect(((await get('/keys?cache=big')) as Page).keys).to.have.length(100);
    });

    it('takes a pattern, relative to the cache', async () => {
      await manager.cache('a').set(['GET', 'spaces', 1], 1);
      await manager.cache('a').set(['GET', 'spacesuits', 1], 1);
      await manager.cache('b').set(['GET', 'spaces', 2], 1);
      const keys = async (query: string): Promise<string[]> =>
        ((await get(`/keys?${query}`)) as Page).keys.map(({ cache, key }) => `${cache} ${key}`);
      expect(await keys('pattern=GET:spaces:*')).to.deep.equal([
        'a GET:spaces:1',
        'b GET:spaces:2',
      ]);
      expect(await keys('pattern=GET:spaces:*&cache=b')).to.deep.equal(['b GET:spaces:2']);
    });

    it('takes back cursors of 64 bits as they are', async () => {
      const seen: unknown[] = [];
      const open64 = backend.open.bind(backend);
      backend.open = (space) => {
        const store = open64(space);
        return new Proxy(store, {
          get(target, name) {
            if (name !== 'scan') return Reflect.get(target, name, target) as unknown;
            return ({ cursor }: { cursor: string }) => {
              seen.push(cursor);
              return { keys: [], cursor: seen.length === 1 ? '18446744073709551615' : '12345' };
            };
          },
        });
      };
      manager.cache('wide');
      const first = (await get('/keys?cache=wide')) as Page;
      expect(first.cursor).to.equal('18446744073709551615');
      const second = (await get(`/keys?cache=wide&cursor=${first.cursor}`)) as Page;
      expect(second.cursor).to.equal(12_345);
      await get(`/keys?cache=wide&cursor=${second.cursor}`);
      expect(seen).to.deep.equal(['0', '18446744073709551615', '12345']);
    });

    it('refuses what it cannot take', async () => {
      await manager.cache('a').set(1, 1);
      for (const query of [
        'count=0',
        'count=1001',
        'count=ten',
        'count=1.5',
        'pattern=',
        'pattern=[',
        'cursor=x&cache=a',
        'cursor=x',
        'cursor=17',
        'count=5&count=6',
        'patern=*',
      ]) {
        const answer = await server.ask(at(`/keys?${query}`));
        expect(answer.status, query).to.equal(400);
        expect(answer.json(), query).to.have.nested.property('error.code').that.is.a('string');
      }
    });

    it('makes no cache of a name that it does not know', async () => {
      expect((await server.ask(at('/keys?cache=later'))).status).to.equal(404);
      expect((await server.ask(at('/clear?cache=later'), { method: 'POST' })).status).to.equal(404);
      expect(manager.caches()).to.deep.equal([]);
      manager.cache('later', { ttl: '7m' });
    });

    it('counts as no hit, no miss and no read', async () => {
      await manager.cache('a').set(1, 1);
      await get('/keys');
      await get('/keys/1?cache=a');
      await get('/keys/2?cache=a');
      expect(manager.statistics().totalRequests).to.equal(0);
    });
  });

  describe('/keys/{key}', () => {
    it('shows an entry', async () => {
      await manager.cache('a').set('x', { id: 1, when: new Date(0) }, { ttl: '60s', tags: ['t'] });
      clock.advance(2_000);
      expect(await get('/keys/x?cache=a')).to.deep.equal({
        key: 'x',
        cache: 'a',
        ttl: 58,
        size: 22,
        age: 2,
        kind: 'value',
        tier: 'l1',
        tags: ['t'],
        load_cost_ms: 0,
        value: {
          type: 'value',
          text: '{\n  id: 1,\n  when: Date(1970-01-01T00:00:00.000Z)\n}',
          truncated: false,
        },
      });
    });

    it('keeps values to itself where it is told to', async () => {
      await manager.cache('a').set('x', 'secret-value');
      await server[Symbol.asyncDispose]();
      await open({ showValues: false });
      const answer = await server.ask(at('/keys/x?cache=a'));
      expect(answer.status).to.equal(200);
      expect(answer.text).not.to.contain('secret-value');
      expect(answer.json()).not.to.have.property('value');
    });

    it('finds and deletes keys with slashes, colons, equals signs, escapes', async () => {
      const cache = manager.cache('a');
      for (const key of ['a/b', 'a:b', 'q=1', 'ä ö', '50%', 'a/b/../c']) {
        await cache.set(key, key);
        const { keys } = (await get('/keys?cache=a')) as Page;
        const text = keys[0]!.key;
        const path = at(`/keys/${encodeURIComponent(text)}`);
        expect((await server.ask(path)).json(), text).to.have.nested.property('value.text', key);
        const deleted = await server.ask(path, { method: 'DELETE' });
        expect(deleted.status, text).to.equal(200);
        expect(deleted.json()).to.deep.equal({ deleted: true });
        expect(await cache.has(key)).to.equal(false);
        expect((await server.ask(path, { method: 'DELETE' })).status).to.equal(404);
        expect((await server.ask(path)).status).to.equal(404);
      }
    });

    it('deletes from the named cache alone, else from all', async () => {
      for (const name of ['a', 'b', 'c']) await manager.cache(name).set(1, 1);
      await server.ask(at('/keys/1?cache=b'), { method: 'DELETE' });
      expect(await manager.cache('a').has(1)).to.equal(true);
      expect(await manager.cache('b').has(1)).to.equal(false);
      await server.ask(at('/keys/1'), { method: 'DELETE' });
      expect(await manager.cache('a').has(1)).to.equal(false);
      expect(await manager.cache('c').has(1)).to.equal(false);
    });

    it('refuses broken escapes', async () => {
      expect((await server.ask(at('/keys/%E0%A4%A'))).status).to.equal(400);
    });
  });

  describe('/clear', () => {
    const clear = async (query: string, method = 'POST'): Promise<[number, unknown]> => {
      const answer = await server.ask(at(`/clear${query}`), { method });
      return [answer.status, answer.json()];
    };
    const left = async (): Promise<string[]> => {
      const { keys } = (await get('/keys')) as Page;
      return keys.map(({ cache, key }) => `${cache} ${key}`);
    };
    beforeEach(async () => {
      for (const name of ['a', 'ab']) {
        await manager.cache(name).set(['user', 1], 1, { tags: ['one', 'odd'] });
        await manager.cache(name).set(['user', 2], 2, { tags: ['two'] });
        await manager.cache(name).set(['item', 3], 3, { tags: ['odd'] });
      }
    });

    for (const method of ['POST', 'DELETE']) {
      it(`clears everything by ${method}`, async () => {
        expect(await clear('', method)).to.deep.equal([200, { cleared: true }]);
        expect(await left()).to.deep.equal([]);
      });
    }

    it('clears one cache, and none whose name begins alike', async () => {
      expect(await clear('?cache=a')).to.deep.equal([200, { cleared: true }]);
      expect(await left()).to.deep.equal(['ab user:1', 'ab user:2', 'ab item:3']);
      expect(await clear('?namespace=ab', 'DELETE')).to.deep.equal([200, { cleared: true }]);
      expect(await left()).to.deep.equal([]);
    });

    it('clears by pattern, and counts', async () => {
      expect(await clear('?pattern=user:*&cache=a')).to.deep.equal([200, { cleared: 2 }]);
      expect(await clear('?pattern=user:*')).to.deep.equal([200, { cleared: 2 }]);
      expect(await clear('?pattern=user:*')).to.deep.equal([200, { cleared: 0 }]);
      expect(await left()).to.deep.equal(['a item:3', 'ab item:3']);
    });

    it('clears by tag: any of them, or all', async () => {
      expect(await clear('?tag=one&tag=odd&match=all')).to.deep.equal([200, { cleared: true }]);
      expect(await left()).to.have.members(['a user:2', 'a item:3', 'ab user:2', 'ab item:3']);
      expect(await clear('?tag=one&tag=odd')).to.deep.equal([200, { cleared: true }]);
      expect(await left()).to.deep.equal(['a user:2', 'ab user:2']);
    });

    it('clears nothing where there is a doubt about what is meant', async () => {
      const before = await left();
      for (const query of [
        '?pattern=',
        '?patern=user:*',
        '?pattern=[',
        '?namespace=a&pattern=*',
        '?namespace=a&cache=a',
        '?tag=',
        '?tag=one&cache=a',
        '?tag=one&pattern=*',
        '?match=all',
        '?tag=one&match=some',
        '?cache=a&cache=ab',
        '?all',
      ]) {
        expect((await clear(query))[0], query).to.equal(400);
      }
      const withBody = await server.ask(at('/clear'), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: '{"pattern":"user:*"}',
      });
      expect(withBody.status).to.equal(400);
      const chunked = await server.ask(at('/clear'), {
        method: 'POST',
        headers: { 'Transfer-Encoding': 'chunked' },
      });
      expect(chunked.status).to.equal(400);
      expect(await left()).to.deep.equal(before);
    });

    it('says so when the store does not take it, whatever onError says', async () => {
      const failures = [
        ['clearAll', ''],
        ['clear', '?cache=a'],
        ['deletePattern', '?pattern=*'],
        ['invalidateTags', '?tag=one'],
      ] as const;
      for (const [operation, query] of failures) {
        backend.fail(operation);
        const [status, body] = await clear(query);
        backend.heal(operation);
        expect(status, operation).to.equal(503);
        expect(body).to.have.nested.property('error.code', 'ERR_CACHE_CONNECTION');
        expect(JSON.stringify(body)).not.to.contain('told to fail');
      }
    });
  });

  describe('statistics', () => {
    it('gives every counter in snake case, the ratio with three places', async () => {
      manager.core('a').counter.hits = 1_234;
      manager.core('a').counter.misses = 56;
      for (const path of ['/stats', '/metrics']) {
        const stats = (await get(path)) as Record<string, unknown>;
        expect(stats).to.include({
          hits: 1_234,
          misses: 56,
          hit_rate: 0.957,
          total_requests: 1_290,
        });
        expect(stats).to.include.all.keys(
          ...['stales', 'sets', 'deletes', 'evictions', 'errors', 'loads', 'bytes_read'],
          ...['bytes_written', 'hits_by_tier', 'latency', 'uptime_s', 'instance', 'caches'],
        );
        expect(stats).to.have.nested.property('caches.a.hits', 1_234);
        expect(stats).to.have.nested.property('latency.read.p99_ms', 0);
        expect(JSON.stringify(stats)).not.to.match(/[a-z][A-Z]/);
      }
    });

    it('calls the ratio of nothing 0', async () => {
      expect(await get('/stats')).to.include({ hits: 0, hit_rate: 0 });
    });

    it('resets by POST, and by no other method', async () => {
      manager.core('a').counter.hits = 5;
      expect((await server.ask(at('/stats/reset'))).status).to.equal(405);
      expect(await get('/stats')).to.include({ hits: 5 });
      const reset = await server.ask(at('/stats/reset'), { method: 'POST' });
      expect(reset.status).to.equal(204);
      expect(reset.text).to.equal('');
      expect(await get('/stats')).to.include({ hits: 0 });
    });
  });

  it('tells of the health, the store and the caches', async () => {
    manager.cache('a', { ttl: '5m', tags: ['t'] });
    expect(await get('/health')).to.include({ status: 'healthy', backend: backend.name });
    expect(await get('/ping')).to.deep.equal({ status: 'healthy' });
    expect(await get('/info')).to.include({ backend: backend.name, caches: 1, enabled: true });
    expect(await get('/info')).to.have.nested.property('store.isolation');
    expect(await get('/caches'))
      .to.have.nested.property('caches[0]')
      .that.deep.includes({ name: 'a', ttl: 300, tags: ['t'], sync: 'local' });
    backend.fail('ping');
    expect((await server.ask(at('/health'))).status).to.equal(503);
    const ping = await server.ask(at('/ping'));
    expect([ping.status, ping.json()]).to.deep.equal([503, { status: 'unhealthy' }]);
  });

  it('passes on no fact that names a place or a secret', async () => {
    backend.info = () => ({
      entries: 3,
      redis_version: '7.2.4',
      host: '10.0.0.1',
      config_file: '/etc/redis.conf',
      'l2.password': 'hunter2',
      long: 'x'.repeat(1_000),
    });
    const answer = await server.ask(at('/info'));
    expect(answer.json())
      .to.have.property('store')
      .that.deep.equals({ entries: 3, redis_version: '7.2.4' });
    expect(answer.text).not.to.match(/hunter2|10\.0\.0\.1|redis\.conf/);
  });

  it('answers failures of the store in the form of all errors', async () => {
    await manager.cache('a').set(1, 1);
    backend.fail('scan');
    const answer = await server.ask(at('/keys'));
    expect(answer.status).to.equal(503);
    expect(answer.json()).to.deep.equal({
      error: {
        code: 'ERR_CACHE_CONNECTION',
        name: 'CacheConnectionError',
        message: "The cache's store cannot be reached.",
      },
    });
  });

  it('answers HEAD like GET, OPTIONS with the methods, others with 405', async () => {
    const head = await server.ask(at('/stats'), { method: 'HEAD' });
    expect([head.status, head.text]).to.deep.equal([200, '']);
    const options = await server.ask(at('/clear'), { method: 'OPTIONS' });
    expect([options.status, options.headers.allow]).to.deep.equal([204, 'POST, DELETE, OPTIONS']);
    const put = await server.ask(at('/keys/1'), { method: 'PUT' });
    expect([put.status, put.headers.allow]).to.deep.equal([405, 'GET, DELETE, HEAD, OPTIONS']);
    expect((await server.ask(at('/clear'))).status).to.equal(405);
    expect((await server.ask(at('/nothing'))).status).to.equal(404);
    expect((await server.ask(at('//evil.example/keys'))).status).to.equal(404);
  });

  it('leads from its root to the dashboard', async () => {
    for (const path of ['', '/']) {
      const answer = await server.ask(at(path));
      expect([answer.status, answer.headers.location]).to.deep.equal([302, '/api/cache/dashboard']);
    }
    await server[Symbol.asyncDispose]();
    await open({ dashboard: false });
    for (const path of ['/', '/dashboard', '/events']) {
      expect((await server.ask(at(path))).status, path).to.equal(404);
    }
  });

  describe('basePath', () => {
    beforeEach(async () => {
      await server[Symbol.asyncDispose]();
      await open({ basePath: '/ops/cache', legacyRoutes: true });
    });

    it('answers below it, and leaves other paths to the application', async () => {
      expect((await server.ask('/ops/cache/ping')).status).to.equal(200);
      expect((await server.ask('/ops/cache')).headers.location).to.equal('/ops/cache/dashboard');
      for (const path of ['/ops/caches/ping', '/ping', '/', '/ops', '/OPS/cache/ping']) {
        expect((await server.ask(path)).text, path).to.equal('the application');
      }
    });

    it('answers at the old paths, and says what took their place', async () => {
      manager.core('a').counter.hits = 5;
      const stats = await server.ask('/cache/stats');
      expect(stats.json()).to.include({ hits: 5 });
      expect(stats.headers.link).to.equal('</ops/cache/stats>; rel="successor-version"');
      expect(stats.headers['deprecation']).to.match(/^@\d+$/);
      expect((await server.ask('/cache/ping')).json()).to.deep.equal({ status: 'healthy' });
      // An image of another site, without a referrer, could ask for as much.
      expect((await server.ask('/cache/reset-stats')).status).to.equal(403);
      expect(manager.statistics().hits).to.equal(5);
      const headers = { authorization: 'Bearer of the administrator' };
      const reset = await server.ask('/cache/reset-stats', { headers });
      expect(reset.status).to.equal(204);
      expect(reset.headers.link).to.equal('</ops/cache/stats/reset>; rel="successor-version"');
      expect(reset.headers['cache-control']).to.equal('no-store');
      expect(manager.statistics().hits).to.equal(0);
      await manager.cache('a').set(1, 1);
      expect((await server.ask('/cache/clear', { method: 'DELETE' })).json()).to.deep.equal({
        cleared: true,
      });
      expect(await manager.cache('a').has(1)).to.equal(false);
    });

    it('has no old paths unless it is asked for them', async () => {
      await server[Symbol.asyncDispose]();
      await open({ basePath: '/ops/cache' });
      for (const path of ['/cache/stats', '/cache/ping', '/cache/reset-stats', '/cache/clear']) {
        expect((await server.ask(path)).text, path).to.equal('the application');
      }
    });
  });

  it('works without Express', async () => {
    await using plain = await HttpServer.start(
      (
        (admin) => (req, res) =>
          admin(req, res, () => void res.writeHead(404).end('none'))
      )(cacheAdmin({ auth: (_req, _res, next) => next(), manager, basePath: '/c' })),
    );
    expect((await plain.ask('/c/ping')).status).to.equal(200);
    expect((await plain.ask(`${plain.origin}/c/ping`)).status).to.equal(200);
    expect((await plain.ask('/d')).text).to.equal('none');
  });
});
