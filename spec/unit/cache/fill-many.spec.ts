import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { GatedSource, settle } from '../../support/gated-source.js';
import { SharedFaultyBackend } from '../../support/shared-faulty-backend.js';

describe('fillMany', () => {
  let source: GatedSource;
  let manager: CacheManager;
  let cache: Cache<readonly [number], string>;
  afterEach(() => manager.close());

  function open(backend: MemoryBackend | SharedFaultyBackend = new MemoryBackend()): void {
    source = new GatedSource();
    manager = new CacheManager({ backend, logger: silentLogger });
    cache = manager.cache('a');
  }
  const getAll = (keys: readonly number[], options = {}): Promise<Map<number, string>> =>
    cache.getOrSetMany<number>(keys, (missing) => source.load([...missing]), options);
  const values = (keys: readonly number[], from = 'value'): Map<number, string> =>
    new Map(keys.map((key) => [key, `${from} ${key}`]));

  it('waits for single loads that are under way, and lets single loads wait for it', async () => {
    open();
    const single = cache.getOrSet(1, () => source.load(1));
    await source.started(1);
    const batch = getAll([1, 2]);
    await source.started(2);
    const late = cache.getOrSet(2, () => source.load('late'));
    await settle();
    source.finish(2, values([2]));
    source.finish(1, 'value 1');
    expect(await single).to.equal('value 1');
    expect(await batch).to.deep.equal(values([1, 2]));
    expect(await late).to.equal('value 2');
    expect(source.arguments).to.deep.equal([[1], [[2]]]);
  });

  it('lets a single load run by itself, when the batch that it waited for left its key out', async () => {
    open();
    const batch = getAll([1, 2]);
    await source.started(1);
    const single = cache.getOrSet(2, () => source.load('alone'));
    await settle();
    source.finish(1, values([1]));
    expect([...(await batch).keys()]).to.deep.equal([1]);
    await source.started(2);
    source.finish(2, 'value 2');
    expect(await single).to.equal('value 2');
  });

  it('shares what a batch left out with other batches', async () => {
    open();
    const batches = [getAll([1, 2]), getAll([2])];
    await source.started(1);
    await settle();
    source.finish(1, values([1]));
    expect(await Promise.all(batches)).to.deep.equal([values([1]), new Map()]);
    expect(source.count).to.equal(1);
  });

  it('looks again, when it comes while another batch is being stored where others can invalidate', async () => {
    const backend = new SharedFaultyBackend();
    open(backend);
    const first = getAll([1, 2]);
    await source.started(1);
    const store = backend.hold('store', 'response');
    source.finish(1, values([1, 2], 'old'));
    await store.arrived();
    await backend.elsewhere('a').delete(['1']);
    const late = getAll([1, 2]);
    await settle();
    store.release();
    expect(await first).to.deep.equal(values([1, 2], 'old'));
    await source.started(2);
    source.finish(2, values([1], 'new'));
    expect(await late).to.deep.equal(
      new Map([
        [1, 'new 1'],
        [2, 'old 2'],
      ]),
    );
    expect(source.arguments[1]).to.deep.equal([[1]]);
  });

  it('takes no load that had begun before a refresh was asked for', async () => {
    open();
    const first = getAll([1, 2]);
    await source.started(1);
    const refresh = getAll([2, 3], { refresh: true });
    await source.started(2);
    expect(source.arguments[1]).to.deep.equal([[3]]);
    source.finish(2, values([3], 'new'));
    source.finish(1, values([1, 2], 'old'));
    await first;
    await source.started(3);
    expect(source.arguments[2]).to.deep.equal([[2]]);
    source.finish(3, values([2], 'new'));
    expect(await refresh).to.deep.equal(
      new Map([
        [3, 'new 3'],
        [2, 'new 2'],
      ]),
    );
  });

  it('loads for each caller with sync false', async () => {
    open();
    const calls = [getAll([1], { sync: false }), getAll([1], { sync: false })];
    await source.started(2);
    source.finish(1, values([1]));
    source.finish(2, values([1]));
    expect(await Promise.all(calls)).to.deep.equal([values([1]), values([1])]);
  });

  it('gives the values, when the store fails throughout, by one load', async () => {
    const backend = new SharedFaultyBackend();
    open(backend);
    for (const operation of ['getMany', 'begin', 'store'] as const) backend.fail(operation);
    const calls = Array.from({ length: 20 }, () => getAll([1, 2]));
    await source.started(1);
    await settle();
    source.finish(1, values([1, 2]));
    for (const result of await Promise.all(calls)) expect(result).to.deep.equal(values([1, 2]));
    expect(source.count).to.equal(1);
    expect(manager.core('a').flights.size).to.equal(0);
  });

  it('stores what the context asks for', async () => {
    open();
    await cache.getOrSetMany([1, 2], async (keys, context) => {
      context.tags.add('late');
      context.ttl = '2s';
      return new Map(keys.map((key) => [key, `value ${key}`]));
    });
    expect((await cache.getEntry(1)).tags).to.deep.equal(['late']);
    expect(await cache.ttl(2)).to.be.within(1_000, 2_000);
  });
});
