/*
 * Question: what does an application notice of an outage of Redis, and what piles up while it lasts?
 *
 * Set-up: a redis-server of its own on loopback, frozen (SIGSTOP) for the time of the outage: connections stay open and
 * nothing answers. With `--fault` it fails in another way: a black hole, answers that take 200 ms, or killed. A steady 1,000 calls a second of decorated methods (reads of 500 keys, puts, evictions of known
 * keys, and of keys that are never the same). The methods themselves take no time, so a call's time is the cache's.
 * Heap after a full collection, ten times during the outage. With `--tiered` the cache is memory over that Redis with a bus,
 * so that the memory answers for `maxStaleness`, and messages for others pile up if anything does.
 *
 * Goals: the first call at most `commandTimeout` + 20 ms; then, unless it is slow, a p99 below 1 ms; no growth of the heap; no unhandled
 * rejection; after the outage, no read that shows what was evicted in it.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import {
  Cacheable,
  CacheEvict,
  CacheManager,
  CachePut,
  TieredBackend,
  type CacheBackend,
} from 'cachewell';
import { RedisBackend, RedisBus } from 'cachewell/redis';
import { describeEnvironment } from './support/environment.js';
import { seededRandom } from './support/random.js';
import {
  OUTAGE_FAULTS,
  outageFault,
  startFailingRedis,
  type OutageFault,
} from './support/outage-fault.js';
import { publish } from './support/report.js';
import { percentile } from './support/statistics.js';
import { COMMON_OPTIONS, runMain, UsageError, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:outage';
const KEYS = 500;
const CALLS_PER_TICK = 1;
const TICK_MS = 1;
/** Keys that nobody has read before the outage, so that memory cannot answer for Redis. */
const FIRST_KEYS = 2;
const HEAP_SAMPLES = 10;
const TIMEOUT_MS = 250;

