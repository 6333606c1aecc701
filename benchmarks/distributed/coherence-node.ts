/* One process of `coherence.bench.ts`: a manager with both tiers, which fills its own one, evicts, and notes what arrives. */
import {
  CacheManager,
  MemoryBackend,
  TieredBackend,
  type BusContext,
  type CacheBus,
} from 'cachewell';
import { RedisBackend, RedisBus } from 'cachewell/redis';
import { hostMicroseconds, serveTasks } from '../support/workers.js';

/** A key and the microsecond of the host's clock at which something happened to it. */
export type KeyTime = readonly [key: string, us: number];

/** What a process has seen of the others. */
export interface Arrivals {
  readonly drops: readonly KeyTime[];
  /** Messages of others, heartbeats left out. */
  readonly messages: number;
}

const [url] = process.argv.slice(2);
const AT_A_TIME = 200;
/** Signs of life: nothing is dropped for them. */
const BEATS = new Set<unknown>(['h', 'b']);

/** Notes when the process' own tier has dropped the keys of a message of another process. */
class TimedBus extends RedisBus {
  readonly drops: KeyTime[] = [];
  readonly #own = new Set<string>();
  messages = 0;

  override attach(context: BusContext): void {
    super.attach({
      ...context,
      receive: (message) => {
        // Memory drops at once, so it is done when this has returned.
        context.receive(message);
        const now = hostMicroseconds();
        if (this.#own.delete(message)) return;
        const [, , , , kind] = JSON.parse(message) as readonly unknown[];
        if (BEATS.has(kind)) return;
        this.messages++;
        for (const [key] of message.matchAll(/key-\d+-\d+/g)) this.drops.push([key, now]);
      },
    });
  }

  override publish(...args: Parameters<CacheBus['publish']>): Promise<void> {
    this.#own.add(args[0]);
    return super.publish(...args);
  }
}

const bus = new TimedBus({ url: url! });
const backend = new TieredBackend({
  l1: new MemoryBackend({ maxEntries: Infinity }),
  l2: new RedisBackend({ url: url! }),
  bus,
});
const manager = new CacheManager({ backend, ttl: '1h' });
const cache = manager.cache<[key: string], number>('coherence');

/** Reads each key, and loads those that are nowhere. Gives how many this process' own memory had. */
async function readAll(keys: readonly string[]): Promise<number> {
  const before = manager.statistics().hitsByTier.l1;
  for (let from = 0; from < keys.length; from += AT_A_TIME) {
    const some = keys.slice(from, from + AT_A_TIME);
    await Promise.all(some.map((key) => cache.getOrSet(key, async () => 1)));
  }
  return manager.statistics().hitsByTier.l1 - before;
}

serveTasks({
  connect: async () => {
    await cache.get('first');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  },
  readAll,
  /** Forgets what has come until now. */
  arrivals: async (): Promise<Arrivals> => {
    const { messages } = bus;
    bus.messages = 0;
    return { drops: bus.drops.splice(0), messages };
  },
  /** Evicts the keys, so many a second, one call each. Gives when each call was made. */
  evict: async ({
    keys,
    perSecond,
  }: {
    readonly keys: readonly string[];
    readonly perSecond: number;
  }): Promise<readonly KeyTime[]> => {
    const stepMs = 10;
    const startedAt = performance.now();
    const calls: Promise<unknown>[] = [];
    const issued: KeyTime[] = [];
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const due = ((performance.now() - startedAt) / 1000) * perSecond;
        while (issued.length < Math.min(due, keys.length)) {
          const key = keys[issued.length]!;
          issued.push([key, hostMicroseconds()]);
          calls.push(cache.delete(key));
        }
        if (issued.length < keys.length) return;
        clearInterval(timer);
        resolve();
      }, stepMs);
    });
    await Promise.all(calls);
    return issued;
  },
  /** How many of the keys this process' own memory still has. */
  stillHeld: async (keys: readonly string[]) => {
    let held = 0;
    for (let from = 0; from < keys.length; from += AT_A_TIME) {
      const some = keys.slice(from, from + AT_A_TIME);
      const found = await Promise.all(some.map((key) => cache.getEntry(key)));
      held += found.filter(({ source }) => source === 'l1').length;
    }
    return held;
  },
});
