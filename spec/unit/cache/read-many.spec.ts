import { expect } from 'chai';
import sinon from 'sinon';
import { settle } from '../../support/gated-source.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

describe('Reads of many keys in time', () => {
  const error = new RangeError('down');
  const readMany = (timed: TimedCache, keys: readonly number[]): Promise<unknown> =>
    timed.cache
      .getOrSetMany(keys, (missing) => timed.source.load(missing))
      .then((found) => [...found]);
  const fill = async (timed: TimedCache, keys: readonly number[]): Promise<void> => {
    await timed.cache.setMany(keys.map((key) => [key, `old ${key}`] as const));
    timed.clock.advance('10s');
  };

  it('serve what is stale at once, and refresh it in one background load', async () => {
    const timed = new TimedCache({ ttl: '10s', staleWhileRevalidate: '5s' });
    await fill(timed, [1, 2]);
    await timed.cache.set(3, 'fresh');
    timed.manager.resetStatistics();
    expect(await readMany(timed, [1, 2, 3])).to.deep.equal([
      [1, 'old 1'],
      [2, 'old 2'],
      [3, 'fresh'],
    ]);
    await timed.source.started(1);
    expect(timed.source.arguments).to.deep.equal([[[1, 2]]]);
    await readMany(timed, [1, 2]);
    timed.source.finish(1, new Map([[1, 'new 1']]));
    await settle();
    expect(await timed.cache.get(1)).to.equal('new 1');
    expect(await timed.cache.get(2), 'absent at the origin').to.equal(undefined);
    expect(timed.source.count).to.equal(1);
    const { hits, stales, misses } = timed.manager.statistics();
    expect([hits, stales, misses]).to.deep.equal([2, 4, 1]);
    await timed.manager.close();
  });

  it('serve what has expired, when the load fails, if all missing keys have something', async () => {
    const timed = new TimedCache({ ttl: '10s', staleIfError: '1m' });
    await fill(timed, [1, 2]);
    const partly = failureOf(readMany(timed, [1, 2, 3]));
    await timed.source.started(1);
    timed.source.fail(1, error);
    expect(await partly).to.equal(error);
    timed.clock.advance('30s');
    const reading = readMany(timed, [1, 2]);
    await timed.source.started(2);
    timed.source.fail(2, error);
    const old = [
      [1, 'old 1'],
      [2, 'old 2'],
    ];
    expect(await reading).to.deep.equal(old);
    expect(await readMany(timed, [1, 2]), 'throttled').to.deep.equal(old);
    expect(timed.source.count).to.equal(2);
    await timed.manager.close();
  });

  it('serve nothing that was invalidated while the load ran', async () => {
    const timed = new TimedCache({ ttl: '10s', staleIfError: '1m' });
    await fill(timed, [1, 2]);
    const reading = failureOf(readMany(timed, [1, 2]));
    await timed.source.started(1);
    await timed.cache.delete(2);
    timed.source.fail(1, error);
    expect(await reading).to.equal(error);
    await timed.manager.close();
  });

  it('wait for a slow load no longer than softTimeout, and it goes on', async () => {
    const timers = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const timed = new TimedCache({ ttl: '10s', staleIfError: '1m', softTimeout: 100 });
      await fill(timed, [1]);
      const reading = readMany(timed, [1]);
      await timed.source.started(1);
      await timers.tickAsync(100);
      expect(await reading).to.deep.equal([[1, 'old 1']]);
      timed.source.finish(1, new Map([[1, 'new 1']]));
      await settle();
      expect(await timed.cache.get(1)).to.equal('new 1');
      await timed.manager.close();
    } finally {
      timers.restore();
    }
  });

  it('refresh ahead what is due, and tell of a failure', async () => {
    const timed = new TimedCache({ ttl: '10s', refreshAhead: 0.5 });
    await timed.cache.set(1, 'old 1');
    timed.clock.advance('6s');
    await timed.cache.set(2, 'two');
    expect(await readMany(timed, [1, 2])).to.deep.equal([
      [1, 'old 1'],
      [2, 'two'],
    ]);
    await timed.source.started(1);
    expect(timed.source.arguments).to.deep.equal([[[1]]]);
    timed.source.fail(1, error);
    await settle();
    expect(timed.errors).to.deep.equal([error]);
    await readMany(timed, [1, 2]);
    expect(timed.source.count).to.equal(1);
    await timed.manager.close();
  });
});
