import { silentLogger } from '#internal/cache/cache-logger.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import type { CacheDefinition } from '#internal/cache/cache-handle.js';
import type { Cache } from '#internal/cache/cache.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import type { CacheManagerOptions } from '#internal/manager/manager-options.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { GatedSource } from './gated-source.js';

export type TextCache = Cache<readonly [number], string | null | undefined>;

/** One cache with options of time, a clock that stands still, an origin under control, and what it tells. */
export class TimedCache {
  readonly clock: ManualClock;
  readonly source = new GatedSource();
  readonly backend: FaultyBackend;
  readonly manager: CacheManager;
  readonly cache: TextCache;
  /** The names of its events, as they came. */
  readonly events: string[] = [];
  readonly errors: unknown[] = [];

  constructor(
    definition: CacheDefinition,
    {
      backend = new FaultyBackend(new MemoryBackend({ sweepInterval: Infinity })),
      clock = new ManualClock(),
      ...options
    }: Partial<CacheManagerOptions> & { backend?: FaultyBackend; clock?: ManualClock } = {},
  ) {
    this.clock = clock;
    this.backend = backend;
    this.manager = new CacheManager({
      logger: silentLogger,
      ...options,
      clock,
      backend: backend as CacheBackend,
    });
    this.cache = this.manager.cache('a', definition);
    for (const name of ['hit', 'stale', 'miss', 'load', 'error'] as const) {
      this.manager.on(name, () => this.events.push(name));
    }
    this.manager.on('error', ({ error }) => this.errors.push(error.cause ?? error));
  }

  /** A read whose load the spec ends. */
  read(key = 1, options: Parameters<TextCache['getOrSet']>[2] = {}): Promise<unknown> {
    return this.cache.getOrSet(key, (context) => this.source.load(context), options);
  }

  /** Puts a value whose time is then up. */
  async expired(value: string, by: number | `${number}s` = 0, key = 1): Promise<void> {
    await this.cache.set(key, value);
    this.clock.advance((await this.cache.ttl(key))!);
    this.clock.advance(by);
    this.events.length = 0;
    this.manager.resetStatistics();
  }
}

/** What a promise rejects with. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    return { resolved: await work };
  } catch (error) {
    return error;
  }
}
