import { Redis } from 'ioredis';
import { freePort, startRedis, type BenchmarkRedis } from './redis-server.js';
import { UsageError } from './usage.js';

/** A Redis Cluster on loopback for one benchmark: three masters with a third of the slots each, without replicas. */
export interface BenchmarkCluster {
  readonly masters: readonly BenchmarkRedis[];
  stop(): Promise<void>;
}

const MASTERS = 3;
const SLOTS = 16_384;
const START_LIMIT_MS = 30_000;

/**
 * Starts the masters, each like {@link startRedis}, and joins them.
 *
 * @throws {@link UsageError} when there is no redis-server, or the masters do not find each other in time
 */
export async function startRedisCluster(): Promise<BenchmarkCluster> {
  const masters: BenchmarkRedis[] = [];
  const busPorts: number[] = [];
  const clients: Redis[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(masters.map((master) => master.stop()));
  };
  try {
    for (let index = 0; index < MASTERS; index++) {
      const busPort = await freePort();
      const directives = ['--cluster-enabled', 'yes', '--cluster-port', `${busPort}`];
      const master = await startRedis(directives);
      busPorts.push(busPort);
      masters.push(master);
      clients.push(new Redis({ port: master.port }));
    }
    await join(masters, busPorts, clients);
    return { masters, stop };
  } catch (error) {
    await stop();
    throw error;
  } finally {
    for (const client of clients) client.disconnect();
  }
}

async function join(
  masters: readonly BenchmarkRedis[],
  busPorts: readonly number[],
  clients: readonly Redis[],
): Promise<void> {
  const share = Math.ceil(SLOTS / MASTERS);
  for (const [index, client] of clients.entries()) {
    const last = Math.min(SLOTS, (index + 1) * share) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    if (index === 0) continue;
    await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', masters[index]!.port, busPorts[index]!);
  }
  const limit = performance.now() + START_LIMIT_MS;
  const isJoined = async (client: Redis): Promise<boolean> => {
    const info = String(await client.call('CLUSTER', 'INFO'));
    return info.includes('cluster_state:ok') && info.includes(`cluster_known_nodes:${MASTERS}`);
  };
  while (!(await Promise.all(clients.map(isJoined))).every(Boolean)) {
    if (performance.now() > limit) throw new UsageError('the masters of the Cluster did not join');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
