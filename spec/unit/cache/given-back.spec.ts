import { expect } from 'chai';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { bindCacheManager } from '#internal/manager/manager-locator.js';
import { MOST_TURNS } from '#internal/cache/fill-start.js';
import type { LoadContext } from '#internal/cache/load-context.js';
import type { GetOrSetOptions } from '#internal/cache/cache.js';
import type { Duration } from '#internal/duration.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { settle } from '../../support/gated-source.js';
import { LeasingCluster } from '../../support/leasing-cluster.js';
import { failureOf, TimedCache } from '../../support/timed-cache.js';

/** Reads with a load that fails behind the method: what it says about its result is no duration. */
function readWrongly(node: TimedCache, options: GetOrSetOptions): Promise<unknown> {
  const load = async (context: LoadContext): Promise<string> => {
    context.ttl = 'nonsense' as Duration;
    return 'value';
  };
  return node.cache.getOrSet(1, load, options);
}

describe('Turns of a cluster are given back', () => {
  const clock = new ManualClock();
  let cluster: LeasingCluster;
  let nodes: TimedCache[];
  const open = (count: number): TimedCache[] => {
    nodes = Array.from(
      { length: count },
      () => new TimedCache({ ttl: '10s', sync: 'cluster' }, { backend: cluster.node(), clock }),
    );
    return nodes;
  };
  beforeEach(() => {
    cluster = new LeasingCluster(clock);
  });
  afterEach(async () => {
    await Promise.all(nodes.map(({ manager }) => manager.close()));
  });

  it('as soon as nobody waits for the load, however long that goes on', async () => {
    const [a, b] = open(2) as [TimedCache, TimedCache];
    const controller = new AbortController();
    const first = failureOf(a.read(1, { signal: controller.signal }));
    await a.source.started(1);
    const second = b.read();
    await settle();
    expect(b.source.count).to.equal(0);
    controller.abort(new Error('gone'));
    await b.source.started(1);
    a.source.finish(1, 'late');
    await settle();
    expect(cluster.leases, 'the turn of the second').to.equal(1);
    b.source.finish(1, 'value');
    expect(await second).to.equal('value');
    expect(await first).to.be.an('error');
    expect(await a.cache.get(1)).to.equal('value');
    expect(cluster.leases).to.equal(0);
  });

  it('by a batch that nobody waits for any more', async () => {
    const [a, b] = open(2) as [TimedCache, TimedCache];
    const controller = new AbortController();
    const load = async (): Promise<Map<number, string>> => {
      await a.source.load();
      throw new Error('interrupted');
    };
    const { signal } = controller;
    const first = failureOf(a.cache.getOrSetMany([1, 2], load, { signal }));
    await a.source.started(1);
    controller.abort(new Error('gone'));
    await first;
    const second = [b.read(1), b.read(2)];
    await b.source.started(2);
    a.source.finish(1, undefined);
    await settle();
    expect(cluster.leases, 'the turns of the second').to.equal(2);
    b.source.finish(1, 'one');
    b.source.finish(2, 'two');
    expect(await Promise.all(second)).to.have.members(['one', 'two']);
  });

  it("when a callback fails under onError: 'throw'", async () => {
    const [a] = open(1) as [TimedCache];
    const failure = await failureOf(readWrongly(a, { onError: 'throw' }));
    expect(failure).to.have.property('code', 'ERR_CACHE_INVALID_OPTION');
    const load = async (
      _: readonly number[],
      context: LoadContext,
    ): Promise<Map<number, string>> => {
      context.ttl = 'nonsense' as Duration;
      return new Map([[2, 'two']]);
    };
    const many = await failureOf(a.cache.getOrSetMany([1, 2, 3], load, { onError: 'throw' }));
    expect(many).to.have.property('code', 'ERR_CACHE_INVALID_OPTION');
    expect(cluster.leases).to.equal(0);
  });

  it('when another cache of the call cannot begin', async () => {
    const [a] = open(1) as [TimedCache];
    class Service {
      @Cacheable({ cache: ['a', 'b'], key: () => 1, sync: 'cluster', onError: 'throw' })
      async find(): Promise<string> {
        return 'value';
      }
    }
    const service = new Service();
    bindCacheManager(service, a.manager);
    a.backend.fail('begin');
    expect(await failureOf(service.find())).to.have.property('code', 'ERR_CACHE_CONNECTION');
    expect(cluster.leases).to.equal(0);
  });

  it('and not waited for without end, when nothing is ever stored', async () => {
    const all = open(MOST_TURNS + 3);
    const reads = all.map((node) => node.read());
    const started = (): number => all.reduce((sum, { source }) => sum + source.count, 0);
    const finished = new Set<TimedCache>();
    for (let turn = 0; turn < MOST_TURNS; turn++) {
      await settle();
      expect(started()).to.equal(turn + 1);
      const holder = all.find((node) => node.source.count === 1 && !finished.has(node))!;
      finished.add(holder);
      holder.source.finish(1, undefined);
    }
    await settle();
    expect(started(), 'the rest, side by side').to.equal(all.length);
    for (const node of all) if (!finished.has(node)) node.source.finish(1, undefined);
    expect(await Promise.all(reads)).to.deep.equal(all.map(() => undefined));
    expect(cluster.leases).to.equal(0);
  });
});
