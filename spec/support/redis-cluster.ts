import { join } from 'node:path';
import { Cluster, type Redis } from 'ioredis';
import { freePort, RedisServer } from './redis-server.js';
import { temporaryFolder } from './temporary-folder.js';

/** How a cluster of a spec differs from three masters. */
export interface RedisClusterOptions {
  /** For each master. @defaultValue 0 */
  readonly replicas?: number;
  /** How long a node may be silent before it counts as failing, in ms. @defaultValue 2000 */
  readonly nodeTimeoutMs?: number;
  /** Further directives for every node. */
  readonly args?: readonly string[];
}

const MASTERS = 3;
const SLOTS = 16_384;
const START_LIMIT_MS = 30_000;

/** A real Redis Cluster on loopback, of three masters with a third of the slots each. */
export class RedisClusterServers {
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];

  private constructor(masters: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.masters = masters;
    this.replicas = replicas;
  }

  static async start(options: RedisClusterOptions = {}): Promise<RedisClusterServers> {
    const { replicas = 0, nodeTimeoutMs = 2000, args = [] } = options;
    const folder = temporaryFolder('cluster');
    const start = async (): Promise<{ server: RedisServer; busPort: number }> => {
      const busPort = await freePort();
      const server = await RedisServer.start({
        args: [
          ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
          // Outside the folder that is new with each start, so that a node that starts again is the same one.
          ...['--cluster-config-file', join(folder, `nodes-${busPort}.conf`)],
          ...['--cluster-node-timeout', String(nodeTimeoutMs)],
          ...['--cluster-replica-validity-factor', '0', '--repl-diskless-sync-delay', '0'],
          ...args,
        ],
      });
      return { server, busPort };
    };
    const nodes: { server: RedisServer; busPort: number }[] = [];
    for (let index = 0; index < MASTERS * (1 + replicas); index++) nodes.push(await start());
    const clients = nodes.map(({ server }) => server.client());
    try {
      const share = Math.ceil(SLOTS / MASTERS);
      for (let index = 0; index < MASTERS; index++) {
        const last = Math.min(SLOTS, (index + 1) * share) - 1;
        await clients[index]!.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last);
        await clients[index]!.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
      }
      for (const { server, busPort } of nodes.slice(1)) {
        await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', server.port, busPort);
      }
      await until('every node to know all', async () => {
        const known = await Promise.all(clients.map(async (client) => knownNodes(client)));
        return known.every((count) => count === nodes.length);
      });
      for (let index = MASTERS; index < nodes.length; index++) {
        const id = await clients[index % MASTERS]!.call('CLUSTER', 'MYID');
        await clients[index]!.call('CLUSTER', 'REPLICATE', String(id));
      }
      await until('the cluster to be ready', async () => {
        const states = await Promise.all(
          clients.map(async (client, index) => {
            const info = String(await client.call('CLUSTER', 'INFO'));
            if (!info.includes('cluster_state:ok')) return false;
            if (index < MASTERS) return true;
            return (await client.info('replication')).includes('master_link_status:up');
          }),
        );
        return states.every(Boolean);
      });
    } catch (error) {
      await Promise.all(nodes.map(async ({ server }) => server.stop()));
      throw error;
    } finally {
      for (const client of clients) client.disconnect();
    }
    const servers = nodes.map(({ server }) => server);
    return new RedisClusterServers(servers.slice(0, MASTERS), servers.slice(MASTERS));
  }

  /** For the option `cluster.nodes`. */
  get nodes(): readonly string[] {
    return this.masters.map(({ port }) => `127.0.0.1:${port}`);
  }

  /** A client for the spec itself, with the patience that ioredis has by default. */
  client(): Cluster {
    return new Cluster(this.masters.map(({ port }) => ({ host: '127.0.0.1', port })));
  }

  /** Resolves when a replica has taken the place of a master that was killed. */
  async tookOver(master: number): Promise<void> {
    await until('the replica to take over', async () => (await this.#roleOf(master)) === 'master');
  }

  /** Starts a master again whose place its replica has taken. Resolves when it replicates that one. */
  async rejoin(master: number): Promise<void> {
    await this.masters[master]!.start();
    const client = this.masters[master]!.client();
    try {
      await until('the old master to replicate the new one', async () =>
        (await client.info('replication')).includes('master_link_status:up'),
      );
    } finally {
      client.disconnect();
    }
  }

  async #roleOf(replica: number): Promise<string | undefined> {
    const client = this.replicas[replica]!.client();
    try {
      return /^role:(\w+)/m.exec(await client.info('replication'))?.[1];
    } finally {
      client.disconnect();
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.masters, ...this.replicas].map(async (server) => server.stop()));
  }
}

/** Starts a Redis Cluster; see {@link RedisClusterServers.start}. */
export function startRedisCluster(options: RedisClusterOptions = {}): Promise<RedisClusterServers> {
  return RedisClusterServers.start(options);
}

async function knownNodes(client: Redis): Promise<number> {
  const lines = String(await client.call('CLUSTER', 'NODES')).split('\n');
  return lines.filter((line) => line.includes(' connected') && !line.includes('handshake')).length;
}

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + START_LIMIT_MS;
  while (!(await isSo())) {
    if (performance.now() > limit) throw new Error(`Waited in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
