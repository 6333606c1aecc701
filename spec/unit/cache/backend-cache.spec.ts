import { expect } from 'chai';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import {
  CacheKeyError,
  InvalidOptionError,
  isCacheError,
  type CacheErrorCode,
} from '#internal/errors.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

describe('BackendCache', () => {
  let clock: ManualClock;
  let backend: FaultyBackend;
  let manager: CacheManager;
  let cache: Cache;
  beforeEach(() => {
    clock = new ManualClock();
    backend = new FaultyBackend(new MemoryBackend());
    manager = new CacheManager({ backend, clock, logger: silentLogger });
    cache = manager.cache('a');
  });
  afterEach(() => manager.close());

  const rejection = async (call: Promise<unknown>): Promise<unknown> =>
    call.then(
      () => 'nothing was thrown',
      (error: unknown) => error,
    );

  describe('#get', () => {
    it("gives undefined for what is absent, and null, 0, '' and false for what is there", async () => {
      for (const value of [null, 0, '', false, NaN, []]) {
        await cache.set('k', value);
        expect(await cache.get('k')).to.deep.equal(value);
      }
      expect(await cache.get('other')).to.equal(undefined);
    });

    it('takes a part for the tuple of it, and tells kinds apart', async () => {
      await cache.set([1], 'number');
      await cache.set('1', 'string');
      expect(await cache.get(1)).to.equal('number');
      expect(await cache.get(['1'])).to.equal('string');
      expect(await cache.get([1, undefined])).to.equal('number');
      expect(await cache.get([1, null])).to.equal(undefined);
    });

    it('rejects for a key that is none, whatever onError says', async () => {
      for (const call of [
        cache.get({} as never),
        cache.set((() => 1) as never, 1),
        cache.delete(Symbol('k') as never),
      ]) {
        expect(await rejection(call)).to.be.instanceOf(CacheKeyError);
      }
    });
  });

  describe('#getEntry', () => {
    it('tells the age, the rest, the source and the tags', async () => {
      await cache.set(1, 'one', { ttl: '10s', tags: ['t'] });
      clock.advance('4s');
      expect(await cache.getEntry(1)).to.deep.equal({
        status: 'hit',
        value: 'one',
        ageMs: 4_000,
        ttlMs: 6_000,
        source: 'l1',
        tags: ['t'],
      });
    });

    it('tells of a miss', async () => {
      expect(await cache.getEntry(1)).to.deep.equal({
        status: 'miss',
        value: undefined,
        ageMs: undefined,
        ttlMs: undefined,
        source: undefined,
        tags: [],
      });
    });
  });

  describe('#getMany', () => {
    it('gives what is there, by the keys as they were given', async () => {
      await cache.setMany([
        [1, 'one'],
        [['x', 2], 'two'],
      ]);
      const tuple = ['x', 2] as const;
      const found = await cache.getMany<1 | typeof tuple | 3>([1, tuple, 3]);
      expect([...found]).to.deep.equal([
        [1, 'one'],
        [tuple, 'two'],
      ]);
      expect(backend.calls('getMany')).to.equal(1);
      expect(await cache.getMany([])).to.deep.equal(new Map());
    });
  });

  describe('#set', () => {
    it('refuses undefined', async () => {
      const error = await rejection(cache.set(1, undefined));
      expect(error).to.be.instanceOf(InvalidOptionError);
      expect((error as Error).message).to.contain('store null, or delete the key');
    });

    it('gives whether it is stored', async () => {
      expect(await cache.set(1, 'one')).to.equal(true);
      expect(await cache.set(1, 'one', { ttl: 0 })).to.equal(false);
      expect(await cache.has(1), 'the old value is not true any more').to.equal(false);
      backend.fail('store');
      expect(await cache.set(1, 'one')).to.equal(false);
    });

    it('refuses unknown options, and wrong ones', async () => {
      for (const options of [
        { tll: 1 },
        { ttl: -1 },
        { tags: 'x' },
        { codec: {} },
        { refresh: true },
      ]) {
        expect(
          await rejection(cache.set(1, 'one', options as never)),
          JSON.stringify(options),
        ).to.be.instanceOf(InvalidOptionError);
      }
    });
  });

  describe('#setMany', () => {
    it('counts what is stored, in one round trip', async () => {
      expect(
        await cache.setMany(
          new Map([
            [1, 'one'],
            [2, 'two'],
          ]),
        ),
      ).to.equal(2);
      expect(backend.calls('store')).to.equal(1);
      expect(await cache.setMany([])).to.equal(0);
    });
  });

  describe('#delete and #deleteMany', () => {
    it('tell what was there', async () => {
      await cache.setMany([
        [1, 'one'],
        [2, 'two'],
      ]);
      expect(await cache.delete(1)).to.equal(true);
      expect(await cache.delete(1)).to.equal(false);
      expect(await cache.deleteMany([1, 2, 2, 3])).to.equal(1);
      expect(await cache.deleteMany([])).to.equal(0);
    });
  });

  describe('#has and #ttl', () => {
    it('tell of live entries, and count as no read', async () => {
      await cache.set(1, 'one', { ttl: '1s' });
      await cache.set(2, 'two', { ttl: Infinity });
      expect([await cache.has(1), await cache.ttl(1), await cache.ttl(2)]).to.deep.equal([
        true,
        1_000,
        Infinity,
      ]);
      clock.advance('1s');
      expect([await cache.has(1), await cache.ttl(1)]).to.deep.equal([false, undefined]);
      expect(manager.statistics()).to.include({ hits: 0, misses: 0 });
    });
  });

  describe('#expire', () => {
    it('sets the time from now on', async () => {
      await cache.set(1, 'one');
      expect(await cache.expire(1, '5s')).to.equal(true);
      expect(await cache.ttl(1)).to.equal(5_000);
      expect(await cache.expire(1, Infinity)).to.equal(true);
      expect(await cache.ttl(1)).to.equal(Infinity);
      expect(await cache.expire(2, '5s')).to.equal(false);
    });

    it('deletes with 0 or less', async () => {
      for (const ttl of [0, -1, '0s'] as const) {
        await cache.set(1, 'one');
        expect(await cache.expire(1, ttl)).to.equal(true);
        expect(await cache.expire(1, ttl)).to.equal(false);
        expect(await cache.has(1)).to.equal(false);
      }
    });

    it('is bounded by maxTtl', async () => {
      const bounded = manager.cache('bounded', { maxTtl: '1m' });
      await bounded.set(1, 'one', { ttl: '1s' });
      await bounded.expire(1, '1h');
      expect(await bounded.ttl(1)).to.equal(60_000);
    });

    it('refuses what is no duration', async () => {
      expect(await rejection(cache.expire(1, 'soon' as never))).to.be.instanceOf(
        InvalidOptionError,
      );
      expect(await rejection(cache.expire(1, NaN))).to.be.instanceOf(InvalidOptionError);
    });
  });

  describe('#keys', () => {
    it('walks in pages', async () => {
      await cache.setMany(Array.from({ length: 250 }, (_, index) => [index, index] as const));
      const seen = new Set<string>();
      let cursor: string | undefined;
      let pages = 0;
      do {
        const page = await cache.keys({ cursor, count: 100 });
        for (const key of page.keys) seen.add(key);
        cursor = page.cursor;
        pages++;
      } while (cursor !== '0');
      expect(seen.size).to.equal(250);
      expect(pages).to.be.within(2, 5);
    });

    it('filters by a glob', async () => {
      await cache.setMany([
        [['user', 1], 'a'],
        [['user', 2], 'b'],
        [['order', 1], 'c'],
      ]);
      expect([...(await cache.keys({ pattern: 'user:*' })).keys].sort()).to.deep.equal([
        'user:1',
        'user:2',
      ]);
    });

    it('refuses unknown options, and wrong ones', async () => {
      for (const options of [{ patern: '*' }, { count: 0 }, { count: 10_001 }]) {
        expect(await rejection(cache.keys(options as never))).to.be.instanceOf(InvalidOptionError);
      }
    });
  });

  it('iterates over keys and values', async () => {
    await cache.setMany([
      [1, 'one'],
      ['x', null],
    ]);
    const seen = new Map<string, unknown>();
    for await (const [key, value] of cache) seen.set(key, value);
    expect(seen).to.deep.equal(
      new Map<string, unknown>([
        ['1', 'one'],
        ['x', null],
      ]),
    );
    expect(manager.statistics()).to.include({ hits: 0, misses: 0 });
  });

  describe('#clear, #deletePattern and #invalidateTags', () => {
    it('end what they name, and nothing else', async () => {
      const other = manager.cache('other');
      await cache.setMany(
        [
          [1, 'a'],
          [12, 'b'],
          [2, 'c'],
        ],
        { tags: ['t', 'u'] },
      );
      await other.set(1, 'x', { tags: ['t'] });
      expect(await cache.deletePattern('1*')).to.equal(2);
      await cache.invalidateTags({ all: ['t', 'u'] });
      expect(await cache.has(2)).to.equal(false);
      expect(await other.has(1)).to.equal(true);
      await other.invalidateTags('t', 'z');
      expect(await other.has(1)).to.equal(false);
      await cache.set(1, 'a');
      await other.clear();
      expect(await cache.has(1)).to.equal(true);
      await cache.clear();
      expect(await cache.has(1)).to.equal(false);
    });
  });

  describe('#getOrSetMany', () => {
    it('loads what is missing, once, and leaves out what the load leaves out', async () => {
      await cache.set(1, 'one');
      const asked: unknown[] = [];
      const load = async (keys: readonly number[]): Promise<Map<number, string>> => {
        asked.push([...keys]);
        return new Map(keys.filter((key) => key < 10).map((key) => [key, `loaded ${key}`]));
      };
      const found = await cache.getOrSetMany<number>([1, 2, 2, 11], load as never);
      expect([...found]).to.deep.equal([
        [1, 'one'],
        [2, 'loaded 2'],
      ]);
      expect(asked).to.deep.equal([[2, 11]]);
      await cache.getOrSetMany<number>([2, 11], load as never);
      expect(asked).to.deep.equal([[2, 11], [11]]);
    });

    it('rejects with the very error of the load, and stores nothing', async () => {
      const error = new RangeError('failed');
      expect(await rejection(cache.getOrSetMany([1, 2], () => Promise.reject(error)))).to.equal(
        error,
      );
      expect((await cache.keys()).keys).to.deep.equal([]);
    });

    it('loads all with a refresh', async () => {
      await cache.set(1, 'old');
      const found = await cache.getOrSetMany([1], async () => new Map([[1 as const, 'new']]), {
        refresh: true,
      });
      expect([...found.values()]).to.deep.equal(['new']);
      expect(await cache.get(1)).to.equal('new');
    });
  });

  describe('under onError', () => {
    type Operation = Parameters<FaultyBackend['fail']>[0];
    const TABLE: readonly (readonly [Operation, (cache: Cache) => Promise<unknown>, unknown])[] = [
      ['get', (each) => each.get(1), undefined],
      ['get', (each) => each.getEntry(1).then(({ status }) => status), 'miss'],
      ['getMany', (each) => each.getMany([1]).then(({ size }) => size), 0],
      ['get', (each) => each.has(1), false],
      ['get', (each) => each.ttl(1), undefined],
      ['store', (each) => each.set(1, 'one'), false],
      ['store', (each) => each.setMany([[1, 'one']]), 0],
      ['delete', (each) => each.delete(1), false],
      ['delete', (each) => each.deleteMany([1]), 0],
      ['expire', (each) => each.expire(1, '1s'), false],
      ['clear', (each) => each.clear(), undefined],
      ['deletePattern', (each) => each.deletePattern('*'), 0],
      ['invalidateTags', (each) => each.invalidateTags('t'), undefined],
      ['scan', (each) => each.keys().then(({ keys }) => keys.length), 0],
      ['begin', (each) => each.getOrSet(1, async () => 'loaded', { refresh: true }), 'loaded'],
      ['store', (each) => each.getOrSet(1, async () => 'loaded'), 'loaded'],
      [
        'begin',
        (each) =>
          each.getOrSetMany([1], async () => new Map([[1 as const, 'x']])).then(({ size }) => size),
        1,
      ],
    ];
    for (const [index, [operation, call, otherwise]] of TABLE.entries()) {
      it(`'bypass' goes on when '${operation}' fails, and 'throw' rejects: ${index + 1}`, async () => {
        await cache.set(1, 'before');
        if (call.toString().includes('getOrSet')) await cache.delete(1);
        backend.fail(operation);
        const codes: CacheErrorCode[] = [];
        manager.on('error', ({ error }) => codes.push(error.code));
        expect(await call(cache)).to.equal(otherwise);
        expect(codes).to.deep.equal(['ERR_CACHE_CONNECTION']);
        const strict = manager.cache('strict', { onError: 'throw' });
        expect(isCacheError(await rejection(call(strict)), 'ERR_CACHE_CONNECTION')).to.equal(true);
      });
    }
  });
});
