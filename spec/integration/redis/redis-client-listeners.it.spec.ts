import { expect } from 'chai';
import { Cluster, type Redis } from 'ioredis';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { startRedisCluster } from '../../support/redis-cluster.js';
import { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

type Client = Redis | Cluster;

/** What the user's clients reach. */
interface Place {
  readonly servers: readonly RedisServer[];
  client(): Client;
  stop(): Promise<void>;
}

const PLACES: Readonly<Record<string, () => Promise<Place>>> = {
  'one server': async () => {
    const server = await RedisServer.start();
    return { servers: [server], client: () => server.client(), stop: () => server.stop() };
  },
  'a Cluster': async () => {
    const cluster = await startRedisCluster({ args: ['--cluster-require-full-coverage', 'no'] });
    return {
      servers: cluster.masters,
      client: () => cluster.client(),
      stop: () => cluster.stop(),
    };
  },
};

const SETUPS: Readonly<Record<string, (client: Client, bus: Client) => CacheBackend>> = {
  'a backend': (client) => new RedisBackend({ client: client as unknown as RedisLike }),
  'two tiers': (client, bus) =>
    new TieredBackend({
      l2: new RedisBackend({ client: client as unknown as RedisLike }),
      bus: new RedisBus({ client: bus as unknown as RedisLike }),
    }),
};

/** What happens to every server at once. A node of a Cluster that is killed keeps its slots, and comes back empty. */
const FAULTS = {
  killed: {
    begin: (server: RedisServer) => server.stop(),
    end: (server: RedisServer) => server.start(),
  },
  frozen: {
    begin: async (server: RedisServer) => server.freeze(),
    end: async (server: RedisServer) => server.thaw(),
  },
} as const;

const ROUNDS = 3;

/** How many listeners each client has by event, and of a Cluster's connections the one with the most of them. */
function listenersOf(clients: readonly Client[]): readonly Readonly<Record<string, number>>[] {
  return clients.map((client) => {
    const counts: Record<string, number> = {};
    for (const name of client.eventNames()) counts[String(name)] = client.listenerCount(name);
    if (!(client instanceof Cluster)) return counts;
    // Which nodes it is connected to at the moment is its own affair.
    for (const node of client.nodes('all')) {
      for (const name of node.eventNames()) {
        const event = `${String(name)} of a node`;
        counts[event] = Math.max(counts[event] ?? 0, node.listenerCount(name));
      }
    }
    return counts;
  });
}

for (const [place, start] of Object.entries(PLACES)) {
  for (const [setup, backendOf] of Object.entries(SETUPS)) {
    describe(`A user's client of ${setup} on ${place}, in an outage`, function () {
      this.timeout(60_000);

      for (const [how, { begin, end }] of Object.entries(FAULTS)) {
        it(`has as many listeners as before, when Redis was ${how}`, async () => {
          const { servers, client, stop } = await start();
          const clients = [client(), client()] as const;
          for (const each of clients) each.on('error', () => undefined);
          const manager = new CacheManager({
            backend: backendOf(...clients),
            logger: silentLogger,
          });
          const isHealthy = (): boolean => manager.health().status === 'healthy';
          try {
            const cache = manager.cache('a');
            const works = async (): Promise<boolean> =>
              (await cache.set(1, 1)) && (await cache.get(1)) === 1;
            await until('it works', works);
            // Leases have a subscription of their own.
            await cache.getOrSet(2, async () => 2, { sync: 'cluster' });
            await until('all is well', isHealthy);
            const before = listenersOf(clients);
            for (let round = 0; round < ROUNDS; round++) {
              await Promise.all(servers.map(begin));
              await cache.delete(1);
              for (let call = 0; call < 100; call++) await cache.get(1);
              expect(isHealthy(), `whether nobody noticed round ${round}`).to.equal(false);
              await Promise.all(servers.map(end));
              await until('it works again', works, 20_000);
              await cache.getOrSet(`round ${round}`, async () => 2, { sync: 'cluster' });
              await until('all is well again', isHealthy, 20_000);
            }
            expect(listenersOf(clients)).to.deep.equal(before);
          } finally {
            await manager.close();
            for (const each of clients) each.disconnect();
            await stop();
          }
        });
      }
    });
  }
}
