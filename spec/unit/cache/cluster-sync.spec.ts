import { expect } from 'chai';
import sinon from 'sinon';
import { CacheConfigurationError } from '#internal/errors.js';
import type { CacheDefinition } from '#internal/cache/cache-handle.js';
import type { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { settle } from '../../support/gated-source.js';
import { LeasingCluster } from '../../support/leasing-cluster.js';
import { SharedFaultyBackend } from '../../support/shared-faulty-backend.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

describe("sync: 'cluster'", () => {
  let clock: ManualClock;
  let cluster: LeasingCluster;
  let nodes: TimedCache[];
  const backends = new Map<TimedCache, FaultyBackend>();
  const open = (definition: CacheDefinition = {}): [TimedCache, TimedCache] => {
    nodes = [1, 2].map(() => {
      const backend = cluster.node();
      const node = new TimedCache(
        { ttl: '10s', sync: 'cluster', ...definition },
        { backend, clock },
      );
      backends.set(node, backend);
      return node;
    });
    return nodes as [TimedCache, TimedCache];
  };
  beforeEach(() => {
    nodes = [];
    clock = new ManualClock();
    cluster = new LeasingCluster(clock);
  });
  afterEach(async () => {
    await Promise.all(nodes.map(({ manager }) => manager.close()));
  });

  it('lets one node load, and wakes the callers of the others', async () => {
    const [a, b] = open();
    const first = [a.read(), a.read()];
    await a.source.started(1);
    const second = Array.from({ length: 50 }, () => b.read());
    await settle();
    expect(b.source.count).to.equal(0);
    const { backend } = b;
    backend.resetCalls();
    a.source.finish(1, 'value');
    expect(await Promise.all([...first, ...second])).to.deep.equal(Array(52).fill('value'));
    expect([a.source.count, b.source.count, cluster.leases]).to.deep.equal([1, 0, 0]);
    expect(backend.calls('get')).to.equal(1);
    expect(backend.calls('beginTurns')).to.equal(0);
  });

  for (const [how, end] of [
    ['is not to be stored', (a: TimedCache) => a.source.finish(1, undefined)],
    ['fails', (a: TimedCache) => a.source.fail(1, new RangeError('down'))],
  ] as const) {
    it(`lets the next one load, when the first load ${how}`, async () => {
      const [a, b] = open();
      const first = failureOf(a.read());
      await a.source.started(1);
      const second = b.read();
      await settle();
      end(a);
      await first;
      await b.source.started(1);
      b.source.finish(1, 'value');
      expect(await second).to.equal('value');
      expect(await a.cache.get(1)).to.equal('value');
      expect(cluster.leases).to.equal(0);
    });
  }

  it('lets the next one load, when the process of the first one dies, whose late value is refused', async () => {
    const [a, b] = open();
    const first = a.read();
    await a.source.started(1);
    const second = b.read();
    await settle();
    cluster.kill(backends.get(a)!);
    await b.source.started(1);
    b.source.finish(1, 'second');
    expect(await second).to.equal('second');
    a.source.finish(1, 'first');
    expect(await first).to.equal('first');
    expect(await b.cache.get(1)).to.equal('second');
  });

  it('gives a waiter nothing that was invalidated before it came', async () => {
    const [a, b] = open();
    const first = a.read();
    await a.source.started(1);
    await b.cache.delete(1);
    const second = b.read();
    await b.source.started(1);
    a.source.finish(1, 'before');
    expect(await first).to.equal('before');
    b.source.finish(1, 'after');
    expect(await second).to.equal('after');
    expect(await a.cache.get(1)).to.equal('after');
  });

  it('gives a waiter nothing that was invalidated before it was woken', async () => {
    const [a, b] = open();
    const first = a.read();
    await a.source.started(1);
    const second = b.read();
    await settle();
    const get = b.backend.hold('get');
    a.source.finish(1, 'before');
    await first;
    await get.arrived();
    await a.cache.delete(1);
    get.release();
    await b.source.started(1);
    b.source.finish(1, 'after');
    expect(await second).to.equal('after');
  });

  it('loads once per process without a lease, when the store of the leases fails', async () => {
    const [a, b] = open();
    for (const { backend } of nodes) backend.fail('beginTurns');
    const readings = [a, b].flatMap((node) => [node.read(), node.read()]);
    await Promise.all([a.source.started(1), b.source.started(1)]);
    a.source.finish(1, 'a');
    b.source.finish(1, 'b');
    expect(await Promise.all(readings)).to.deep.equal(['a', 'a', 'b', 'b']);
    expect([a.source.count, b.source.count]).to.deep.equal([1, 1]);
  });

  it('refreshes ahead only where the turn is given at once', async () => {
    const [a, b] = open({ refreshAhead: 0.5 });
    await a.cache.set(1, 'old');
    clock.advance('6s');
    expect(await Promise.all([a.read(), b.read()])).to.deep.equal(['old', 'old']);
    await settle();
    expect(a.source.count + b.source.count).to.equal(1);
    a.source.finish(1, 'new');
    await settle();
    expect([await a.cache.get(1), await b.cache.get(1)]).to.deep.equal(['new', 'new']);
    expect(cluster.leases).to.equal(0);
  });

  it('loads an expired entry once, and lets the others wait for it', async () => {
    const [a, b] = open({ staleIfError: '1m' });
    await a.cache.set(1, 'old');
    clock.advance('10s');
    const readings = [a.read(), b.read()];
    await settle();
    expect(a.source.count + b.source.count).to.equal(1);
    a.source.finish(1, 'new');
    expect(await Promise.all(readings)).to.deep.equal(['new', 'new']);
    expect(cluster.leases).to.equal(0);
  });

  it('leaves no lease behind, when all callers have gone, and does not wait on', async () => {
    const [a, b] = open();
    const first = a.read();
    await a.source.started(1);
    const leaving = new AbortController();
    const second = failureOf(b.read(1, { signal: leaving.signal }));
    await settle();
    leaving.abort('gone');
    expect(await second).to.equal('gone');
    a.source.finish(1, undefined);
    await first;
    await settle();
    expect([b.source.count, cluster.leases]).to.deep.equal([0, 0]);
  });

  it('shares the keys of batches: each loads what is left, then waits for the others', async () => {
    const [a, b] = open();
    const first = a.cache.getOrSetMany([1, 2], (missing) => a.source.load(missing));
    await a.source.started(1);
    const second = b.cache.getOrSetMany([2, 3], (missing) => b.source.load(missing));
    await b.source.started(1);
    expect(b.source.arguments).to.deep.equal([[[3]]]);
    b.source.finish(1, new Map([[3, 'b3']]));
    await settle();
    expect(await a.cache.get(3)).to.equal('b3');
    a.source.finish(
      1,
      new Map([
        [1, 'a1'],
        [2, 'a2'],
      ]),
    );
    expect([...(await first).values()]).to.deep.equal(['a1', 'a2']);
    expect([...(await second)]).to.deep.equal([
      [2, 'a2'],
      [3, 'b3'],
    ]);
    expect([a.source.count, b.source.count, cluster.leases]).to.deep.equal([1, 1, 0]);
  });

  it('loads the keys of a batch that another process left out', async () => {
    const [a, b] = open();
    const first = a.cache.getOrSetMany([1], () => a.source.load());
    await a.source.started(1);
    const second = b.cache.getOrSetMany([1], () => b.source.load());
    await settle();
    a.source.finish(1, new Map());
    expect((await first).size).to.equal(0);
    await b.source.started(1);
    b.source.finish(1, new Map([[1, 'one']]));
    expect([...(await second)]).to.deep.equal([[1, 'one']]);
  });

  it('lets two loads that need each other go on after a while', async () => {
    const timers = sinon.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const [a, b] = open();
      const one = a.cache.getOrSet(1, async () => `1 of ${await a.read(2)}`);
      const two = b.cache.getOrSet(2, async () => `2 of ${await b.read(1)}`);
      await settle();
      expect([a.source.count, b.source.count]).to.deep.equal([0, 0]);
      await timers.tickAsync(2_000);
      await Promise.all([a.source.started(1), b.source.started(1)]);
      a.source.finish(1, 'a');
      b.source.finish(1, 'b');
      expect(await Promise.all([one, two])).to.deep.equal(['1 of a', '2 of b']);
      expect(cluster.leases).to.equal(0);
    } finally {
      timers.restore();
    }
  });

  it('does not wait for itself, when a load asks for its own key', async () => {
    const [a] = open();
    const value = await a.cache.getOrSet(1, async () => {
      const inner = await a.cache.getOrSet(1, async () => 'inner');
      return `outer of ${inner}`;
    });
    expect(value).to.equal('outer of inner');
  });

  it('is local, where nobody shares the store, and refused, where leases are missing', async () => {
    const alone = new TimedCache({ ttl: '10s', sync: 'cluster' });
    expect(await alone.cache.getOrSet(1, async () => 'value')).to.equal('value');
    await alone.manager.close();
    const shared = new TimedCache(
      { ttl: '10s', sync: 'cluster' },
      { backend: new SharedFaultyBackend() },
    );
    for (const call of [
      () => shared.read(),
      () => shared.cache.getOrSetMany([1], async () => new Map()),
      () => shared.cache.warm([]),
    ]) {
      const error = await failureOf(call());
      expect(error).to.be.instanceOf(CacheConfigurationError);
      expect((error as Error).message)
        .to.include("sync: 'cluster'")
        .and.include('RedisBackend');
    }
    expect(await shared.cache.getOrSet(1, async () => 'value', { sync: 'local' })).to.equal(
      'value',
    );
    await shared.manager.close();
  });
});
