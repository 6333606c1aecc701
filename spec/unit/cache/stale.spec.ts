import { expect } from 'chai';
import { settle } from '../../support/gated-source.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

describe('staleWhileRevalidate', () => {
  let timed: TimedCache;
  beforeEach(() => {
    timed = new TimedCache({ ttl: '10s', staleWhileRevalidate: '5s' });
  });
  afterEach(() => timed.manager.close());

  it('serves the expired value at once, and one background load refreshes it', async () => {
    await timed.expired('old');
    expect(await Promise.all([timed.read(), timed.read(), timed.read()])).to.deep.equal([
      'old',
      'old',
      'old',
    ]);
    await timed.source.started(1);
    timed.source.finish(1, 'new');
    await settle();
    expect(await timed.read()).to.equal('new');
    expect(timed.source.count).to.equal(1);
    expect(timed.events).to.deep.equal(['stale', 'stale', 'stale', 'load', 'hit']);
    const { hits, stales, misses, totalRequests } = timed.manager.statistics();
    expect([hits, stales, misses, totalRequests]).to.deep.equal([1, 3, 0, 4]);
  });

  it('counts as there for get, getMany, getEntry, has, ttl and iteration until its end', async () => {
    await timed.expired('old', '4s');
    const look = async (): Promise<unknown[]> => {
      const pairs: unknown[] = [];
      for await (const pair of timed.cache) pairs.push(pair);
      const { status, ttlMs, ageMs } = await timed.cache.getEntry(1);
      return [
        await timed.cache.get(1),
        [...(await timed.cache.getMany([1]))],
        [status, ttlMs, ageMs],
        await timed.cache.has(1),
        await timed.cache.ttl(1),
        pairs,
      ];
    };
    expect(await look()).to.deep.equal([
      'old',
      [[1, 'old']],
      ['stale', 0, 14_000],
      true,
      0,
      [['1', 'old']],
    ]);
    timed.clock.advance('1s');
    expect(await look()).to.deep.equal([
      undefined,
      [],
      ['miss', undefined, undefined],
      false,
      undefined,
      [],
    ]);
    expect(timed.source.count).to.equal(0);
  });

  it('is over after its time: the next read loads', async () => {
    await timed.expired('old', '5s');
    const reading = timed.read();
    await timed.source.started(1);
    timed.source.finish(1, 'new');
    expect(await reading).to.equal('new');
    expect(timed.events).to.deep.equal(['miss', 'load']);
  });

  it('tries a key whose refresh failed again only after the throttle, and tells of the failure', async () => {
    await timed.expired('old');
    const error = new RangeError('down');
    expect(await timed.read()).to.equal('old');
    await timed.source.started(1);
    timed.source.fail(1, error);
    await settle();
    expect(timed.errors).to.deep.equal([error]);
    timed.clock.advance('4s');
    expect(await timed.read()).to.equal('old');
    await settle();
    expect(timed.source.count).to.equal(1);

    const soon = new TimedCache({
      ttl: '10s',
      staleWhileRevalidate: '1m',
      staleThrottle: '2s',
    });
    await soon.expired('old');
    await soon.read();
    await soon.source.started(1);
    soon.source.fail(1, error);
    await settle();
    soon.clock.advance(1_999);
    await soon.read();
    await settle();
    expect(soon.source.count).to.equal(1);
    soon.clock.advance(1);
    await soon.read();
    await soon.source.started(2);
    await soon.manager.close();
  });

  it('ends, when the origin has nothing any more', async () => {
    await timed.expired('old');
    expect(await timed.read()).to.equal('old');
    await timed.source.started(1);
    timed.source.finish(1, undefined);
    await settle();
    expect(await timed.cache.get(1)).to.equal(undefined);
    expect(await timed.backend.open({ name: 'a', version: 'v1' }).get('1')).to.equal(undefined);
  });

  it('serves null, and never an expired error', async () => {
    await timed.cache.set(1, null);
    timed.clock.advance('10s');
    expect(await timed.read()).to.equal(null);
  });

  it('leaves nothing behind that an invalidation would have to know of', async () => {
    await timed.expired('old');
    await timed.read();
    await timed.source.started(1);
    await timed.cache.delete(1);
    const reading = timed.read();
    await timed.source.started(2);
    timed.source.finish(1, 'before');
    timed.source.finish(2, 'after');
    expect(await reading).to.equal('after');
    expect(await timed.cache.get(1)).to.equal('after');
  });

  it('is asked for by a call as well, which then keeps the entry for so long', async () => {
    const plain = new TimedCache({ ttl: '1s' });
    const options = { staleWhileRevalidate: '1m' } as const;
    const first = plain.read(1, options);
    await plain.source.started(1);
    plain.source.finish(1, 'old');
    await first;
    plain.clock.advance('30s');
    expect(await plain.cache.get(1)).to.equal(undefined);
    expect(await plain.read(1, options)).to.equal('old');
    await plain.cache.set(2, 'kept', options);
    plain.clock.advance('30s');
    expect(await plain.read(2, options)).to.equal('kept');
    await plain.manager.close();
  });

  it('makes no expired entry fresh by expire', async () => {
    await timed.expired('old', '4s');
    expect(await timed.cache.expire(1, '1m')).to.equal(true);
    expect(await timed.cache.ttl(1)).to.equal(60_000);
    const other = new TimedCache({ ttl: '10s', staleIfError: '1h' });
    await other.expired('old');
    expect(await other.cache.expire(1, '1m')).to.equal(false);
    await other.manager.close();
  });
});

