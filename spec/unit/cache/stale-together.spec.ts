import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { CacheConnectionError } from '#internal/errors.js';
import { settle } from '../../support/gated-source.js';
import { SharedFaultyBackend } from '../../support/shared-faulty-backend.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

/** What options of time do beside each other, beside failures of the store, and beside other callers. */
describe('Options of time together', () => {
  let timed: TimedCache;
  afterEach(() => timed.manager.close());

  for (const [what, value, definition] of [
    ['null with a nullTtl of 0', null, { nullTtl: 0 }],
    ['a value with a ttl of 0', 'new', {}],
  ] as const) {
    it(`serves no older value behind ${what}, which is not stored`, async () => {
      timed = new TimedCache({ ttl: '10s', staleWhileRevalidate: '1h', ...definition });
      await timed.expired('old');
      const options = value === null ? {} : { ttl: 0 };
      expect(await timed.read(1, options)).to.equal('old');
      await timed.source.started(1);
      timed.source.finish(1, value);
      await settle();
      expect((await timed.cache.getEntry(1)).status).to.equal('miss');
      const [read, many] = [timed.read(1, options), timed.read(1, options)];
      await timed.source.started(2);
      timed.source.finish(2, value);
      expect(await Promise.all([read, many])).to.deep.equal([value, value]);
    });
  }

  it('serves no older value behind one of a batch that is not stored', async () => {
    timed = new TimedCache({ ttl: '10s', nullTtl: 0, staleIfError: '1h' });
    await timed.expired('old');
    const load = async (): Promise<Map<number, null>> => new Map([[1, null]]);
    expect(await timed.cache.getOrSetMany([1], load)).to.deep.equal(new Map([[1, null]]));
    const failing = async (): Promise<never> => {
      throw new RangeError('down');
    };
    expect(await failureOf(timed.cache.getOrSet(1, failing))).to.be.instanceOf(RangeError);
  });

  it('counts a read once, when its load ends while the store is asked once more', async () => {
    const backend = new SharedFaultyBackend(new MemoryBackend({ sweepInterval: Infinity }));
    timed = new TimedCache({ ttl: '10s', staleIfError: '1h', softTimeout: 0 }, { backend });
    await timed.expired('old');
    let answer!: () => void;
    const asked = new Promise<void>((resolve) => (answer = resolve));
    let gets = 0;
    const slow = timed.manager.core('a').ownStore();
    const original = slow.get.bind(slow);
    slow.get = async (key) => {
      if (++gets === 2) await asked;
      return original(key);
    };
    const read = timed.read();
    await timed.source.started(1);
    timed.source.finish(1, 'new');
    expect(await read).to.equal('new');
    answer();
    await settle();
    const { hits, stales, misses } = timed.manager.statistics();
    expect({ gets, hits, stales, misses }).to.deep.equal({
      gets: 2,
      hits: 0,
      stales: 0,
      misses: 1,
    });
  });

  it('counts each key of a batch once, whatever stands in for it', async () => {
    timed = new TimedCache({ ttl: '10s', staleIfError: '1h', staleThrottle: 0 });
    await timed.cache.set(2, 'two');
    await timed.expired('one');
    const counts = (): readonly number[] => {
      const { hits, stales, misses } = timed.manager.statistics();
      timed.manager.resetStatistics();
      return [hits, stales, misses];
    };
    const failing = async (): Promise<never> => {
      throw new RangeError('down');
    };
    const stale = await timed.cache.getOrSetMany([1, 2], failing);
    expect([...stale.values()]).to.deep.equal(['one', 'two']);
    expect(counts()).to.deep.equal([0, 2, 0]);
    expect(await failureOf(timed.cache.getOrSetMany([1, 2, 3], failing))).to.be.an('error');
    expect(counts()).to.deep.equal([0, 0, 3]);
    const load = async (): Promise<Map<number, string>> => new Map([[1, 'new']]);
    await timed.cache.getOrSetMany([1, 2], load);
    expect(counts()).to.deep.equal([0, 0, 2]);
  });

  it('asks the origin for no refresh that nothing can keep', async () => {
    const backend = new SharedFaultyBackend(new MemoryBackend({ sweepInterval: Infinity }));
    timed = new TimedCache({ ttl: '10s', staleWhileRevalidate: '1h' }, { backend });
    await timed.expired('old');
    backend.fail('begin');
    expect(await timed.read()).to.equal('old');
    const load = async (): Promise<never> => timed.source.load();
    expect(await timed.cache.getOrSetMany([1], load)).to.deep.equal(new Map([[1, 'old']]));
    await settle();
    expect(timed.source.count).to.equal(0);
    backend.heal();
    expect(await timed.read()).to.equal('old');
    await timed.source.started(1);
    timed.source.finish(1, 'new');
    await settle();
    expect(await timed.read()).to.equal('new');
  });

  it('makes nothing fresh again by expire that only an operation keeps beyond its ttl', async () => {
    timed = new TimedCache({ ttl: '10s' });
    await timed.cache.set(1, 'old', { staleIfError: '1h' });
    timed.clock.advance('10s');
    expect(await timed.cache.expire(1, '1m')).to.equal(false);
    expect(await timed.cache.get(1)).to.equal(undefined);
    await timed.cache.set(1, 'new', { staleIfError: '1h' });
    expect(await timed.cache.expire(1, '1m')).to.equal(true);
    expect(await timed.cache.ttl(1)).to.equal(60_000);
  });

  it('keeps a failure of the cache from callers who joined, and bypass it', async () => {
    const backend = new SharedFaultyBackend();
    timed = new TimedCache({ ttl: '10s' }, { backend });
    const strict = failureOf(timed.read(1, { onError: 'throw' }));
    await timed.source.started(1);
    const lenient = timed.read();
    await settle();
    backend.fail('store');
    timed.source.finish(1, 'first');
    expect(await strict).to.be.instanceOf(CacheConnectionError);
    await timed.source.started(2);
    timed.source.finish(2, 'second');
    expect(await lenient).to.equal('second');
  });
});
