import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import type { CacheManager } from '#internal/manager/cache-manager.js';
import { eventually } from '../../support/eventually.js';
import {
  MASTER_NAME,
  startRedisSentinel,
  type RedisSentinelServers,
} from '../../support/redis-sentinel.js';
import { TierPair, tieredManager, type TierPairOptions } from '../../support/tier-pair.js';

const TIMEOUT_MS = 250;
/** A write publishes after it has invalidated; both share the time. A busy machine may add this. */
const SLACK_MS = 250;

describe('a fail-over by Sentinels', function () {
  this.timeout(60_000);

  let servers: RedisSentinelServers;
  let managers: CacheManager[];
  let pairs: TierPair[];
  const unhandled: unknown[] = [];
  const noteUnhandled = (error: unknown): void => void unhandled.push(error);

  beforeEach(async () => {
    process.on('unhandledRejection', noteUnhandled);
    managers = [];
    pairs = [];
    servers = await startRedisSentinel();
  });

  afterEach(async () => {
    await Promise.all(pairs.map((pair) => pair.stop()));
    await Promise.all(managers.map((manager) => manager.close({ timeout: 200 })));
    await servers.stop();
    process.off('unhandledRejection', noteUnhandled);
    expect(unhandled.splice(0)).to.deep.equal([]);
  });

  const places = (replicas = 0): TierPairOptions => {
    const sentinel = { name: MASTER_NAME, hosts: servers.hosts };
    const wait = replicas > 0 ? { wait: { replicas, timeout: '100ms' } as const } : {};
    return { prefix: 'failover', backend: { sentinel, ...wait }, bus: { sentinel } };
  };
  const newMaster = (): Promise<void> =>
    eventually(
      'another master was chosen',
      async () => (await servers.masterPort()) === servers.replica.port,
      20_000,
    );
  const replicaHasAll = (): Promise<void> =>
    eventually('the replica has all', async () => {
      const [master, replica] = [servers.master.client(), servers.replica.client()];
      try {
        const [from, to] = await Promise.all(
          [master, replica].map((one) => one.info('replication')),
        );
        const written = /master_repl_offset:(\d+)/.exec(from!)![1];
        return written === /slave_repl_offset:(\d+)/.exec(to!)?.[1];
      } finally {
        master.disconnect();
        replica.disconnect();
      }
    });

  it('costs a working pair a bounded time, loses no invalidation, and heals', async () => {
    const pair = new TierPair(places());
    pairs.push(pair);
    await pair.meet();
    pair.go();
    await pair.invalidatesInEveryWay();
    expect(pair.deferred).to.equal(0);
    const { distrusts } = await pair.reader.info();
    // Replication is asynchronous: what only the dying master has is lost, by P1's own words.
    await pair.hush();
    await replicaHasAll();
    pair.watch.faultBegins();
    await servers.master.stop();
    pair.writeAgain();
    await newMaster();
    await eventually('both are well', () =>
      [pair.writer, pair.reader].every((node) => node.health().status === 'healthy'),
    );
    pair.watch.faultEnds();
    await pair.invalidatesInEveryWay();
    await pair.agree();
    expect(pair.watch.ownWritesMissed).to.equal(0);
    expect(pair.watch.violations).to.deep.equal([]);
    expect(pair.watch.reads).to.be.above(300);
    expect(pair.deferred).to.be.above(0);
    expect(Math.max(0, ...pair.slowCalls)).to.be.below(TIMEOUT_MS + SLACK_MS);
    // A dead socket says so itself: hardly a call waits for its timeout.
    expect(pair.slowCalls.length).to.be.below(pair.calls / 20);
    expect(Number((await pair.reader.info())['distrusts'])).to.be.above(Number(distrusts));
  });

  it('may lose an invalidation that only the old master had, which is a limit of P1', async () => {
    const manager = tieredManager(places());
    managers.push(manager);
    const cache = manager.cache<[string], string>('users', { onError: 'throw', tiers: 'l2' });
    await eventually('it is stored', async () => {
      await cache.set('k', 'old').catch(() => undefined);
      return (await cache.get('k').catch(() => undefined)) === 'old';
    });
    await replicaHasAll();
    await servers.cutReplication();
    await cache.delete('k');
    expect(await cache.get('k')).to.equal(undefined);
    await servers.master.stop();
    servers.replica.thaw();
    await newMaster();
    await eventually('it is served again', async () => {
      return (await cache.get('k').catch(() => undefined)) === 'old';
    });
  });

  it('loses none that was acknowledged with a replica, and repeats one that was not', async () => {
    const manager = tieredManager(places(1));
    managers.push(manager);
    const cache = manager.cache<[string], string>('users', { onError: 'throw', tiers: 'l2' });
    await eventually('it is stored', async () => {
      await cache.set('k', 'old').catch(() => undefined);
      return (await cache.get('k').catch(() => undefined)) === 'old';
    });
    await replicaHasAll();
    await servers.cutReplication();
    let failure: unknown;
    await cache.delete('k').catch((error: unknown) => (failure = error));
    expect(failure).to.be.instanceOf(Error).with.property('message').that.includes('replicas');
    await servers.master.stop();
    servers.replica.thaw();
    await newMaster();
    // The only replica is the master now, so nothing is confirmed before the old one is back.
    await servers.rejoin();
    const seen = new Set<unknown>();
    await eventually(
      'the invalidation was repeated, and confirmed',
      async () => {
        seen.add(await cache.get('k').catch(() => 'refused'));
        return manager.health().status === 'healthy';
      },
      30_000,
    );
    seen.add(await cache.get('k'));
    expect([...seen]).to.not.include('old');
    await cache.set('k', 'new');
    expect(await cache.get('k')).to.equal('new');
  });
});