describe('staleIfError', () => {
  let timed: TimedCache;
  const error = new RangeError('down');
  beforeEach(() => {
    timed = new TimedCache({ ttl: '10s', staleIfError: '1m' });
  });
  afterEach(() => timed.manager.close());

  const failing = async (): Promise<unknown> => {
    const reading = timed.read();
    await timed.source.started(1);
    timed.source.fail(1, error);
    return failureOf(reading);
  };

  it('serves the expired value to all who waited for a load that failed, and tells of it once', async () => {
    await timed.expired('old');
    const readings = [timed.read(), timed.read(), timed.read()];
    await timed.source.started(1);
    timed.source.fail(1, error);
    expect(await Promise.all(readings)).to.deep.equal(['old', 'old', 'old']);
    expect(timed.errors).to.deep.equal([error]);
    const { stales, misses, errors, totalRequests } = timed.manager.statistics();
    expect([stales, misses, errors, totalRequests]).to.deep.equal([3, 0, 1, 3]);
  });

  it('then leaves the origin alone for the throttle', async () => {
    await timed.expired('old');
    expect(await failing()).to.deep.equal({ resolved: 'old' });
    timed.clock.advance(29_999);
    expect(await timed.read()).to.equal('old');
    expect(timed.source.count).to.equal(1);
    timed.clock.advance(1);
    const again = timed.read();
    await timed.source.started(2);
    timed.source.finish(2, 'new');
    expect(await again).to.equal('new');
    expect(timed.events.slice(-2)).to.deep.equal(['load', 'miss']);
  });

  it('rejects with the error of the load, when the time is over, also while it was loading', async () => {
    await timed.expired('old', '59s');
    const reading = timed.read();
    await timed.source.started(1);
    timed.clock.advance('1s');
    timed.source.fail(1, error);
    expect(await failureOf(reading)).to.equal(error);
    expect(timed.manager.statistics().misses).to.equal(1);
  });

  it('is absent for get and has, and shown by getEntry', async () => {
    await timed.expired('old');
    expect(await timed.cache.get(1)).to.equal(undefined);
    expect(await timed.cache.has(1)).to.equal(false);
    expect([...(await timed.cache.getMany([1]))]).to.deep.equal([]);
    const entry = await timed.cache.getEntry(1);
    expect([entry.status, entry.value]).to.deep.equal(['stale', 'old']);
  });

  for (const [how, invalidate] of [
    ['deleted', () => timed.cache.delete(1)],
    ['deleted by pattern', () => timed.cache.deletePattern('*')],
    ['cleared', () => timed.cache.clear()],
    ['invalidated by tag', () => timed.manager.invalidateTags('t')],
    ['expired at once', () => timed.cache.expire(1, 0)],
    ['cleared with all caches', () => timed.manager.clearAll()],
  ] as const) {
    it(`serves nothing that was ${how} while the load ran`, async () => {
      await timed.cache.set(1, 'old', { tags: ['t'] });
      timed.clock.advance('10s');
      const reading = timed.read();
      await timed.source.started(1);
      await invalidate();
      timed.source.fail(1, error);
      expect(await failureOf(reading)).to.equal(error);
      expect((await timed.cache.getEntry(1)).status).to.equal('miss');
    });
  }

  it('serves what the caller has read itself, when the store fails as well', async () => {
    await timed.expired('old');
    const reading = timed.read();
    await timed.source.started(1);
    timed.backend.fail('get');
    timed.source.fail(1, error);
    expect(await reading).to.equal('old');
  });

  it('serves what somebody else has stored meanwhile', async () => {
    await timed.expired('old');
    const reading = timed.read();
    await timed.source.started(1);
    await timed.cache.set(1, 'put');
    timed.source.fail(1, error);
    expect(await reading).to.equal('put');
  });

  it("hides no failure of the cache under onError: 'throw'", async () => {
    await timed.expired('old');
    const reading = timed.read(1, { onError: 'throw' });
    await timed.source.started(1);
    timed.backend.fail('store');
    timed.source.finish(1, 'new');
    expect(((await failureOf(reading)) as { code?: string }).code).to.equal('ERR_CACHE_CONNECTION');
  });

  it('is not asked by a read that is forced to load', async () => {
    await timed.cache.set(1, 'old');
    const reading = timed.read(1, { refresh: true });
    await timed.source.started(1);
    timed.source.fail(1, error);
    expect(await failureOf(reading)).to.equal(error);
  });

  it('takes the freshest ground: background first, then on failure', async () => {
    const both = new TimedCache({ ttl: '10s', staleWhileRevalidate: '5s', staleIfError: '1m' });
    await both.expired('old', '4s');
    expect(await both.read()).to.equal('old');
    await both.source.started(1);
    both.source.fail(1, error);
    await settle();
    both.clock.advance('36s');
    const reading = both.read();
    await both.source.started(2);
    both.source.fail(2, error);
    expect(await reading).to.equal('old');
    await both.manager.close();
  });
});
