import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { BackendContext, BackendHealth } from '#internal/cache/backend.js';
import { CACHE_EVENT_NAMES } from '#internal/cache/cache-events.js';
import { silentLogger, type CacheLogger } from '#internal/cache/cache-logger.js';
import { defineCache } from '#internal/cache/define-cache.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import {
  CacheConfigurationError,
  CacheConnectionError,
  InvalidOptionError,
  UnknownCacheError,
} from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import type { CacheManagerOptions } from '#internal/manager/manager-options.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { settle } from '../../support/gated-source.js';
import { errorOf } from '../../support/framing.js';

/** A store whose health, and whose reports to its manager, the spec decides. */
class ToldBackend extends FaultyBackend {
  answer: BackendHealth = { status: 'healthy' };
  context!: BackendContext;
  constructor() {
    super(new MemoryBackend());
  }
  override attach(context: BackendContext): void {
    this.context = context;
    super.attach(context);
  }
  override health(): BackendHealth {
    return this.answer;
  }
}

describe(CacheManager.name, () => {
  let manager: CacheManager;
  let backend: ToldBackend;
  let clock: ManualClock;
  const start = (options: CacheManagerOptions = {}): CacheManager =>
    (manager = new CacheManager({ backend, clock, logger: silentLogger, ...options }));
  beforeEach(() => {
    backend = new ToldBackend();
    clock = new ManualClock();
    start();
  });
  afterEach(() => manager.close().catch(() => undefined));

  it('works without any option', async () => {
    await using plain = new CacheManager();
    await plain.cache('a').set(1, 'one');
    expect(await plain.cache('a').get(1)).to.equal('one');
    expect(plain.backend).to.be.instanceOf(MemoryBackend);
  });

  it('takes a backend for itself', () => {
    const shared = new MemoryBackend();
    const first = new CacheManager({ backend: shared, logger: silentLogger });
    expect(() => new CacheManager({ backend: shared, logger: silentLogger })).to.throw(
      CacheConfigurationError,
      'already belongs to another CacheManager',
    );
    return first.close();
  });

  describe('#cache', () => {
    it('makes a cache at the first call, and gives the same one from then on', () => {
      expect(manager.caches()).to.deep.equal([]);
      const cache = manager.cache('users');
      expect(cache.name).to.equal('users');
      expect(manager.cache('users')).to.equal(cache);
      expect(manager.cache(defineCache('users'))).to.equal(cache);
      manager.cache('posts');
      expect(manager.caches()).to.deep.equal(['users', 'posts']);
    });

    it('keeps caches of different names apart, those of special names too', async () => {
      const names = ['a', 'A', ' a', 'a:b', '*', '__proto__', 'constructor', 'ü'];
      for (const name of names) await manager.cache(name).set(1, name);
      for (const name of names) expect(await manager.cache(name).get(1)).to.equal(name);
      expect(Object.keys(manager.statistics().caches)).to.have.members(names);
    });

    it('refuses a name that is no text', () => {
      for (const name of ['', 5, {}]) {
        expect(() => manager.cache(name as string, {})).to.throw(InvalidOptionError, 'cache name');
      }
    });

    it('lays its definition over the one of the manager, and that over the defaults', async () => {
      await manager.close();
      start({ backend: undefined, ttl: '1m', caches: { users: { ttl: '2m', nullTtl: '5s' } } });
      const users = manager.cache('users', { nullTtl: '7s', ttl: undefined });
      await users.setMany([
        [1, 'Ada'],
        [2, null],
      ]);
      expect([await users.ttl(1), await users.ttl(2)]).to.deep.equal([120_000, 7_000]);
      await manager.cache('posts').set(1, 'post');
      expect(await manager.cache('posts').ttl(1)).to.equal(60_000);
    });

    it('accepts a second definition that says the same, in other words or in fewer', () => {
      const cache = manager.cache('users', { ttl: '1m', tags: ['b', 'a'], jitter: 0.1 });
      for (const again of [
        { ttl: 60_000 },
        { ttl: '60s' },
        { tags: ['a', 'b'] },
        { sync: 'local' },
        {},
      ] as const) {
        expect(manager.cache('users', again)).to.equal(cache);
      }
      manager.cache('plain');
      expect(manager.cache('plain', { ttl: '1h' })).to.equal(manager.cache('plain'));
    });

    it('refuses a second definition that says something else, and names the option', () => {
      const codec = new JsonCodec();
      manager.cache('users', { ttl: '1m', tags: ['a'], codec });
      const table = {
        ttl: '2m',
        nullTtl: '1s',
        maxTtl: '1s',
        jitter: 0.5,
        version: 'v2',
        tags: ['b'],
        model: class {},
        codec: new JsonCodec(),
        compress: true,
        sync: false,
        onError: 'throw',
      } as const;
      for (const [option, value] of Object.entries(table)) {
        expect(() => manager.cache('users', { [option]: value })).to.throw(
          InvalidOptionError,
          `cache 'users'.${option}: the cache exists already with another value`,
        );
      }
      expect(() => manager.cache(defineCache('users', { ttl: '2m' }))).to.throw(InvalidOptionError);
      expect(() => manager.cache('users', { tll: '1m' } as never)).to.throw("did you mean 'ttl'?");
    });

    it('refuses undeclared caches under strictCaches', async () => {
      await manager.close();
      start({ backend: undefined, strictCaches: true, caches: { users: {} } });
      expect(manager.cache('users').name).to.equal('users');
      expect(manager.cache(defineCache('handled')).name).to.equal('handled');
      expect(manager.cache('handled').name).to.equal('handled');
      expect(() => manager.cache('usres')).to.throw(
        UnknownCacheError,
        "no cache 'usres' (declared: users)",
      );
      expect(manager.caches()).to.deep.equal(['users', 'handled']);
    });
  });

  describe('#invalidateTags', () => {
    const fill = async (): Promise<void> => {
      await manager.cache('a').set(1, 'x', { tags: ['x'] });
      await manager.cache('b').set(2, 'xy', { tags: ['x', 'y'] });
      await manager.cache('b').set(3, 'none');
    };
    const present = async (): Promise<unknown[]> =>
      Promise.all([
        manager.cache('a').has(1),
        manager.cache('b').has(2),
        manager.cache('b').has(3),
      ]);

    it('makes entries with any of the tags void, in every cache', async () => {
      await fill();
      expect(await manager.invalidateTags('nobody', 'x')).to.equal(undefined);
      expect(await present()).to.deep.equal([false, false, true]);
    });

    it('makes entries with all of the tags void', async () => {
      await fill();
      await manager.invalidateTags({ all: ['y', 'x'] });
      expect(await present()).to.deep.equal([true, false, true]);
    });

    it('does nothing without a tag', async () => {
      await fill();
      await manager.invalidateTags();
      await manager.invalidateTags({ all: [] });
      expect(await present()).to.deep.equal([true, true, true]);
      expect(backend.calls('invalidateTags')).to.equal(0);
    });

    it('refuses what is no tag', async () => {
      for (const wrong of [[''], [5], [['x']], [{ any: ['x'] }], [{ all: 'x' }]]) {
        const error = await errorOf(() => manager.invalidateTags(...(wrong as string[])));
        expect(error, JSON.stringify(wrong)).to.be.instanceOf(InvalidOptionError);
      }
    });

    it('is told as one event, tags sorted and without doubles', async () => {
      const told: unknown[] = [];
      manager.on('invalidate', (event) => told.push(event));
      await manager.invalidateTags('y', 'x', 'y');
      await manager.invalidateTags({ all: ['y', 'x'] });
      await manager.cache('a').invalidateTags('z');
      expect(told).to.deep.equal([
        { scope: 'tags', tags: ['x', 'y'], match: 'any' },
        { scope: 'tags', tags: ['x', 'y'], match: 'all' },
        { scope: 'tags', tags: ['z'], match: 'any' },
      ]);
    });
  });

  describe('#clearAll', () => {
    it('makes every entry of every cache void, and is told', async () => {
      const told: unknown[] = [];
      manager.on('invalidate', (event) => told.push(event));
      for (const name of ['a', 'b']) await manager.cache(name).set(1, name);
      expect(await manager.clearAll()).to.equal(undefined);
      for (const name of ['a', 'b']) expect(await manager.cache(name).has(1)).to.equal(false);
      expect(told).to.deep.equal([{ scope: 'all' }]);
    });
  });

  describe('#ping', () => {
    it('tells whether the store answers, and never rejects', async () => {
      expect(await manager.ping()).to.equal(true);
      backend.fail('ping');
      expect(await manager.ping()).to.equal(false);
      backend.heal();
      expect(await manager.ping()).to.equal(true);
      expect(manager.statistics().errors).to.equal(0);
      await manager.close();
      expect(await manager.ping()).to.equal(false);
    });
  });

  describe('#health', () => {
    it('passes on what the backend says of itself, with its name', () => {
      expect(manager.health()).to.deep.equal({ status: 'healthy', backend: 'memory' });
      for (const status of ['degraded', 'unhealthy', 'unavailable'] as const) {
        backend.answer = { status, errorCode: 'ERR_CACHE_TIMEOUT' };
        expect(manager.health()).to.deep.equal({
          status,
          backend: 'memory',
          errorCode: 'ERR_CACHE_TIMEOUT',
        });
      }
    });

    it('is disabled while the manager is off, and unavailable once it is closed', async () => {
      manager.enabled = false;
      expect(manager.health()).to.deep.equal({ status: 'disabled', backend: 'memory' });
      manager.enabled = true;
      expect(manager.health().status).to.equal('healthy');
      await manager.close();
      expect(manager.health()).to.deep.equal({ status: 'unavailable', backend: 'memory' });
    });
  });

  describe('#info', () => {
    it('gives the facts of the store, or rejects with its error', async () => {
      await manager.cache('a').set(1, 'one');
      expect(await manager.info()).to.include({ entries: 1, isolation: 'reference' });
      const error = new CacheConnectionError('refused');
      backend.fail('info', { error });
      expect(await errorOf(() => manager.info())).to.equal(error);
    });
  });

  describe('#statistics', () => {
    it('counts per cache and in sum', async () => {
      const [users, posts] = [manager.cache('users'), manager.cache('posts')];
      await users.setMany([
        [1, 'Ada'],
        [2, 'Bob'],
      ]);
      await users.get(1);
      await users.get(3);
      await posts.getOrSet(1, async () => 'post');
      await posts.deleteMany([1, 2]);
      const { caches, latency, ...sum } = manager.statistics();
      expect(sum).to.deep.equal({
        hits: 1,
        misses: 2,
        stales: 0,
        sets: 3,
        deletes: 1,
        evictions: 0,
        errors: 0,
        loads: 1,
        bytesRead: 0,
        bytesWritten: 0,
        totalRequests: 3,
        hitRate: 1 / 3,
        hitsByTier: { l1: 1, l2: 0 },
      });
      expect(latency.load.count).to.equal(1);
      expect(caches['users']).to.include({
        hits: 1,
        misses: 1,
        sets: 2,
        deletes: 0,
        loads: 0,
        hitRate: 0.5,
      });
      expect(caches['posts']).to.include({
        hits: 0,
        misses: 1,
        sets: 1,
        deletes: 1,
        loads: 1,
        hitRate: 0,
      });
      expect(users.statistics()).to.deep.equal(caches['users']);
    });

    it('counts failures of no cache, and of caches that it does not know, in the sum', async () => {
      backend.fail('clearAll');
      await manager.clearAll();
      const error = new CacheConnectionError('lost');
      backend.context.report({ type: 'error', operation: 'replay', error });
      backend.context.report({ type: 'error', operation: 'replay', error, cache: 'elsewhere' });
      backend.context.report({ type: 'bytes', cache: 'elsewhere', read: 5, written: 5 });
      expect(manager.statistics()).to.include({ errors: 3, bytesRead: 0 });
      expect(manager.statistics().caches).to.deep.equal({});
    });

    it('counts what the store reports of its own accord', () => {
      manager.cache('a');
      backend.context.report({ type: 'evict', cache: 'a', key: '1', reason: 'entries' });
      backend.context.report({ type: 'bytes', cache: 'a', read: 5, written: 7 });
      backend.context.report({ type: 'bytes', cache: 'a', read: 1, written: 0 });
      expect(manager.statistics()).to.include({ evictions: 1, bytesRead: 6, bytesWritten: 7 });
      expect(manager.cache('a').statistics()).to.include({
        evictions: 1,
        bytesRead: 6,
        bytesWritten: 7,
      });
    });

    it('is a frozen picture that later calls do not move', async () => {
      const cache = manager.cache('a');
      const before = manager.statistics();
      await cache.get(1);
      expect(before.misses).to.equal(0);
      expect(before.caches['a']!.misses).to.equal(0);
      for (const part of [
        before,
        before.caches,
        before.caches['a'],
        before.latency,
        before.hitsByTier,
      ]) {
        expect(Object.isFrozen(part)).to.equal(true);
      }
    });
  });

  describe('#resetStatistics', () => {
    it('sets every counter to 0, and keeps the entries', async () => {
      const cache = manager.cache('a');
      const fresh = manager.statistics();
      await cache.getOrSet(1, async () => 'one');
      backend.fail('clearAll');
      await manager.clearAll();
      manager.resetStatistics();
      expect(manager.statistics()).to.deep.equal(fresh);
      expect(await cache.get(1)).to.equal('one');
    });
  });

  describe('#on', () => {
    it('knows every event by name, and refuses others', () => {
      for (const name of CACHE_EVENT_NAMES) manager.on(name, () => undefined)[Symbol.dispose]();
      expect(() => manager.on('hits' as 'hit', () => undefined)).to.throw(
        InvalidOptionError,
        "expected 'hit' or",
      );
      expect(() => manager.on('hit', undefined as never)).to.throw(
        InvalidOptionError,
        'expected a function',
      );
    });

    it('tells what the store reports', () => {
      const told: unknown[] = [];
      for (const name of ['evict', 'expire', 'error', 'degraded', 'recovered'] as const) {
        manager.on(name, (event) => told.push([name, event]));
      }
      const error = new CacheConnectionError('lost');
      backend.context.report({ type: 'evict', cache: 'a', key: '1', reason: 'bytes' });
      backend.context.report({ type: 'expire', cache: 'a', key: '1' });
      backend.context.report({ type: 'error', operation: 'get', error, cache: 'a', key: '1' });
      backend.context.report({ type: 'degraded', error });
      backend.context.report({ type: 'recovered' });
      expect(told).to.deep.equal([
        ['evict', { cache: 'a', key: '1', reason: 'bytes' }],
        ['expire', { cache: 'a', key: '1' }],
        ['error', { operation: 'get', error, cache: 'a', key: '1' }],
        ['degraded', { error }],
        ['recovered', {}],
      ]);
    });

    it('does not let a failing listener, at once or later, disturb the call or the others', async () => {
      const warnings: unknown[] = [];
      await manager.close();
      const logger: CacheLogger = {
        ...silentLogger,
        warn: (...given) => void warnings.push(given),
      };
      start({ backend: undefined, logger });
      let told = 0;
      manager.on('set', () => {
        throw new Error('at once');
      });
      manager.on('set', async () => {
        throw new Error('later');
      });
      using _last = manager.on('set', () => void told++);
      expect(await manager.cache('a').set(1, 'one')).to.equal(true);
      await settle();
      expect(told).to.equal(1);
      expect(warnings).to.deep.equal([
        ["A listener of the event 'set' failed.", { error: 'Error: at once' }],
        ["A listener of the event 'set' failed.", { error: 'Error: later' }],
      ]);
    });
  });

  describe('with debug', () => {
    it('logs what happens, without values', async () => {
      await manager.close();
      const logged: string[] = [];
      start({
        backend: undefined,
        debug: true,
        logger: { ...silentLogger, debug: (message) => void logged.push(message) },
      });
      await manager.cache('a').getOrSet(1, async () => 'secret');
      await manager.cache('a').get(1);
      await manager.cache('a').delete(1);
      expect(logged).to.deep.equal(['miss', 'set', 'load', 'hit', 'invalidate']);
    });
  });
});
