import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { Cache, GetOrSetOptions } from '#internal/cache/cache.js';
import type { CacheDefinition } from '#internal/cache/cache-handle.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import type { Duration } from '#internal/duration.js';
import { CacheConnectionError, InvalidOptionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { errorOf } from '../../support/framing.js';

describe('The options of a call that stores', () => {
  let backend: FaultyBackend;
  let clock: ManualClock;
  let manager: CacheManager;
  let draws: number[];
  const open = (definition: CacheDefinition = {}): Cache => manager.cache('a', definition);
  beforeEach(() => {
    backend = new FaultyBackend(new MemoryBackend());
    clock = new ManualClock();
    draws = [];
    const random = (): number => draws.shift() ?? Math.random();
    manager = new CacheManager({ backend, clock, random, logger: silentLogger });
  });
  afterEach(() => manager.close());

  describe('about time', () => {
    type Row = readonly [
      title: string,
      definition: CacheDefinition,
      options: GetOrSetOptions,
      value: unknown,
      ttlMs: number | undefined,
    ];
    const ROWS: readonly Row[] = [
      ['the default of one hour', {}, {}, 'v', 3_600_000],
      ["the cache's", { ttl: '1m' }, {}, 'v', 60_000],
      ["the call's over the cache's", { ttl: '1m' }, { ttl: '2m' }, 'v', 120_000],
      ['no end', {}, { ttl: Infinity }, 'v', Infinity],
      ['not stored with 0', {}, { ttl: 0 }, 'v', undefined],
      ["not stored with the cache's 0", { ttl: 0 }, {}, 'v', undefined],
      ['cut to maxTtl', { maxTtl: '10s' }, { ttl: '1m' }, 'v', 10_000],
      ['cut to maxTtl, without end', { maxTtl: '10s' }, { ttl: Infinity }, 'v', 10_000],
      ['not lengthened to maxTtl', { maxTtl: '10s' }, { ttl: '1s' }, 'v', 1_000],
      ['not stored with a maxTtl of 0', { maxTtl: 0 }, {}, 'v', undefined],
      ["the cache's nullTtl", { nullTtl: '5s' }, { ttl: '1m' }, null, 5_000],
      ["the call's nullTtl", { nullTtl: '5s' }, { nullTtl: '6s' }, null, 6_000],
      ['the nullTtl, cut to maxTtl', { maxTtl: '1s' }, { nullTtl: '6s' }, null, 1_000],
      ['null not stored with a nullTtl of 0', { nullTtl: 0 }, {}, null, undefined],
      ['the nullTtl for null alone', { nullTtl: 0, ttl: '1m' }, {}, false, 60_000],
    ];
    for (const [title, definition, options, value, ttlMs] of ROWS) {
      it(`mean ${title}`, async () => {
        const cache = open(definition);
        const isStored = ttlMs !== undefined;
        expect(await cache.set(1, value, options)).to.equal(isStored);
        expect(await cache.ttl(1)).to.equal(ttlMs);
        expect(await cache.getOrSet(2, async () => value, options)).to.equal(value);
        expect(await cache.ttl(2)).to.equal(ttlMs);
        await cache.getOrSetMany([3], async () => new Map([[3 as const, value]]), options);
        expect(await cache.ttl(3)).to.equal(ttlMs);
      });
    }

    it('end exactly then', async () => {
      const cache = open({ ttl: '10s' });
      await cache.set(1, 'one');
      clock.advance(9_999);
      expect(await cache.getEntry(1)).to.include({ value: 'one', ageMs: 9_999, ttlMs: 1 });
      clock.advance(1);
      expect(await cache.get(1)).to.equal(undefined);
      expect(await cache.getEntry(1)).to.include({ status: 'miss', value: undefined });
    });

    it('take the old value away, when the new one is not to be stored', async () => {
      const cache = open();
      await cache.setMany([
        [1, 'old'],
        [2, 'old'],
      ]);
      expect(
        await cache.setMany(
          [
            [1, 'new'],
            [2, 'new'],
          ],
          { ttl: 0 },
        ),
      ).to.equal(0);
      expect(await cache.getMany([1, 2])).to.deep.equal(new Map());
    });

    it('spread by the jitter, within its bounds and over all of them', async () => {
      const cache = open({ ttl: 1_000, jitter: 0.1 });
      let [least, most] = [Infinity, 0];
      for (let draw = 0; draw < 10_000; draw++) {
        await cache.set(1, draw);
        const ttlMs = (await cache.ttl(1))!;
        expect(ttlMs).to.be.within(900, 1_100);
        [least, most] = [Math.min(least, ttlMs), Math.max(most, ttlMs)];
      }
      expect(least).to.be.below(905);
      expect(most).to.be.above(1_095);
    });

    it('draw once for each entry, and not at all without jitter', async () => {
      const cache = open({ ttl: 1_000 });
      draws = [0, 0.5, 0.75];
      await cache.set(0, 'none');
      expect(draws).to.have.length(3);
      await cache.setMany(
        [
          [1, 'a'],
          [2, 'b'],
          [3, 'c'],
        ],
        { jitter: 0.2 },
      );
      expect(await Promise.all([1, 2, 3].map((key) => cache.ttl(key)))).to.deep.equal([
        800, 1_000, 1_100,
      ]);
      expect(draws).to.deep.equal([]);
    });

    it('never spread beyond maxTtl, to 0, or away from no end', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.double({ min: 0, max: 1, noNaN: true }),
          fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
          fc.constantFrom<Duration>(1, 500, 1_000, 5_000, Infinity),
          async (jitter, draw, ttl) => {
            await using own = new CacheManager({ clock, random: () => draw, logger: silentLogger });
            const cache = own.cache('a', { maxTtl: 2_000 });
            await cache.set(1, 'v', { ttl, jitter });
            expect(await cache.ttl(1)).to.be.within(1, 2_000);
            await own.cache('endless').set(1, 'v', { ttl: Infinity, jitter });
            expect(await own.cache('endless').ttl(1)).to.equal(Infinity);
          },
        ),
      );
    });
  });

  describe('about tags', () => {
    it('come beside those of the cache and of the load, sorted, without doubles', async () => {
      const cache = open({ tags: ['c', 'all'] });
      await cache.set(1, 'v', { tags: ['b', 'c', 'b'] });
      expect((await cache.getEntry(1)).tags).to.deep.equal(['all', 'b', 'c']);
      await cache.getOrSet(
        2,
        async (context) => {
          context.tags.add('z', 'b');
          return 'v';
        },
        { tags: ['b'] },
      );
      expect((await cache.getEntry(2)).tags).to.deep.equal(['all', 'b', 'c', 'z']);
    });
  });

  describe('that are wrong', () => {
    const WRONG: readonly (readonly [options: object, message: string])[] = [
      [{ tll: 1 }, "cache 'a'.tll: there is no such option; did you mean 'ttl'?"],
      [{ ttl: -1 }, 'a.ttl: expected a duration'],
      [{ ttl: '1 minute' }, 'a.ttl: expected a duration'],
      [{ nullTtl: -1 }, 'a.nullTtl: expected a duration'],
      [{ jitter: 2 }, 'a.jitter: expected a number from 0 to 1'],
      [{ jitter: -0.1 }, 'a.jitter: expected a number from 0 to 1'],
      [{ tags: 'x' }, 'a.tags: expected a list of tags'],
      [{ tags: [''] }, 'a.tags: expected a text'],
      [{ codec: {} }, 'a.codec: expected a CacheCodec'],
      [{ compress: 'gzip' }, 'a.compress: expected a CacheCompressor'],
      [{ onError: 'ignore' }, "a.onError: expected 'bypass' or 'throw'"],
    ];
    const LOADING: readonly (readonly [options: object, message: string])[] = [
      [{ sync: 'global' }, "a.sync: expected 'local' or 'cluster' or false"],
      [{ sync: true }, "a.sync: expected 'local' or 'cluster' or false"],
      [{ refresh: 'yes' }, 'a.refresh: expected true or false'],
    ];
    const refused = async (call: () => Promise<unknown>, message: string): Promise<void> => {
      const error = await errorOf(call);
      expect(error, message).to.be.instanceOf(InvalidOptionError);
      expect((error as Error).message).to.contain(message);
    };
    for (const [options, message] of WRONG) {
      it(`are refused by every call, before anything is loaded or stored: ${message}`, async () => {
        const cache = open();
        let runs = 0;
        const load = async (): Promise<number> => ++runs;
        await refused(() => cache.set(1, 'v', options), message);
        await refused(() => cache.setMany([[1, 'v']], options), message);
        await refused(() => cache.getOrSet(1, load, options), message);
        await refused(
          () => cache.getOrSetMany([1], async () => new Map([[1 as const, await load()]]), options),
          message,
        );
        await refused(() => cache.warm([[1, load]], options), message);
        expect(runs).to.equal(0);
        expect(await cache.keys()).to.deep.equal({ keys: [], cursor: '0' });
      });
    }
    for (const [options, message] of LOADING) {
      it(`are refused by calls that load, also on a hit: ${message}`, async () => {
        const cache = open();
        await cache.set(1, 'v');
        await refused(() => cache.getOrSet(1, async () => 'loaded', options), message);
        await refused(() => cache.getOrSetMany([1], async () => new Map(), options), message);
      });
    }

    it('are the options of another call', async () => {
      await refused(() => open().set(1, 'v', { refresh: true } as never), "cache 'a'.refresh");
      await refused(
        () => open().getOrSet(1, async () => 'v', { concurrency: 2 } as never),
        "cache 'a'.concurrency",
      );
    });

    it('are no reason to lose a loaded value, when the load itself sets them', async () => {
      const told: unknown[] = [];
      manager.on('error', ({ operation, error, key }) => told.push([operation, error.code, key]));
      const cache = open();
      const value = await cache.getOrSet(1, async (context) => {
        context.ttl = 'soon' as Duration;
        return 'loaded';
      });
      expect(value).to.equal('loaded');
      expect(await cache.has(1)).to.equal(false);
      expect(told).to.deep.equal([['store', 'ERR_CACHE_INVALID_OPTION', '1']]);
    });
  });

  describe('about errors', () => {
    it('go before those of the cache', async () => {
      backend.fail('store');
      const [strict, lax] = [manager.cache('strict', { onError: 'throw' }), open()];
      expect(await strict.set(1, 'v', { onError: 'bypass' })).to.equal(false);
      expect(await errorOf(() => strict.set(1, 'v'))).to.be.instanceOf(CacheConnectionError);
      expect(await errorOf(() => lax.set(1, 'v', { onError: 'throw' }))).to.be.instanceOf(
        CacheConnectionError,
      );
      expect(await lax.getOrSet(1, async () => 'loaded')).to.equal('loaded');
      expect(
        await errorOf(() => lax.getOrSet(1, async () => 'loaded', { onError: 'throw' })),
      ).to.be.instanceOf(CacheConnectionError);
    });
  });

  it('about bytes are accepted where values are kept', async () => {
    const cache = open();
    expect(await cache.set(1, 'v', { codec: new JsonCodec(), compress: true })).to.equal(true);
    expect(await cache.get(1)).to.equal('v');
  });
});
