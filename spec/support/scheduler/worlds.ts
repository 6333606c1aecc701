import { MemoryBackend } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { SimulatedClient, type Wire } from '../simulated-redis/simulated-client.js';
import { SimulatedRedis } from '../simulated-redis/simulated-redis.js';
import { ReplyError } from '../simulated-redis/redis-reply.js';
import { GatedBackend, RemoteMemory } from './gated-backend.js';
import type { Schedule } from './schedule.js';
import { everywhere, makeNode, nodeState, type World, type WorldRow } from './world.js';

/** Longer than any schedule: what is slow here is only late. */
const PATIENCE = '1h';

/** Every world that exists, one node or two. */
export const WORLDS: readonly WorldRow[] = [
  {
    name: 'memory',
    size: 1,
    share: 6,
    build: (settings): World => ({
      nodes: [makeNode(0, new MemoryBackend({ sweepInterval: Infinity }), settings)],
      reach: everywhere,
    }),
  },
  ...[1, 2].map((size): WorldRow => ({
    name: `remote memory, ${nodes(size)}`,
    size,
    share: 4,
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
        const { reply, isWrite } = server.execute(command, args);
        schedule.touch('store', isWrite ? 'write' : 'read');
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
