import { LatencyHistogram, type LatencySummary } from './latency-histogram.js';

/** What is counted, per cache and in sum. */
export interface CacheCounts {
  /** Reads answered with a fresh entry. */
  readonly hits: number;
  /** Reads that found nothing to serve. */
  readonly misses: number;
  /** Reads answered with an expired entry. */
  readonly stales: number;
  /** Entries stored. */
  readonly sets: number;
  /** Live entries deleted by key or pattern. */
  readonly deletes: number;
  /** Entries that had to go because a bound was reached. */
  readonly evictions: number;
  /** Failures of the cache itself. */
  readonly errors: number;
  /** Runs of methods and loaders. */
  readonly loads: number;
  /** Bytes of frames read from the store. */
  readonly bytesRead: number;
  /** Bytes of frames written to the store. */
  readonly bytesWritten: number;
}

/** A frozen picture of the counters at one moment. */
export interface CacheStatistics extends CacheCounts {
  /** hits + stales + misses. */
  readonly totalRequests: number;
  /** (hits + stales) / totalRequests; 0 when there were no requests. */
  readonly hitRate: number;
  /** Hits by the tier that answered. */
  readonly hitsByTier: { readonly l1: number; readonly l2: number };
  readonly latency: {
    /** Reads that had to ask a store; answers from memory take no time worth counting. */
    readonly read: LatencySummary;
    /** Writes that had to ask a store. */
    readonly write: LatencySummary;
    /** Runs of methods and loaders. */
    readonly load: LatencySummary;
  };
}

/** The counters of one cache. Plain fields: one thread writes them, and a hit costs one addition. */
export class StatisticsCounter {
  hits = 0;
  hitsL2 = 0;
  misses = 0;
  stales = 0;
  sets = 0;
  deletes = 0;
  evictions = 0;
  errors = 0;
  loads = 0;
  bytesRead = 0;
  bytesWritten = 0;
  readonly read: LatencyHistogram = new LatencyHistogram();
  readonly write: LatencyHistogram = new LatencyHistogram();
  readonly load: LatencyHistogram = new LatencyHistogram();

  reset(): void {
    for (const name of COUNTERS) this[name] = 0;
    this.read.reset();
    this.write.reset();
    this.load.reset();
  }

  add(other: StatisticsCounter): void {
    for (const name of COUNTERS) this[name] += other[name];
    this.read.add(other.read);
    this.write.add(other.write);
    this.load.add(other.load);
  }

  snapshot(): CacheStatistics {
    const { hits, hitsL2, misses, stales } = this;
    const totalRequests = hits + stales + misses;
    return Object.freeze({
      hits,
      misses,
      stales,
      sets: this.sets,
      deletes: this.deletes,
      evictions: this.evictions,
      errors: this.errors,
      loads: this.loads,
      bytesRead: this.bytesRead,
      bytesWritten: this.bytesWritten,
      totalRequests,
      hitRate: totalRequests === 0 ? 0 : (hits + stales) / totalRequests,
      hitsByTier: Object.freeze({ l1: hits - hitsL2, l2: hitsL2 }),
      latency: Object.freeze({
        read: this.read.summary(),
        write: this.write.summary(),
        load: this.load.summary(),
      }),
    });
  }
}

const COUNTERS = [
  'hits',
  'hitsL2',
  'misses',
  'stales',
  'sets',
  'deletes',
  'evictions',
  'errors',
  'loads',
  'bytesRead',
  'bytesWritten',
] as const;

/**
 * The sums over several processes' statistics, such as those of a cluster's workers. Latencies cannot be summed
 * from summaries, so they are left out.
 */
export function mergeStatistics(
  ...parts: readonly CacheStatistics[]
): CacheCounts & Pick<CacheStatistics, 'totalRequests' | 'hitRate' | 'hitsByTier'> {
  const sum = new StatisticsCounter();
  for (const part of parts) {
    for (const name of COUNTERS) {
      sum[name] += name === 'hitsL2' ? part.hitsByTier.l2 : part[name];
    }
  }
  const { latency: _latency, ...counts } = sum.snapshot();
  return Object.freeze(counts);
}
