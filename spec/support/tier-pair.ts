import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import type { RedisBusOptions } from '#internal/backends/redis/redis-bus-options.js';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { StaleWatch } from './chaos/stale-watch.js';
import { eventually } from './eventually.js';

/** How the nodes of a pair reach Redis. */
export interface TierPairOptions {
  readonly prefix: string;
  readonly backend: RedisBackendOptions;
  readonly bus: RedisBusOptions;
}

type PairCache = Cache<readonly [key: string], number>;

const KEYS = 30;
const WRITE_EVERY_MS = 5;
const READ_EVERY_MS = 3;
const MAX_STALENESS_MS = 3000;

/** A manager with two tiers that are joined with those of other processes by a bus. */
export function tieredManager({ prefix, backend, bus }: TierPairOptions): CacheManager {
  return new CacheManager({
    logger: silentLogger,
    ttl: '1h',
    backend: new TieredBackend({
      l2: new RedisBackend({ ...backend, prefix }),
      bus: new RedisBus(bus),
      maxStaleness: MAX_STALENESS_MS,
    }),
  });
}

/**
 * Two nodes with two tiers each: one changes an origin and invalidates, the other one reads, all the time. Every call
 * is timed, and every read is judged (promises P1, P3 and P4).
 */
export class TierPair {
  readonly watch: StaleWatch = new StaleWatch({
    maxStalenessMs: MAX_STALENESS_MS,
    recoveryMs: 2000,
    transitMs: 500,
  });
  readonly writer: CacheManager;
  readonly reader: CacheManager;
  /** How long each call took that took longer than the event loop is busy at times, in milliseconds. */
  readonly slowCalls: number[] = [];
  /** Invalidations that were kept for later. */
  deferred = 0;
  calls = 0;
  acknowledged = 0;
  readonly #written: PairCache;
  readonly #read: PairCache;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #timers: NodeJS.Timeout[] = [];
  #isWriting = true;
  #step = 0;

  constructor(options: TierPairOptions) {
    this.writer = tieredManager(options);
    this.reader = tieredManager(options);
    this.writer.on('deferred', () => this.deferred++);
    this.#written = this.writer.cache('pair', { onError: 'throw' });
    this.#read = this.reader.cache('pair');
  }

  /** Resolves when both nodes work, and hear of each other. */
  async meet(): Promise<void> {
    await eventually('the nodes hear each other', async () => {
      const facts = await Promise.all([this.writer.info(), this.reader.info()]).catch(() => []);
      return (
        facts.length === 2 &&
        facts.every((fact) => Number(fact['senders']) > 0) &&
        [this.writer, this.reader].every((node) => node.health().status === 'healthy')
      );
    });
  }

  /** Begins to write and to read. */
  go(): void {
    this.#timers.push(
      setInterval(() => this.#isWriting && this.#track(() => this.#write()), WRITE_EVERY_MS),
      setInterval(() => this.#track(() => this.#readOne()), READ_EVERY_MS),
    );
  }

  /** Stops the writing, and resolves when nothing of it is under way. */
  async hush(): Promise<void> {
    this.#isWriting = false;
    await Promise.allSettled(this.#underWay);
  }

  writeAgain(): void {
    this.#isWriting = true;
  }

  /** Resolves when both nodes are well, and the reader sees what the origin has, under every key. */
  async agree(): Promise<void> {
    await this.hush();
    await eventually(
      'the nodes are well and agree with the origin',
      async () => {
        if ([this.writer, this.reader].some((node) => node.health().status !== 'healthy')) {
          return false;
        }
        for (let key = 0; key < KEYS; key++) {
          const name = `k${key}`;
          for (const cache of [this.#read, this.#written]) {
            const found = await cache.get(name).catch(() => -1);
            if (found !== undefined && found !== this.watch.current(name)) return false;
          }
        }
        return true;
      },
      20_000,
    );
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    await Promise.allSettled(this.#underWay);
    await Promise.all([this.writer.close({ timeout: 500 }), this.reader.close({ timeout: 500 })]);
  }

  /** The origin changes, and one of the ways to say so. */
  async #write(): Promise<void> {
    const step = this.#step++;
    const key = `k${step % KEYS}`;
    const acknowledge = this.watch.write(key);
    try {
      switch (Math.floor(step / KEYS) % 4) {
        case 0:
          await this.#written.delete(key);
          break;
        case 1:
          await this.writer.invalidateTags(key);
          break;
        case 2:
          await this.#written.deleteMany([key, 'another']);
          break;
        default:
          await this.#written.deletePattern(key);
      }
      this.acknowledged++;
      acknowledge();
    } catch {
      // Not acknowledged: deferred, and no promise yet for the other node.
    }
  }

  async #readOne(): Promise<void> {
    const key = `k${Math.floor(Math.random() * KEYS)}`;
    const startedAt = performance.now();
    const load = async (): Promise<number> => this.watch.current(key);
    this.watch.read(key, await this.#read.getOrSet(key, load, { tags: [key] }), startedAt);
  }

  #track(call: () => Promise<unknown>): void {
    const startedAt = performance.now();
    this.calls++;
    const work = call().finally(() => {
      const tookMs = performance.now() - startedAt;
      if (tookMs > 100) this.slowCalls.push(tookMs);
      this.#underWay.delete(work);
    });
    this.#underWay.add(work);
  }
}
