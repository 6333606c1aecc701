import { after, before, describe, it } from 'mocha';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis';
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis-6';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { DefaultFramer } from '#internal/codecs/default-framer.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { describeBackend } from '#internal/testing/describe-backend.js';
import type { CacheClock } from '#internal/clock.js';
import { startRedisCluster, type RedisClusterServers } from '../support/redis-cluster.js';
import { RedisServer } from '../support/redis-server.js';

/** Clients of both majors of ioredis fit the structural port. */
const CLIENTS: Readonly<Record<string, (port: number) => RedisLike>> = {
  'ioredis 5': (port) => new Redis5({ host: '127.0.0.1', port }),
  'ioredis 6': (port) => new Redis6({ host: '127.0.0.1', port }),
};

describe('RedisBackend', () => {
  let server: RedisServer;
  let number = 0;
  const prefix = (): string => `suite${++number}`;
  const framer = new DefaultFramer({ codec: new JsonCodec() });
  const clients: RedisLike[] = [];

  before(async () => {
    server = await RedisServer.start();
  });

  after(async () => {
    for (const client of clients) client.disconnect();
    await server.stop();
  });

  describeBackend({ describe, it }, 'RedisBackend', () => {
    const own = prefix();
    const time = new SkippedTime([server], own);
    return {
      clock: time,
      advance: (ms) => time.advance(ms),
      backend: new RedisBackend({
        url: server.url,
        prefix: own,
        commandTimeout: '5s',
        lease: '1m',
      }),
      framer,
      lapse: () => lapseLeases(server, own),
    };
  });

  for (const [name, makeClient] of Object.entries(CLIENTS)) {
    describeBackend({ describe, it }, `RedisBackend with a client of ${name}`, () => {
      const client = makeClient(server.port);
      clients.push(client);
      return {
        backend: new RedisBackend({ client, prefix: prefix(), commandTimeout: '5s' }),
        framer,
      };
    });
  }
});

/**
 * Time that passes for one backend on servers whose clocks go on as they do: by its own clock, and in what is left to
 * live of its keys.
 */
class SkippedTime implements CacheClock {
  readonly #servers: readonly RedisServer[];
  readonly #prefix: string;
  readonly #isOwn: RegExp;
  #skippedMs = 0;

  constructor(servers: readonly RedisServer[], prefix: string) {
    this.#servers = servers;
    this.#prefix = prefix;
    this.#isOwn = new RegExp(`^\\{?${prefix}\\b`);
  }

  now(): number {
    return Date.now() + this.#skippedMs;
  }

  async advance(ms: number): Promise<void> {
    this.#skippedMs += ms;
    for (const server of this.#servers) {
      const client = server.client();
      // On a Cluster most keys have a part in braces.
      const names = await client.keys(`*${this.#prefix}*`);
      for (const name of names.filter((each) => this.#isOwn.test(each))) {
        const left = await client.pttl(name);
        // What has no time left is deleted at once.
        if (left >= 0) await client.pexpire(name, left - ms);
      }
      client.disconnect();
    }
  }
}

/** Writes into every lease that it has ended. */
async function lapseLeases(server: RedisServer, prefix: string): Promise<void> {
  const client = server.client();
  for (const name of await client.keys(`${prefix}:*%~turn`)) {
    const [grant, , ...waiting] = (await client.get(name))!.split(' ');
    await client.set(name, [grant, '1', ...waiting].join(' '), 'PX', 60_000);
  }
  client.disconnect();
}

describe('RedisBackend on a Cluster', () => {
  let servers: RedisClusterServers;
  let number = 0;
  const prefix = (): string => `suite${++number}`;
  const framer = new DefaultFramer({ codec: new JsonCodec() });
  const clients: RedisLike[] = [];

  before(async function () {
    this.timeout(60_000);
    servers = await startRedisCluster();
  });

  after(async () => {
    for (const client of clients) client.disconnect();
    await servers.stop();
  });

  describeBackend({ describe, it }, 'RedisBackend of cluster nodes', () => {
    const own = prefix();
    const time = new SkippedTime(servers.masters, own);
    return {
      clock: time,
      advance: (ms) => time.advance(ms),
      backend: new RedisBackend({
        cluster: { nodes: servers.nodes },
        prefix: own,
        commandTimeout: '5s',
        lease: '1m',
      }),
      framer,
      lapse: async () => {
        for (const server of servers.masters) await lapseLeases(server, `{${own}`);
      },
    };
  });

  const CLUSTERS: Readonly<Record<string, (port: number) => RedisLike>> = {
    'ioredis 5': (port) => new Cluster5([{ host: '127.0.0.1', port }]),
    'ioredis 6': (port) => new Cluster6([{ host: '127.0.0.1', port }]),
  };
  for (const [name, makeClient] of Object.entries(CLUSTERS)) {
    let client: RedisLike | undefined;
    describeBackend({ describe, it }, `RedisBackend with a Cluster client of ${name}`, () => {
      if (client === undefined) {
        client = makeClient(servers.masters[0]!.port);
        clients.push(client);
      }
      return {
        backend: new RedisBackend({ client, prefix: prefix(), commandTimeout: '5s' }),
        framer,
      };
    });
  }
});
