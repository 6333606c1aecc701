import { expect } from 'chai';
import type { Cluster } from 'ioredis';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { bucketKey, bucketOf } from '#internal/backends/redis/cluster-keys.js';
import { hashSlot } from '#internal/backends/redis/hash-slot.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { CacheTimeoutError } from '#internal/errors.js';
import { eventually } from '../../support/eventually.js';
import {
  attachedBackend,
  closeAll,
  writeOf,
  type AttachedBackend,
} from '../../support/redis-backend-fixture.js';
import {
  startRedisCluster,
  type RedisClusterOptions,
  type RedisClusterServers,
} from '../../support/redis-cluster.js';
import type { RedisServer } from '../../support/redis-server.js';
import { TierPair } from '../../support/tier-pair.js';

const TIMEOUT_MS = 250;
/** What a busy machine may add. */
const SLACK_MS = 250;
const KEYS: readonly string[] = Array.from({ length: 60 }, (_, index) => `k${index}`);

describe('an outage in a Cluster', function () {
  this.timeout(60_000);

  const unhandled: unknown[] = [];
  const noteUnhandled = (error: unknown): void => void unhandled.push(error);
  let closings: (() => unknown)[];

  beforeEach(() => {
    process.on('unhandledRejection', noteUnhandled);
    closings = [];
  });

  afterEach(async () => {
    for (const close of closings.reverse()) await close();
    process.off('unhandledRejection', noteUnhandled);
    expect(unhandled.splice(0)).to.deep.equal([]);
  });

  const start = async (options: RedisClusterOptions): Promise<RedisClusterServers> => {
    const servers = await startRedisCluster({ nodeTimeoutMs: 1000, ...options });
    closings.push(() => servers.stop());
    return servers;
  };
  const placeOf = (servers: RedisClusterServers, isOurs: boolean): RedisBackendOptions => {
    if (isOurs) return { cluster: { nodes: servers.nodes } };
    const client: Cluster = servers.client();
    client.on('error', () => undefined);
    closings.push(() => client.disconnect());
    return { client: client as unknown as RedisLike };
  };
  /** Reads all keys, round after round. Gives by round how many calls timed out, failed, and worked. */
  const readAll = async (
    { store }: AttachedBackend,
    rounds: number,
  ): Promise<{ timeouts: number; failed: Set<string>; worked: Set<string> }> => {
    let timeouts = 0;
    const failed = new Set<string>();
    const worked = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      for (const key of KEYS) {
        const startedAt = performance.now();
        try {
          await store.get(key);
          worked.add(key);
        } catch (error) {
          failed.add(key);
          if (error instanceof CacheTimeoutError) timeouts++;
        }
        expect(performance.now() - startedAt).to.be.below(TIMEOUT_MS + SLACK_MS);
      }
    }
    return { timeouts, failed, worked };
  };
  const keysOf = (servers: RedisClusterServers, master: number, prefix: string): string[] =>
    KEYS.filter((key) => {
      const slot = hashSlot(bucketKey(`${prefix}:1:users`, bucketOf(key)));
      return Math.floor(slot / Math.ceil(16_384 / servers.masters.length)) === master;
    });
  /** The index of the master that has keys, and not the head, on which all that is loaded depends. */
  const masterWithoutHead = (prefix: string): number => {
    const head = Math.floor(hashSlot(`{${prefix}:~}`) / Math.ceil(16_384 / 3));
    return (head + 1) % 3;
  };

  for (const isOurs of [true, false]) {
    for (const [how, fail] of [
      ['killed', (server: RedisServer) => server.stop()],
      ['frozen', (server: RedisServer) => server.freeze()],
    ] as const) {
      it(`of a master that is ${how} costs its own slots a call or two, and others nothing, with ${isOurs ? 'our own' : "the user's"} client`, async () => {
        // Otherwise the Cluster itself stops serving all slots, a second later.
        const servers = await start({ args: ['--cluster-require-full-coverage', 'no'] });
        const attached = attachedBackend({ ...placeOf(servers, isOurs), prefix: 'part' });
        closings.push(() => closeAll([attached.backend]));
        const { store, backend, events } = attached;
        await eventually('all is stored', async () => {
          const writes = KEYS.map((key) => writeOf(key, 'v'));
          const outcomes = await Promise.resolve(store.store(writes)).catch(() => []);
          return outcomes.length > 0 && outcomes.every((outcome) => outcome === 'stored');
        });
        await eventually('all is well', () => backend.health().status === 'healthy');
        events.length = 0;
        const broken = masterWithoutHead('part');
        const lost = keysOf(servers, broken, 'part');
        expect(lost.length).to.be.within(1, KEYS.length - 1);
        await fail(servers.masters[broken]!);
        const { timeouts, failed, worked } = await readAll(attached, 20);
        expect([...failed].sort()).to.deep.equal([...lost].sort());
        expect([...worked].sort()).to.deep.equal(KEYS.filter((key) => !lost.includes(key)).sort());
        // Two, and what the own event loop is to blame for.
        expect(timeouts).to.be.at.most(6);
        expect(backend.isAvailable).to.equal(true);
        expect(backend.health()).to.deep.equal({
          status: 'degraded',
          breaker: 'half-open',
          errorCode: 'ERR_CACHE_CONNECTION',
        });
        expect(events.filter(({ type }) => type === 'degraded')).to.have.length(1);
        if (how === 'killed') return;
        servers.masters[broken]!.thaw();
        await eventually('all is well again', () => backend.health().status === 'healthy');
        expect((await readAll(attached, 1)).failed.size).to.equal(0);
        expect(events.filter(({ type }) => type === 'recovered')).to.have.length(1);
      });
    }
  }

  it('keeps what a master could not take, reads nothing meanwhile, and replays it', async () => {
    const servers = await start({ args: ['--cluster-require-full-coverage', 'no'] });
    const manager = new CacheManager({
      backend: new RedisBackend({ ...placeOf(servers, true), prefix: 'kept' }),
      logger: silentLogger,
    });
    closings.push(() => manager.close({ timeout: 200 }));
    const other = attachedBackend({ ...placeOf(servers, true), prefix: 'kept' });
    closings.push(() => closeAll([other.backend]));
    const cache = manager.cache<[string], string>('users');
    await eventually('all is stored', async () => {
      await Promise.all(KEYS.map(async (key) => cache.set(key, 'old')));
      return (await cache.getMany(KEYS.map((key) => [key]))).size === KEYS.length;
    });
    const broken = masterWithoutHead('kept');
    const [lost = ''] = keysOf(servers, broken, 'kept');
    const kept = KEYS.find((key) => !keysOf(servers, broken, 'kept').includes(key))!;
    servers.masters[broken]!.freeze();
    let deferred = 0;
    manager.on('deferred', () => deferred++);
    await cache.delete(lost);
    expect(deferred).to.equal(1);
    // One queue, in order: what it holds comes before whatever is read, of any master.
    expect(await cache.get(kept)).to.equal(undefined);
    expect(await cache.get(lost)).to.equal(undefined);
    servers.masters[broken]!.thaw();
    await eventually('all is well again', () => manager.health().status === 'healthy');
    expect(await cache.get(kept)).to.equal('old');
    expect(await cache.get(lost)).to.equal(undefined);
    await eventually('the other connection is well', async () => {
      return (await Promise.resolve(other.store.get(lost)).catch(() => 'failed')) === undefined;
    });
  });

  it('ends with a replica that takes over, while a pair of nodes works', async () => {
    const servers = await start({ replicas: 1 });
    const place = { cluster: { nodes: servers.nodes } };
    const pair = new TierPair({ prefix: 'over', backend: place, bus: place });
    closings.push(() => pair.stop());
    await pair.meet();
    pair.go();
    await pair.invalidatesInEveryWay();
    // Replication is asynchronous: what only the dying master has is lost, by P1's own words.
    await pair.hush();
    await replicasHaveAll(servers);
    pair.watch.faultBegins();
    const head = Math.floor(hashSlot('{over:~}') / Math.ceil(16_384 / 3));
    await servers.masters[head]!.stop();
    pair.writeAgain();
    await eventually('an invalidation was deferred', () => pair.deferred > 0);
    await eventually(
      'both are well',
      () => [pair.writer, pair.reader].every((node) => node.health().status === 'healthy'),
      20_000,
    );
    pair.watch.faultEnds();
    await pair.invalidatesInEveryWay();
    await pair.agree();
    expect(pair.watch.ownWritesMissed).to.equal(0);
    expect(pair.watch.violations).to.deep.equal([]);
    expect(pair.watch.reads).to.be.above(300);
    expect(Math.max(0, ...pair.slowCalls)).to.be.below(TIMEOUT_MS + SLACK_MS);
    expect(pair.slowCalls.length).to.be.below(pair.calls / 20);
  });
});

async function replicasHaveAll(servers: RedisClusterServers): Promise<void> {
  const offset = async (server: RedisServer, name: string): Promise<string | undefined> => {
    const client = server.client();
    try {
      return new RegExp(`^${name}:(\\d+)`, 'm').exec(await client.info('replication'))?.[1];
    } finally {
      client.disconnect();
    }
  };
  await eventually('the replicas have all', async () => {
    const pairs = await Promise.all(
      servers.masters.map(async (master, index) => [
        await offset(master, 'master_repl_offset'),
        await offset(servers.replicas[index]!, 'slave_repl_offset'),
      ]),
    );
    return pairs.every(([written, read]) => written === read);
  });
}
