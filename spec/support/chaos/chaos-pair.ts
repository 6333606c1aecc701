import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultProxy } from '#internal/testing/fault-proxy.js';
import { COMMON_TAG, PairWriter } from './pair-writer.js';
import { StaleWatch, type StaleBounds } from './stale-watch.js';

/** What breaks between a node and Redis. */
export const PAIR_FAULTS = [
  'bus cut',
  'bus swallowed',
  'bus held back',
  'bus deaf',
  'message dropped',
  'message doubled',
  'messages swapped',
  'node cut off',
  'reader replaced',
  'writer replaced',
] as const;

export type PairFault = (typeof PAIR_FAULTS)[number];

/** The times of a run. */
export interface ChaosTimes extends StaleBounds {
  readonly heartbeatMs: number;
}

/** What the nodes are told, where that is not what they are judged by. */
export type TierTimes = Pick<ChaosTimes, 'heartbeatMs' | 'maxStalenessMs'>;

const KEYS: readonly string[] = Array.from({ length: 8 }, (_, key) => `k${key}`);
const WRITE_EVERY_MS = 20;
const READ_EVERY_MS = 5;

/**
 * Two nodes on one Redis: one writes and invalidates, the other one reads through its own tier, and its ways to Redis can be
 * broken.
 */
export class ChaosPair {
  readonly watch: StaleWatch;
  readonly #busWay: FaultProxy;
  readonly #storeWay: FaultProxy;
  readonly #startWriter: () => CacheManager;
  readonly #startReader: () => CacheManager;
  #writer: CacheManager;
  #reader: CacheManager;
  #writes: PairWriter;
  #read: Cache<readonly [key: string], number>;
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #underWay = new Set<Promise<unknown>>();

  private constructor(
    url: string,
    prefix: string,
    times: ChaosTimes,
    ways: { readonly bus: FaultProxy; readonly store: FaultProxy },
    tierTimes: TierTimes,
  ) {
    this.watch = new StaleWatch(times);
    this.#busWay = ways.bus;
    this.#storeWay = ways.store;
    const manager = (storeUrl: string, busUrl: string): CacheManager =>
      new CacheManager({
        logger: silentLogger,
        ttl: '1h',
        backend: new TieredBackend({
          l2: new RedisBackend({ url: storeUrl, prefix }),
          bus: new RedisBus({ url: busUrl }),
          maxStaleness: tierTimes.maxStalenessMs,
          heartbeat: tierTimes.heartbeatMs,
        }),
      });
    this.#startWriter = () => manager(url, url);
    this.#startReader = () => {
      const reader = manager(ways.store.url, ways.bus.url);
      reader.on('hit', ({ source }) => {
        if (source === 'l1') this.watch.ownHits++;
      });
      return reader;
    };
    this.#writer = this.#startWriter();
    this.#reader = this.#startReader();
    this.#writes = new PairWriter(this.#writer, 'chaos', this.watch);
    this.#read = this.#reader.cache('chaos');
  }

  /**
   * @param times - what the nodes are judged by
   * @param tierTimes - what they are told; the same, unless the judge is to find them out
   */
  static async start(
    url: string,
    prefix: string,
    times: ChaosTimes,
    tierTimes: TierTimes = times,
  ): Promise<ChaosPair> {
    const bus = await FaultProxy.start({ target: url, protocol: 'resp' });
    const store = await FaultProxy.start({ target: url });
    return new ChaosPair(url, prefix, times, { bus, store }, tierTimes);
  }

  /** Begins to write and to read. */
  go(): void {
    this.#timers.push(
      setInterval(() => this.#track(this.#write()), WRITE_EVERY_MS),
      setInterval(() => this.#track(this.#readOne()), READ_EVERY_MS),
    );
  }

  /** Breaks something. Single messages heal by themselves. */
  break(fault: PairFault): void {
    this.watch.faultBegins();
    switch (fault) {
      case 'bus cut':
        this.#busWay.cut();
        break;
      case 'bus swallowed':
        this.#busWay.swallow();
        break;
      case 'bus held back':
        this.#busWay.hold('toClient');
        break;
      case 'bus deaf':
        this.#busWay.swallow('toClient');
        break;
      case 'message dropped':
        this.#busWay.faultMessages('drop', { times: 1 });
        break;
      case 'message doubled':
        this.#busWay.faultMessages('duplicate', { times: 1 });
        break;
      case 'messages swapped':
        this.#busWay.faultMessages('swap', { times: 1 });
        break;
      case 'node cut off':
        this.#busWay.swallow();
        this.#storeWay.swallow();
        break;
      case 'reader replaced':
        this.#retire(this.#reader);
        this.#reader = this.#startReader();
        this.#read = this.#reader.cache('chaos');
        break;
      case 'writer replaced':
        this.#retire(this.#writer);
        this.#writer = this.#startWriter();
        this.#writes = new PairWriter(this.#writer, 'chaos', this.watch);
    }
  }

  async heal(): Promise<void> {
    await Promise.all([this.#busWay.heal(), this.#storeWay.heal()]);
    this.watch.faultEnds();
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.allSettled(this.#underWay);
    await Promise.all([this.#writer.close({ timeout: 500 }), this.#reader.close({ timeout: 500 })]);
    await Promise.all([this.#busWay.close(), this.#storeWay.close()]);
  }

  /** The origin changes, and one of the ways to say so. */
  async #write(): Promise<void> {
    try {
      await this.#writes.write(KEYS);
    } catch {
      // Not acknowledged: deferred, and no promise yet for the other node.
    }
  }

  async #readOne(): Promise<void> {
    const key = KEYS[Math.floor(Math.random() * KEYS.length)]!;
    const startedAt = performance.now();
    const version = await this.#read.getOrSet(key, async () => this.watch.current(key), {
      tags: [key, COMMON_TAG],
    });
    this.watch.read(key, version, startedAt);
  }

  /** A process that ends beside the one that takes its place. */
  #retire(manager: CacheManager): void {
    this.#track(manager.close({ timeout: 500 }));
  }

  #track(work: Promise<unknown>): void {
    this.#underWay.add(work);
    void work.finally(() => this.#underWay.delete(work));
  }
}
