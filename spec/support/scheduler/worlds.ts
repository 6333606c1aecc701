import { MemoryBackend, type CacheBackend } from 'cachewell';
import type { CacheBus } from '#internal/cache/cache-bus.js';
import { GatedBackend, RemoteMemory } from './gated-backend.js';
import { ScheduledRedis } from './scheduled-redis.js';
import { SimulatedChannel } from './simulated-bus.js';
import { everywhere, makeNode, type World, type WorldRow } from './world.js';

/** Its module as far as it is needed here. */
interface TieredModule {
  readonly TieredBackend: new (options: {
    readonly l1: CacheBackend;
    readonly l2: CacheBackend;
    readonly bus: CacheBus;
  }) => CacheBackend;
}

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
    share: size === 1 ? 12 : 17,
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
    share: 1 + size,
    isCostly: size > 1,
    hasLeases: true,
    build: (settings): World => {
      const redis = new ScheduledRedis(settings.schedule, settings.time);
      return {
        nodes: Array.from({ length: size }, (_, index) =>
          makeNode(index, redis.backend(index), settings),
        ),
        reach: everywhere,
        ...redis.losses,
      };
    },
  })),
  ...[1, 2].map((size): WorldRow => ({
    name: `tiered, ${nodes(size)}`,
    size,
    share: size === 1 ? 1 : 4,
    isImplied: size === 1,
    isCostly: true,
    hasLeases: true,
    hasOwnTiers: true,
    pending: tiered === undefined ? 'there is no TieredBackend yet' : undefined,
    build: (settings): World => {
      const redis = new ScheduledRedis(settings.schedule, settings.time);
      const channel = new SimulatedChannel(settings.schedule);
      const { spoilOwnTier = (own: CacheBackend): CacheBackend => own } = settings;
      const backend = (index: number): CacheBackend =>
        new tiered!.TieredBackend({
          l1: spoilOwnTier(new MemoryBackend({ sweepInterval: Infinity })),
          l2: redis.backend(index),
          bus: channel.bus(index),
        });
      return {
        nodes: Array.from({ length: size }, (_, index) =>
          makeNode(index, backend(index), settings),
        ),
        // Where nothing is kept in the processes, no message is needed.
        reach: settings.definition['tiers'] === 'l2' ? everywhere : channel.reach,
        acknowledged: channel.acknowledged,
        ...redis.losses,
      };
    },
  })),
];

function nodes(count: number): string {
  return count === 1 ? '1 node' : `${count} nodes`;
}
