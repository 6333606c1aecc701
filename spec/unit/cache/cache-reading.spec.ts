import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { BackendStore, CacheSpace, ScanPage } from '#internal/cache/backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheConnectionError, InvalidOptionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { errorOf } from '../../support/framing.js';
import { GatedSource, settle } from '../../support/gated-source.js';

describe('A Cache', () => {
  let clock: ManualClock;
  let backend: FaultyBackend;
  let manager: CacheManager;
  let cache: Cache;
  beforeEach(() => {
    clock = new ManualClock();
    backend = new FaultyBackend(new MemoryBackend({ maxEntries: Infinity }));
    manager = new CacheManager({ backend, clock, logger: silentLogger });
    cache = manager.cache('a');
  });
  afterEach(() => manager.close());

  describe('#getEntry', () => {
    it('tells no rest of what has no end', async () => {
      await cache.set(1, null, { ttl: Infinity });
      clock.advance('30d');
      expect(await cache.getEntry(1)).to.deep.equal({
        status: 'hit',
        value: null,
        ageMs: 30 * 86_400_000,
        ttlMs: Infinity,
        source: 'l1',
        tags: [],
      });
    });

    it('counts as a read, as #get and #getMany do', async () => {
      await cache.set(1, 'one');
      await cache.getEntry(1);
      await cache.getEntry(2);
      await cache.get(1);
      await cache.getMany([1, 2, 3]);
      expect(cache.statistics()).to.include({ hits: 3, misses: 3, totalRequests: 6, hitRate: 0.5 });
    });
  });

  describe('#setMany', () => {
    it('refuses all, when one of the values is undefined', async () => {
      const error = await errorOf(() =>
        cache.setMany([
          [1, 'one'],
          [2, undefined],
        ]),
      );
      expect(error).to.be.instanceOf(InvalidOptionError);
      expect((error as Error).message)
        .to.contain("set('2')")
        .and.contain('store null, or delete the key');
      expect(await cache.has(1)).to.equal(false);
    });
  });

  describe('#getOrSet', () => {
    it('loads a miss, stores it, and does not load a hit, whatever the value', async () => {
      let runs = 0;
      const values = [null, 0, '', false, NaN, []];
      for (const [key, value] of values.entries()) {
        const load = async (): Promise<unknown> => {
          runs++;
          return value;
        };
        expect(await cache.getOrSet(key, load)).to.deep.equal(value);
        expect(await cache.getOrSet(key, load)).to.deep.equal(value);
      }
      expect(runs).to.equal(values.length);
    });

    it('does not store undefined', async () => {
      let runs = 0;
      for (let call = 0; call < 2; call++) {
        expect(await cache.getOrSet(1, async () => void runs++)).to.equal(undefined);
      }
      expect(runs).to.equal(2);
      expect(await cache.has(1)).to.equal(false);
    });

    it('calls one loader for a hundred callers', async () => {
      const source = new GatedSource();
      const calls = Array.from({ length: 100 }, () => cache.getOrSet(1, () => source.load()));
      await source.started(1);
      await settle();
      source.finish(1, 'one');
      expect(new Set(await Promise.all(calls))).to.deep.equal(new Set(['one']));
      expect(source.count).to.equal(1);
      expect(cache.statistics()).to.include({ misses: 100, loads: 1, sets: 1 });
    });

    it('calls a loader for each caller with sync false', async () => {
      const source = new GatedSource();
      const calls = [1, 2, 3].map(() => cache.getOrSet(1, () => source.load(), { sync: false }));
      await source.started(3);
      [1, 2, 3].forEach((number) => source.finish(number, number));
      expect(await Promise.all(calls)).to.deep.equal([1, 2, 3]);
    });

    it('rejects all who wait with the same error, stores nothing, and loads again then', async () => {
      const source = new GatedSource();
      const calls = [1, 2, 3].map(() => errorOf(() => cache.getOrSet(1, () => source.load())));
      await source.started(1);
      await settle();
      const error = new RangeError('failed');
      source.fail(1, error);
      for (const each of await Promise.all(calls)) expect(each).to.equal(error);
      expect(await cache.has(1)).to.equal(false);
      expect(await cache.getOrSet(1, async () => 'again')).to.equal('again');
    });

    it('loads and stores anew with refresh', async () => {
      await cache.set(1, 'old');
      expect(await cache.getOrSet(1, async () => 'new', { refresh: true })).to.equal('new');
      expect(await cache.get(1)).to.equal('new');
      expect(cache.statistics()).to.include({ hits: 1, misses: 0 });
    });

    it('does as the load says: a ttl, a tag, nothing stored', async () => {
      await cache.getOrSet(
        1,
        async (context) => {
          context.ttl = '3s';
          context.tags.add('seen');
          return null;
        },
        { nullTtl: '9s' },
      );
      expect(await cache.getEntry(1))
        .to.include({ ttlMs: 3_000 })
        .and.have.property('tags')
        .eql(['seen']);
      await cache.getOrSet(2, async (context) => {
        context.doNotStore();
        return 'two';
      });
      expect(await cache.has(2)).to.equal(false);
    });

    it('keeps out a value whose key was deleted, put or cleared while it loaded', async () => {
      const during: readonly (() => Promise<unknown>)[] = [
        () => cache.delete(1),
        () => cache.deleteMany([1]),
        () => cache.clear(),
        () => cache.deletePattern('*'),
        () => cache.expire(1, 0),
        () => cache.invalidateTags('t'),
        () => manager.clearAll(),
      ];
      for (const invalidate of during) {
        const value = await cache.getOrSet(
          1,
          async () => {
            await invalidate();
            return 'old';
          },
          { tags: ['t'] },
        );
        expect(value).to.equal('old');
        expect(await cache.has(1), invalidate.toString()).to.equal(false);
      }
      await cache.getOrSet(1, async () => {
        await cache.set(1, 'put');
        return 'old';
      });
      expect(await cache.get(1)).to.equal('put');
    });
  });

  describe('#deleteMany', () => {
    it('asks for each key once', async () => {
      const told: unknown[] = [];
      manager.on('delete', (event) => told.push(event));
      await cache.set(1, 'one');
      expect(await cache.deleteMany([1, [1], 2, 1])).to.equal(1);
      expect(told).to.deep.equal([{ cache: 'a', keys: ['1', '2'], count: 1 }]);
    });
  });

  describe('#keys', () => {
    it('gives live keys only', async () => {
      await cache.set(1, 'one', { ttl: '1s' });
      await cache.set(2, 'two');
      await cache.set(3, 'three', { tags: ['t'] });
      clock.advance('1s');
      await manager.invalidateTags('t');
      expect(await cache.keys()).to.deep.equal({ keys: ['2'], cursor: '0' });
    });

    it('ends at once in an empty cache, and beyond the end', async () => {
      expect(await cache.keys()).to.deep.equal({ keys: [], cursor: '0' });
      await cache.set(1, 'one');
      expect((await cache.keys({ pattern: 'x*' })).keys).to.deep.equal([]);
    });
  });

  describe('#[Symbol.asyncIterator]', () => {
    const fill = (count: number): Promise<number> =>
      cache.setMany(Array.from({ length: count }, (_, key) => [key, `value ${key}`] as const));

    it('gives every entry once, over many pages', async () => {
      await fill(2_500);
      const seen: string[] = [];
      for await (const [key, value] of cache) {
        expect(value).to.equal(`value ${key}`);
        seen.push(key);
      }
      expect(seen).to.have.length(2_500);
      expect(new Set(seen).size).to.equal(2_500);
      expect(backend.calls('scan')).to.be.at.least(3);
    });

    it('gives an entry once that the store lists twice, within a page or on two', async () => {
      class RepeatingBackend extends FaultyBackend {
        override open(space: CacheSpace): BackendStore {
          const store = super.open(space);
          const pages: ScanPage[] = [
            { keys: ['1', '2', '1'], cursor: 'more' },
            { keys: ['2', '3'], cursor: '0' },
          ];
          return { ...store, scan: ({ cursor }) => pages[cursor === 'more' ? 1 : 0]! };
        }
      }
      await using own = new CacheManager({
        backend: new RepeatingBackend(new MemoryBackend()),
        logger: silentLogger,
      });
      const repeating = own.cache('a');
      await repeating.setMany([1, 2, 3].map((key) => [key, key] as const));
      const seen: string[] = [];
      for await (const [key] of repeating) seen.push(key);
      expect(seen).to.deep.equal(['1', '2', '3']);
    });

    it('gives nothing of an empty cache', async () => {
      for await (const _entry of cache) expect.fail('there is no entry');
    });

    it('leaves out what is deleted or expires before its page comes, and can be left early', async () => {
      await fill(1_500);
      let count = 0;
      for await (const _entry of cache) {
        if (++count === 1) await cache.clear();
        if (count > 1_000) expect.fail('a page that came after the clear');
      }
      expect(count).to.equal(1_000);
      await fill(10);
      for await (const _entry of cache) break;
      expect(await cache.has(1)).to.equal(true);
    });

    it('bypasses or rejects, when the store fails', async () => {
      await fill(3);
      const strict = manager.cache('strict', { onError: 'throw' });
      await strict.set(1, 'one');
      const walk = async (each: Cache): Promise<string[]> => {
        const keys: string[] = [];
        for await (const [key] of each) keys.push(key);
        return keys;
      };
      for (const operation of ['scan', 'getMany'] as const) {
        const error = new CacheConnectionError('refused');
        backend.fail(operation, { error });
        expect(await walk(cache)).to.deep.equal([]);
        expect(await errorOf(() => walk(strict))).to.equal(error);
        backend.heal();
      }
      expect(manager.statistics().errors).to.equal(4);
    });
  });

  describe('a load that others wait for, when the store fails', () => {
    const loadAll = async (missing: readonly unknown[]): Promise<Map<number, string>> =>
      new Map(missing.map((id) => [id as number, 'loaded']));
    const calls = {
      getOrSet: (onError: 'bypass' | 'throw') =>
        cache.getOrSet(1, async () => 'loaded', { onError }),
      getOrSetMany: async (onError: 'bypass' | 'throw') =>
        (await cache.getOrSetMany([1], loadAll as never, { onError })).get(1),
    };
    for (const first of ['getOrSet', 'getOrSetMany'] as const) {
      for (const second of ['getOrSet', 'getOrSetMany'] as const) {
        it(`fails ${first} under throw, and not ${second}, which joined it, under bypass`, async () => {
          const error = new CacheConnectionError('refused');
          backend.fail('begin', { error });
          const held = backend.hold('begin');
          const strict = errorOf(() => calls[first]('throw'));
          await settle();
          const lenient = calls[second]('bypass');
          await settle();
          held.release();
          expect(await strict).to.equal(error);
          expect(await lenient).to.equal('loaded');
        });
      }
    }
  });

  describe('#warm, when the store fails', () => {
    for (const onError of ['bypass', 'throw'] as const) {
      it(`counts what is not there as failed, and each failure once, under ${onError}`, async () => {
        const own = manager.cache('own', { onError });
        backend.fail('store');
        const result = await own.warm([
          [1, async () => 'loaded'],
          [2, 'two'],
        ]);
        expect(result).to.deep.equal({ stored: 0, failed: 2 });
        expect(own.statistics()).to.include({ errors: 2, loads: 1 });
      });
    }

    it('counts what is refused or not to be stored as failed', async () => {
      const result = await cache.warm([
        [
          1,
          async () => {
            await cache.delete(1);
            return 'invalidated meanwhile';
          },
        ],
        [2, async () => undefined],
        [3, async () => 'three'],
      ]);
      expect(result).to.deep.equal({ stored: 1, failed: 2 });
      expect(
        await cache.warm(
          [
            [4, async () => 'four'],
            [5, 'five'],
          ],
          { ttl: 0 },
        ),
      ).to.deep.equal({ stored: 0, failed: 2 });
    });

    it('rejects after close under throw, and does nothing under bypass', async () => {
      const strict = manager.cache('strict', { onError: 'throw' });
      await manager.close();
      let runs = 0;
      const load = async (): Promise<number> => ++runs;
      expect(await errorOf(() => strict.warm([[1, load]]))).to.have.property(
        'code',
        'ERR_CACHE_CLOSED',
      );
      expect(await cache.warm([[1, load]])).to.deep.equal({ stored: 0, failed: 0 });
      expect(runs).to.equal(0);
    });
  });
});
