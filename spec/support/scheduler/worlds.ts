import { MemoryBackend, type CacheBackend } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import type { CacheBus } from '#internal/cache/cache-bus.js';
import { SimulatedClient, type Wire } from '../simulated-redis/simulated-client.js';
import { SimulatedRedis } from '../simulated-redis/simulated-redis.js';
import { ReplyError } from '../simulated-redis/redis-reply.js';
import { GatedBackend, RemoteMemory } from './gated-backend.js';
import type { Schedule } from './schedule.js';
import { SimulatedChannel } from './simulated-bus.js';
import { everywhere, makeNode, nodeState, type World, type WorldRow } from './world.js';

/** Longer than any schedule: what is slow here is only late. */
const PATIENCE = '1h';

/** Its module as far as it is needed here. */
interface TieredModule {
  readonly TieredBackend: new (options: {
    readonly l1: CacheBackend;
    readonly l2: CacheBackend;
    readonly bus: CacheBus;
  }) => CacheBackend;
}

/** What a walk over all keys of the store depends on. */
const WALK = 'keys of the store';

const tiered = await moduleIfThere<TieredModule>('#internal/backends/tiered/tiered-backend.js');

async function moduleIfThere<Module>(name: string): Promise<Module | undefined> {
  try {
    return (await import(name)) as Module;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Every world that exists, one node or two. */
export const WORLDS: readonly WorldRow[] = [
  {
    name: 'memory',
    size: 1,
    share: 30,
    build: (settings): World => ({
      nodes: [makeNode(0, new MemoryBackend({ sweepInterval: Infinity }), settings)],
      reach: everywhere,
    }),
  },
  ...[1, 2].map((size): WorldRow => ({
    name: `remote memory, ${nodes(size)}`,
    size,
    share: 15,
    isImplied: size === 1,
    build: (settings): World => {
      const remote = new RemoteMemory();
      return {
        nodes: Array.from({ length: size }, (_, index) =>
          makeNode(index, new GatedBackend(remote, settings.schedule, index), settings),
        ),
        reach: everywhere,
      };
    },
  })),
  ...[1, 2].map((size): WorldRow => ({
    name: `simulated Redis, ${nodes(size)}`,
    size,
    share: 3,
    isCostly: size > 1,
    build: (settings): World => {
      const server = new SimulatedRedis(settings.time.now);
      return {
        nodes: Array.from({ length: size }, (_, index) =>
          makeNode(index, redisBackend(server, settings.schedule, index), settings),
        ),
        reach: everywhere,
        ...losses(server),
      };
    },
  })),
  ...[1, 2].map((size): WorldRow => ({
    name: `tiered, ${nodes(size)}`,
    size,
    share: size,
    isImplied: size === 1,
    isCostly: true,
    hasOwnTiers: true,
    pending: tiered === undefined ? 'there is no TieredBackend yet' : undefined,
    build: (settings): World => {
      const server = new SimulatedRedis(settings.time.now);
      const channel = new SimulatedChannel(settings.schedule);
      const { spoilOwnTier = (own: CacheBackend): CacheBackend => own } = settings;
      const backend = (index: number): CacheBackend =>
        new tiered!.TieredBackend({
          l1: spoilOwnTier(new MemoryBackend({ sweepInterval: Infinity })),
          l2: redisBackend(server, settings.schedule, index),
          bus: channel.bus(index),
        });
      return {
        nodes: Array.from({ length: size }, (_, index) =>
          makeNode(index, backend(index), settings),
        ),
        reach: channel.reach,
        acknowledged: channel.acknowledged,
        ...losses(server),
      };
    },
  })),
];

function nodes(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}

/** A backend on a connection whose requests and answers are steps. */
export function redisBackend(
  server: SimulatedRedis,
  schedule: Schedule,
  node: number,
): RedisBackend {
  return new RedisBackend({
    client: new SimulatedClient(scheduledWire(server, schedule, node)),
    prefix: 'spec',
    commandTimeout: PATIENCE,
    healthCheckInterval: 0,
  });
}

/** What a simulated server may lose. */
export function losses(server: SimulatedRedis): Pick<World, 'lose' | 'forgetScripts'> {
  return {
    lose: (random) => {
      const keys = server.space.keys().sort();
      const key = keys[Math.floor(random * keys.length)];
      if (key !== undefined) server.space.delete(key);
      return key;
    },
    forgetScripts: () => server.forgetScripts(),
  };
}

/**
 * One connection: requests arrive in the order in which they were sent, answers in that of the requests; in between
 * anything may happen.
 */
function scheduledWire(server: SimulatedRedis, schedule: Schedule, node: number): Wire {
  const [requests, answers] = [`requests of node ${node}`, `answers to node ${node}`];
  return (command, args) => {
    // What the backend tells every new connection decides nothing.
    if (command === 'script') return Promise.resolve(server.execute(command, args).reply);
    return new Promise((resolve, reject) => {
      const what = `${command} of node ${node}`;
      const arrive = (): void => {
        const { reply, touched } = server.execute(command, args);
        // What happens to the store as a whole cannot change places with any command.
        schedule.touch('store', 'add');
        for (const [key, how] of touched) {
          // A walk comes out otherwise with any key more or less.
          if (key === undefined) schedule.touch(WALK, 'read');
          else schedule.touch(`key ${key}`, how);
          if (how === 'write') schedule.touch(WALK, 'add');
        }
        const answer = (): void => {
          if (reply instanceof ReplyError) reject(reply);
          else resolve(reply);
        };
        schedule.add(answers, `${what} is answered`, answer, [nodeState(node)], answers);
      };
      schedule.add(requests, `${what} arrives`, arrive, [], requests);
    });
  };
}
