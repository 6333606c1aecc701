import { writeFileSync } from 'node:fs';
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { eventually } from './eventually.js';
import { freePort, redisServerBinary, RedisServer } from './redis-server.js';
import { temporaryFolder } from './temporary-folder.js';

/** How the servers of a spec differ. */
export interface RedisSentinelOptions {
  /** How long the master may be silent before it counts as down, in ms. @defaultValue 1000 */
  readonly downAfterMs?: number;
}

/** Where a Sentinel listens. */
export interface SentinelHost {
  readonly host: string;
  readonly port: number;
}

/** The name under which the Sentinels know the master. */
export const MASTER_NAME = 'cachewell';

const SENTINELS = 3;
const QUORUM = 2;
const START_LIMIT_MS = 15_000;
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A real master with one replica, watched by three real Sentinels. */
export class RedisSentinelServers {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** For the option `sentinel.hosts`. */
  readonly hosts: readonly SentinelHost[];
  readonly #sentinels: readonly ChildProcess[];

  private constructor(
    servers: readonly [RedisServer, RedisServer],
    hosts: readonly SentinelHost[],
    sentinels: readonly ChildProcess[],
  ) {
    [this.master, this.replica] = servers;
    this.hosts = hosts;
    this.#sentinels = sentinels;
  }

  static async start({
    downAfterMs = 1000,
  }: RedisSentinelOptions = {}): Promise<RedisSentinelServers> {
    const master = await RedisServer.start({ args: ['--repl-diskless-sync-delay', '0'] });
    const replica = await RedisServer.start({ replicaOf: master.port });
    const hosts: SentinelHost[] = [];
    const sentinels: ChildProcess[] = [];
    for (let index = 0; index < SENTINELS; index++) {
      const port = await freePort();
      sentinels.push(startSentinel(port, master.port, downAfterMs));
      hosts.push({ host: '127.0.0.1', port });
    }
    const servers = new RedisSentinelServers([master, replica], hosts, sentinels);
    try {
      await eventually('the Sentinels know all', () => servers.#isReady(), START_LIMIT_MS);
    } catch (error) {
      await servers.stop();
      throw error;
    }
    return servers;
  }

  /** The port of the server that the Sentinels hold for the master. */
  async masterPort(): Promise<number> {
    return withClient(this.hosts[0]!.port, async (client) => {
      const address = await client.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER_NAME);
      return Number((address as string[])[1]);
    });
  }

  /** Stops the replica, and ends its link: what the master does from now on never reaches it. */
  async cutReplication(): Promise<void> {
    this.replica.freeze();
    await withClient(this.master.port, (client) => client.client('KILL', 'TYPE', 'replica'));
  }

  /** The first master comes back, empty, as a replica of the second. The Sentinels would take their time. */
  async rejoin(): Promise<void> {
    await this.master.start();
    await withClient(this.master.port, (client) =>
      client.replicaof('127.0.0.1', this.replica.port),
    );
  }

  async stop(): Promise<void> {
    for (const sentinel of this.#sentinels) sentinel.kill('SIGKILL');
    await Promise.all([this.master.stop(), this.replica.stop()]);
  }

  async #isReady(): Promise<boolean> {
    const isSynced = await withClient(this.replica.port, async (client) =>
      (await client.info('replication')).includes('master_link_status:up'),
    );
    if (!isSynced) return false;
    const known = await Promise.all(
      this.hosts.map(({ port }) =>
        withClient(port, async (client) => {
          const facts = (await client.call('SENTINEL', 'MASTER', MASTER_NAME)) as string[];
          const fact = (name: string): string => facts[facts.indexOf(name) + 1]!;
          return (
            Number(fact('num-slaves')) === 1 &&
            Number(fact('num-other-sentinels')) === SENTINELS - 1
          );
        }).catch(() => false),
      ),
    );
    return known.every(Boolean);
  }
}

/** Starts a master, its replica and Sentinels; see {@link RedisSentinelServers}. */
export function startRedisSentinel(
  options: RedisSentinelOptions = {},
): Promise<RedisSentinelServers> {
  return RedisSentinelServers.start(options);
}

function startSentinel(port: number, masterPort: number, downAfterMs: number): ChildProcess {
  const folder = temporaryFolder('sentinel');
  const file = join(folder, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${MASTER_NAME} 127.0.0.1 ${masterPort} ${QUORUM}`,
    `sentinel down-after-milliseconds ${MASTER_NAME} ${downAfterMs}`,
    `sentinel failover-timeout ${MASTER_NAME} 5000`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const child = spawn(redisServerBinary(), [file, '--sentinel'], { stdio: 'ignore' });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

async function withClient<Result>(
  port: number,
  work: (client: Redis) => Promise<Result>,
): Promise<Result> {
  const client = new Redis({
    host: '127.0.0.1',
    port,
    retryStrategy: () => null,
    lazyConnect: true,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await work(client);
  } finally {
    client.disconnect();
  }
}