const OPTIONS = {
  tiered: { type: 'boolean', meaning: 'memory over Redis, with a bus' },
  seconds: {
    type: 'string',
    value: 'N',
    meaning: 'how long the outage lasts (600; 20 when quick)',
  },
  fault: {
    type: 'string',
    value: 'KIND',
    meaning: `${Object.keys(OUTAGE_FAULTS).join(', ')} (frozen)`,
  },
  ...COMMON_OPTIONS,
} as const;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** The heap in use after a full collection, in MB. */
function heapMb(): number {
  collect();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

await runMain(COMMAND, OPTIONS, async (options) => {
  const seconds = wholeNumber('seconds', options.seconds, {
    absent: options.quick === true ? 20 : 600,
    min: 1,
    max: 86_400,
  });
  const isTiered = options.tiered === true;
  const fault = outageFault(options.fault);
  if (options.save === true && fault !== 'frozen') {
    throw new UsageError(
      '--save: only the figures of a frozen server have a place; use --json FILE',
    );
  }
  let unhandled = 0;
  process.on('unhandledRejection', () => unhandled++);
  const server = await startFailingRedis(fault);
  const manager = new CacheManager({
    backend: backendOn(server.port, isTiered),
    logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  });
  const versions = new Array<number>(KEYS + FIRST_KEYS).fill(1);
  /** What a read that starts now has to show at least: the versions whose eviction or put has come back. */
  const acknowledged = [...versions];
  const acknowledge = (id: number, version: number): void => {
    acknowledged[id] = Math.max(acknowledged[id]!, version);
  };

  class Items {
    @Cacheable({ cache: 'items', manager })
    async find(id: number): Promise<number> {
      return versions[id]!;
    }

    @CachePut({ cache: 'items', key: (id: number) => id, manager })
    async put(id: number): Promise<number> {
      return ++versions[id]!;
    }

    @CacheEvict({ cache: 'items', manager })
    async evict(id: number): Promise<number> {
      return ++versions[id]!;
    }

    @CacheEvict({ cache: 'once', manager })
    async evictOnce(_id: number): Promise<void> {}
  }
  const items = new Items();
  const random = seededRandom(1);
  let once = 0;
  let stale = 0;
  const call = async (): Promise<void> => {
    const id = Math.floor(random.next() * KEYS);
    const choice = random.next();
    if (choice < 0.7) {
      const least = acknowledged[id]!;
      if ((await items.find(id)) < least) stale++;
    } else if (choice < 0.8) acknowledge(id, await items.put(id));
    else if (choice < 0.9) acknowledge(id, await items.evict(id));
    else await items.evictOnce(once++);
  };
  /** Calls at a steady rate; gives the time that each of them took. */
  const run = async (lastsMs: number, onTick: (share: number) => void): Promise<Float64Array> => {
    // Outside the heap, which is measured.
    const latencies = new Float64Array(Math.ceil(lastsMs / TICK_MS) * CALLS_PER_TICK);
    let count = 0;
    const startedAt = performance.now();
    const timed = async (): Promise<void> => {
      const before = performance.now();
      await call();
      latencies[count++] = performance.now() - before;
    };
    const pending: Promise<void>[] = [];
    for (let tick = 0; tick * TICK_MS < lastsMs; tick++) {
      const early = startedAt + tick * TICK_MS - performance.now();
      // Calls that are late come one by one, as requests do: none of them waits for the others' share of a turn.
      await (early > 0 ? wait(early) : nextTurn());
      for (let index = 0; index < CALLS_PER_TICK; index++) pending.push(timed());
      if (pending.length >= 1000) await Promise.all(pending.splice(0, 500));
      onTick((tick * TICK_MS) / lastsMs);
    }
    await Promise.all(pending);
    return latencies.subarray(0, count);
  };

  try {
    const healthy = (await run(3000, () => undefined)).sort();
    await server.begin();
    const begunAt = performance.now();
    await items.find(KEYS);
    const firstMs = performance.now() - begunAt;
    await items.find(KEYS + 1);
    const heap: number[] = [];
    const during = (
      await run(seconds * 1000, (share) => {
        if (share >= heap.length / HEAP_SAMPLES) heap.push(heapMb());
      })
    ).sort();
    await server.end();
    const endedAt = performance.now();
    while (manager.health().status !== 'healthy') await wait(1);
    const healedMs = performance.now() - endedAt;
    let wrong = 0;
    for (let id = 0; id < KEYS; id++) {
      const found = await manager.cache<[number], number>('items').get(id);
      if (found !== undefined && found < acknowledged[id]!) wrong++;
    }
    const after = (await run(2000, () => undefined)).sort();
    const row = (name: string, sorted: Float64Array): string[] => [
      name,
      String(sorted.length),
      ...[0.5, 0.99, 0.999, 1].map((share) => percentile(sorted, share).toFixed(3)),
    ];
    // What the process needs settles in the first samples.
    const growthMb = heap.at(-1)! - heap[Math.min(2, heap.length - 1)]!;
    await publish(
      {
        name: nameOf(fault, isTiered),
        title: `An outage of Redis${isTiered ? ' behind two tiers' : ''}${fault === 'frozen' ? '' : `: ${fault}`}`,
        command: commandOf(fault, isTiered),
        environment: describeEnvironment(['ioredis']),
        method: `${isTiered ? 'Memory over Redis with a bus; ' : ''}redis-server ${server.version} on loopback, ${OUTAGE_FAULTS[fault]}, for ${seconds} s; 1,000 calls a second; commandTimeout ${TIMEOUT_MS} ms.`,
        sections: [
          {
            title: 'Time of a call, in ms',
            table: {
              columns: [
                { title: '', align: 'left' },
                ...['calls', 'p50', 'p99', 'p99.9', 'max'].map((title) => ({ title })),
              ],
              rows: [row('before', healthy), row('during', during), row('after', after)],
            },
            notes: [
              `The first call of the outage that asked Redis took ${firstMs.toFixed(0)} ms.`,
              `Redis was trusted again ${healedMs.toFixed(0)} ms after it could answer.`,
              `Stale reads: ${stale} in all calls, ${wrong} of ${KEYS} keys right after the outage. Unhandled rejections: ${unhandled}.`,
              `Heap after a collection, in MB: ${heap.map((mb) => mb.toFixed(1)).join(', ')}; growth from the third sample to the last: ${growthMb.toFixed(1)}.`,
            ],
          },
        ],
        figures: {
          options: { seconds, fault, redis: server.version },
          firstMs,
          healedMs,
          stale,
          wrong,
          unhandled,
          heapMb: heap,
          duringMs: { p50: percentile(during, 0.5), p99: percentile(during, 0.99) },
        },
      },
      options,
    );
    if (stale + wrong + unhandled > 0) process.exitCode = 1;
  } finally {
    await manager.close();
    await server.stop();
  }
});

function backendOn(port: number, isTiered: boolean): CacheBackend {
  const options = { url: `redis://127.0.0.1:${port}`, commandTimeout: TIMEOUT_MS };
  const redis = new RedisBackend(options);
  return isTiered ? new TieredBackend({ l2: redis, bus: new RedisBus(options) }) : redis;
}

/** The default has the names that it has always had. */
function nameOf(fault: OutageFault, isTiered: boolean): string {
  return ['outage', isTiered ? 'tiered' : [], fault === 'frozen' ? [] : fault].flat().join('-');
}

function commandOf(fault: OutageFault, isTiered: boolean): string {
  const flags = [isTiered ? '--tiered' : [], fault === 'frozen' ? [] : `--fault ${fault}`].flat();
  return flags.length === 0 ? COMMAND : `${COMMAND} -- ${flags.join(' ')}`;
}
