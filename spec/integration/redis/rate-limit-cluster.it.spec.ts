import { expect } from 'chai';
import express, { type Request } from 'express';
import type { Redis } from 'ioredis';
import { CacheManager } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { rateLimit, type RateLimiter } from '#internal/express/rate-limit.js';
import { listening, type Listening } from '../../support/http-listener.js';
import { startRedisCluster, type RedisClusterServers } from '../../support/redis-cluster.js';

/** So many that each master has some. */
const CLIENTS = Array.from({ length: 24 }, (_, index) => `client-${index}`);

describe('rateLimit on Redis Cluster', function () {
  this.timeout(120_000);

  let servers: RedisClusterServers;
  let clients: readonly Redis[];

  before(async () => {
    servers = await startRedisCluster();
    clients = servers.masters.map((master) => master.client());
  });

  after(async () => {
    for (const client of clients) client.disconnect();
    await servers.stop();
  });

  beforeEach(async () => {
    await Promise.all(clients.map((client) => client.flushall()));
  });

  /** A process of an application. */
  interface Process extends AsyncDisposable {
    readonly limiter: RateLimiter;
    status(client: string): Promise<number>;
  }

  async function start(): Promise<Process> {
    const backend = new RedisBackend({
      cluster: { nodes: servers.nodes },
      prefix: 'limits',
      // A busy machine must not decide what is counted.
      commandTimeout: '5s',
    });
    const manager = new CacheManager({ backend, logger: silentLogger });
    const key = (req: Request): string | undefined => req.get('x-client');
    const limiter = rateLimit('3/hour', { manager, key });
    const app = express();
    app.set('env', 'test');
    app.use(limiter, (_req, res) => void res.send('ok'));
    const server: Listening = await listening(app);
    return {
      limiter,
      status: async (client) =>
        (await fetch(server.origin, { headers: { 'x-client': client } })).status,
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]();
        await manager.close();
      },
    };
  }

  it('counts together in all processes, each client on the master of its key', async () => {
    await using one = await start();
    await using other = await start();
    for (const client of CLIENTS) {
      const statuses = [];
      for (const each of [one, other, one, other]) statuses.push(await each.status(client));
      expect(statuses, client).to.deep.equal([200, 200, 200, 429]);
      expect(await one.limiter.count(client)).to.have.property('totalHits', 4);
    }
    const keys = await Promise.all(clients.map((client) => client.keys('*')));
    for (const each of keys) {
      expect(each.length).to.be.greaterThan(0);
      for (const key of each) expect(key).to.include(':~area:limit:3/hour:');
    }
    expect(keys.flat()).to.have.length(CLIENTS.length);
    await other.limiter.reset(CLIENTS[0]!);
    expect(await one.status(CLIENTS[0]!)).to.equal(200);
  });

  it('counts concurrent requests exactly', async () => {
    await using one = await start();
    await using other = await start();
    const statuses = await Promise.all(
      CLIENTS.flatMap((client) =>
        [one, other].flatMap((each) => [1, 2, 3].map(() => each.status(client))),
      ),
    );
    expect(statuses.filter((status) => status === 200)).to.have.length(3 * CLIENTS.length);
    expect(statuses.filter((status) => status === 429)).to.have.length(3 * CLIENTS.length);
  });

  it('goes on when masters have forgotten the scripts, and where a slot moves', async () => {
    await using one = await start();
    for (const client of CLIENTS) await one.status(client);
    await clients[0]!.script('FLUSH');
    await clients[1]!.script('FLUSH');
    for (const client of CLIENTS) expect(await one.status(client)).to.equal(200);

    const [key] = await clients[0]!.keys('*');
    const slot = Number(await clients[0]!.call('CLUSTER', 'KEYSLOT', key!));
    await move(slot);
    for (const client of CLIENTS) expect(await one.status(client), client).to.equal(200);
    for (const client of CLIENTS) expect(await one.status(client), client).to.equal(429);
    expect(await clients[1]!.exists(key!)).to.equal(1);
  });

  /** From the first master to the second, as an operator does it. */
  async function move(slot: number): Promise<void> {
    const [from, to, third] = clients as [Redis, Redis, Redis];
    const [source, target] = [await from.call('CLUSTER', 'MYID'), await to.call('CLUSTER', 'MYID')];
    await to.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(source));
    await from.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', String(target));
    const keys = (await from.call('CLUSTER', 'GETKEYSINSLOT', slot, 100)) as string[];
    const port = servers.masters[1]!.port;
    await from.call('MIGRATE', '127.0.0.1', port, '', 0, 5000, 'KEYS', ...keys);
    for (const client of [to, from, third]) {
      await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(target));
    }
  }
});
