import { expect } from 'chai';
import { mergeStatistics, StatisticsCounter } from '#internal/cache/cache-statistics.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';

const counterWith = (counts: Partial<StatisticsCounter>): StatisticsCounter =>
  Object.assign(new StatisticsCounter(), counts);

describe('StatisticsCounter', () => {
  it('gives a hit rate of 0, when there were no requests', () => {
    expect(new StatisticsCounter().snapshot()).to.include({ totalRequests: 0, hitRate: 0 });
  });

  it('counts stale answers as requests that were answered', () => {
    const { totalRequests, hitRate } = counterWith({ hits: 2, stales: 1, misses: 1 }).snapshot();
    expect({ totalRequests, hitRate }).to.deep.equal({ totalRequests: 4, hitRate: 0.75 });
  });

  it('gives pictures that are frozen, and do not move', () => {
    const counter = counterWith({ hits: 1 });
    const before = counter.snapshot();
    counter.hits++;
    expect(before.hits).to.equal(1);
    for (const part of [before, before.latency, before.latency.read, before.hitsByTier]) {
      expect(Object.isFrozen(part)).to.equal(true);
    }
  });

  it('tells tiers apart', () => {
    expect(counterWith({ hits: 5, hitsL2: 2 }).snapshot().hitsByTier).to.deep.equal({
      l1: 3,
      l2: 2,
    });
  });

  it('forgets all', () => {
    const counter = counterWith({ hits: 1, misses: 2, bytesRead: 3, errors: 4 });
    counter.read.record(1);
    counter.reset();
    expect(counter.snapshot()).to.deep.equal(new StatisticsCounter().snapshot());
  });
});

describe('mergeStatistics', () => {
  it('sums the counters of several processes', () => {
    const one = counterWith({ hits: 3, hitsL2: 1, misses: 1, sets: 1 }).snapshot();
    const two = counterWith({ hits: 1, misses: 3, deletes: 2, bytesWritten: 10 }).snapshot();
    expect(mergeStatistics(one, two)).to.deep.equal({
      hits: 4,
      misses: 4,
      stales: 0,
      sets: 1,
      deletes: 2,
      evictions: 0,
      errors: 0,
      loads: 0,
      bytesRead: 0,
      bytesWritten: 10,
      totalRequests: 8,
      hitRate: 0.5,
      hitsByTier: { l1: 3, l2: 1 },
    });
  });

  it('gives zeros for nothing', () => {
    expect(mergeStatistics()).to.include({ hits: 0, hitRate: 0 });
  });
});

describe('The statistics of a manager', () => {
  it('count exactly what was done, per cache and in sum', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const [a, b] = [manager.cache('a'), manager.cache('b')];
    await a.set(1, 'one');
    await a.get(1);
    await a.get(1);
    await a.get(2);
    await b.setMany([
      [1, 'x'],
      [2, 'y'],
    ]);
    await b.getMany([1, 2, 3]);
    await b.delete(1);
    await b.deleteMany([1, 2, 3]);
    await b.has(1);
    await b.ttl(1);
    await a.getOrSet(5, async () => 'five');
    const { caches, ...sum } = manager.statistics();
    expect(caches['a']).to.include({ hits: 2, misses: 2, sets: 2, deletes: 0, loads: 1 });
    expect(caches['b']).to.include({ hits: 2, misses: 1, sets: 2, deletes: 2, loads: 0 });
    expect(sum).to.include({ hits: 4, misses: 3, sets: 4, deletes: 2, loads: 1, totalRequests: 7 });
    expect(a.statistics()).to.deep.equal(caches['a']);
    manager.resetStatistics();
    expect(manager.statistics()).to.include({ hits: 0, misses: 0, sets: 0, deletes: 0, loads: 0 });
  });

  it('count fifty concurrent misses as fifty misses and one load', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const cache = manager.cache('a');
    await Promise.all(Array.from({ length: 50 }, () => cache.getOrSet(1, async () => 'one')));
    expect(manager.statistics()).to.include({ hits: 0, misses: 50, loads: 1, sets: 1 });
  });
});
