/** Percentiles of durations, in milliseconds. All 0 when nothing was recorded. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const SUB_BUCKETS = 8;
const OCTAVES = 30;

/**
 * Counts durations in logarithmic buckets: 8 to each doubling, from 1 µs to about 18 minutes, so a percentile is
 * off by at most an eighth (the scheme of HdrHistogram, with one significant digit). Recording is constant-time
 * and allocates nothing.
 */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(OCTAVES * SUB_BUCKETS);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  record(durationMs: number): void {
    const micros = Math.max(1, durationMs * 1000);
    const octave = Math.min(OCTAVES - 1, Math.floor(Math.log2(micros)));
    const sub = Math.min(SUB_BUCKETS - 1, Math.floor((micros / 2 ** octave - 1) * SUB_BUCKETS));
    this.#counts[octave * SUB_BUCKETS + sub]!++;
    this.#count++;
    this.#sumMs += durationMs;
    if (durationMs > this.#maxMs) this.#maxMs = durationMs;
  }

  /** Adds another histogram's counts to this one. */
  add(other: LatencyHistogram): void {
    for (let index = 0; index < this.#counts.length; index++) {
      this.#counts[index]! += other.#counts[index]!;
    }
    this.#count += other.#count;
    this.#sumMs += other.#sumMs;
    this.#maxMs = Math.max(this.#maxMs, other.#maxMs);
  }

  reset(): void {
    this.#counts.fill(0);
    this.#count = 0;
    this.#sumMs = 0;
    this.#maxMs = 0;
  }

  summary(): LatencySummary {
    return Object.freeze({
      count: this.#count,
      meanMs: this.#count === 0 ? 0 : this.#sumMs / this.#count,
      p50Ms: this.#percentile(0.5),
      p95Ms: this.#percentile(0.95),
      p99Ms: this.#percentile(0.99),
      maxMs: this.#maxMs,
    });
  }

  #percentile(fraction: number): number {
    const rank = Math.ceil(this.#count * fraction);
    let seen = 0;
    for (let index = 0; index < this.#counts.length; index++) {
      seen += this.#counts[index]!;
      if (seen >= rank && seen > 0) {
        const octave = Math.floor(index / SUB_BUCKETS);
        const upperMicros = 2 ** octave * (1 + ((index % SUB_BUCKETS) + 1) / SUB_BUCKETS);
        return Math.min(upperMicros / 1000, this.#maxMs);
      }
    }
    return 0;
  }
}
