import { setTimeout as pause } from 'node:timers/promises';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import type { RedisBusOptions } from '#internal/backends/redis/redis-bus-options.js';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { COMMON_TAG, PairWriter, WRITE_KINDS, type WriteKind } from './chaos/pair-writer.js';
import { StaleWatch } from './chaos/stale-watch.js';
import { eventually } from './eventually.js';

/** How the nodes of a pair reach Redis. */
export interface TierPairOptions {
  readonly prefix: string;
  readonly backend: RedisBackendOptions;
  readonly bus: RedisBusOptions;
}

type PairCache = Cache<readonly [key: string], number>;

const KEYS: readonly string[] = Array.from({ length: 30 }, (_, key) => `k${key}`);
const CACHE = 'pair';
const WRITE_EVERY_MS = 5;
const READ_EVERY_MS = 3;
/** The longest of the loads that take a while, so that writes and the other node's reads come in between. */
const LONGEST_LOAD_MS = 20;
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
 * Two nodes with two tiers each: one changes an origin and invalidates in every way, and both read, with
 * `sync: 'cluster'` and without, all the time. Every call is timed, and every read is judged (promises P1, P3 and P4).
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
  readonly #acknowledgedBy = new Map<WriteKind, number>();
  readonly #writes: PairWriter;
  readonly #caches: readonly PairCache[];
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #timers: NodeJS.Timeout[] = [];
  #isWriting = true;
  #reads = 0;

  constructor(options: TierPairOptions) {
    this.writer = tieredManager(options);
    this.reader = tieredManager(options);
    this.writer.on('deferred', () => this.deferred++);
    this.#writes = new PairWriter(this.writer, CACHE, this.watch);
    this.#caches = [this.reader.cache(CACHE), this.writer.cache(CACHE)];
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

  /** Resolves when from now on each way to invalidate was acknowledged at least once. */
  async invalidatesInEveryWay(): Promise<void> {
    this.#acknowledgedBy.clear();
    await eventually(
      'every kind of invalidation is acknowledged',
      () => WRITE_KINDS.every((kind) => this.#acknowledgedBy.has(kind)),
      20_000,
    );
  }

  /** Resolves when both nodes are well, and see what the origin has, under every key. */
  async agree(): Promise<void> {
    await this.hush();
    await eventually(
      'the nodes are well and agree with the origin',
      async () => {
        if ([this.writer, this.reader].some((node) => node.health().status !== 'healthy')) {
          return false;
        }
        for (const key of KEYS) {
          for (const cache of this.#caches) {
            const found = await cache.get(key).catch(() => -1);
            if (found !== undefined && found !== this.watch.current(key)) return false;
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
    try {
      const kind = await this.#writes.write(KEYS);
      this.#acknowledgedBy.set(kind, (this.#acknowledgedBy.get(kind) ?? 0) + 1);
      this.acknowledged++;
    } catch {
      // Not acknowledged: deferred, and no promise yet for the other node.
    }
  }

  async #readOne(): Promise<void> {
    const number = this.#reads++;
    const cache = this.#caches[number % this.#caches.length]!;
    const key = KEYS[Math.floor(Math.random() * KEYS.length)]!;
    const isSlow = Math.random() < 0.2;
    const startedAt = performance.now();
    const load = async (): Promise<number> => {
      const version = this.watch.current(key);
      if (isSlow) await pause(Math.random() * LONGEST_LOAD_MS);
      return version;
    };
    const version = await cache.getOrSet(key, load, {
      tags: [key, COMMON_TAG],
      onError: 'bypass',
      ...(Math.floor(number / this.#caches.length) % 2 === 0 && { sync: 'cluster' }),
    });
    this.watch.read(key, version, startedAt);
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
