import { randomBytes } from 'node:crypto';
import type { CacheCore } from '../../cache/cache-core.js';
import type { CacheStatistics } from '../../cache/cache-statistics.js';
import type { LatencySummary } from '../../cache/latency-histogram.js';
import type { CacheManager } from '../../manager/cache-manager.js';

/** Tells the processes of one application apart: each counts for itself. It says nothing about the machine. */
const INSTANCE = randomBytes(4).toString('hex');

/** Facts whose names sound like a place or a secret are not passed on, whatever a backend thinks of them. */
const UNFIT_FACT = /host|addr|path|file|dir|url|user|pass|secret|token|auth|key$/i;
const MAX_FACT_LENGTH = 120;

/** The statistics of a manager over HTTP: names in snake case, ratios with 3 places, this process alone. */
export function statisticsBody(manager: CacheManager): object {
  const { caches, ...sum } = manager.statistics();
  return {
    ...countsBody(sum),
    instance: INSTANCE,
    uptime_s: Math.floor(process.uptime()),
    caches: Object.fromEntries(
      Object.entries(caches).map(([name, each]) => [name, countsBody(each)]),
    ),
  };
}

/** The caches of a manager: their settings and what they have counted. */
export function cachesBody(manager: CacheManager): object {
  return {
    caches: manager.caches().map((name) => {
      const core = manager.core(name);
      return { name, ...settingsBody(core), statistics: countsBody(core.counter.snapshot()) };
    }),
  };
}

/** Facts about the store from its allow-list, and who tells them. */
export async function infoBody(manager: CacheManager): Promise<object> {
  return {
    instance: INSTANCE,
    backend: manager.backend.name,
    enabled: manager.enabled,
    caches: manager.caches().length,
    uptime_s: Math.floor(process.uptime()),
    node: process.version,
    store: fitFacts(await manager.info()),
  };
}

/** The facts that may leave the process: numbers and short texts with harmless names. */
export function fitFacts(
  facts: Readonly<Record<string, string | number>>,
): Readonly<Record<string, string | number>> {
  return Object.fromEntries(
    Object.entries(facts).filter(
      ([name, fact]) =>
        !UNFIT_FACT.test(name) &&
        (typeof fact === 'number' || (typeof fact === 'string' && fact.length <= MAX_FACT_LENGTH)),
    ),
  );
}

/** Which process counts. */
export function instanceId(): string {
  return INSTANCE;
}

/** The counters of one cache, or of all. */
export function countsBody(counts: CacheStatistics): object {
  const { latency } = counts;
  return {
    hits: counts.hits,
    misses: counts.misses,
    stales: counts.stales,
    sets: counts.sets,
    deletes: counts.deletes,
    evictions: counts.evictions,
    errors: counts.errors,
    loads: counts.loads,
    bytes_read: counts.bytesRead,
    bytes_written: counts.bytesWritten,
    total_requests: counts.totalRequests,
    hit_rate: Math.round(counts.hitRate * 1000) / 1000,
    hits_by_tier: counts.hitsByTier,
    latency: {
      read: latencyBody(latency.read),
      write: latencyBody(latency.write),
      load: latencyBody(latency.load),
    },
  };
}

/** Percentiles in milliseconds, to the microsecond. */
export function latencyBody(summary: LatencySummary): object {
  const { count, meanMs, p50Ms, p95Ms, p99Ms, maxMs } = summary;
  const rounded = (ms: number): number => Math.round(ms * 1000) / 1000;
  return {
    count,
    mean_ms: rounded(meanMs),
    p50_ms: rounded(p50Ms),
    p95_ms: rounded(p95Ms),
    p99_ms: rounded(p99Ms),
    max_ms: rounded(maxMs),
  };
}

function settingsBody({ settings, runtime }: CacheCore): object {
  const seconds = (ms: number): number | null => (ms === Infinity ? null : ms / 1000);
  return {
    version: settings.version,
    ttl: seconds(settings.ttlMs),
    sync: settings.sync,
    tiers: runtime.isShared ? settings.tiers : 'l1',
    tags: settings.tags,
    stale_while_revalidate: seconds(settings.staleWhileRevalidateMs),
    stale_if_error: seconds(settings.staleIfErrorMs),
  };
}
