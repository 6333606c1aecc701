/** The versions of one key: when each was overtaken by an acknowledged invalidation. */
interface KeyHistory {
  /** By version: when the invalidation that made it untrue was acknowledged. */
  readonly overtakenAt: Map<number, number>;
  current: number;
}

/** A read that a promise does not allow. */
export interface StaleRead {
  readonly key: string;
  readonly version: number;
  /** How long before the read an invalidation of that version had been acknowledged, in milliseconds. */
  readonly staleForMs: number;
  /** How long before the read the last fault had ended; `undefined` while one lasts. */
  readonly healedForMs: number | undefined;
  /** By how much it is beyond the bounds, in milliseconds. */
  readonly beyondMs: number;
}

/** What P3 allows, in milliseconds. */
export interface StaleBounds {
  /** How long after it was overtaken a value may be served while messages do not arrive. */
  readonly maxStalenessMs: number;
  /** How long after the connection has healed such values may still be served. */
  readonly recoveryMs: number;
  /** How long a message may be under way, and the process busy, when nothing is broken. */
  readonly transitMs: number;
}

/**
 * Judges what one node of a pair reads while another one invalidates (promise P3): during a silence nothing that was
 * overtaken longer than `maxStaleness` ago, and after the connection has healed, within `recovery`, nothing overtaken at all.
 */
export class StaleWatch {
  readonly #keys = new Map<string, KeyHistory>();
  readonly #bounds: StaleBounds;
  #healedAt: number | undefined = -Infinity;
  readonly violations: StaleRead[] = [];
  /** The longest that an overtaken value was served, in milliseconds. */
  longestMs = 0;
  reads = 0;
  /** Reads that the node's own tier answered: only these can be stale. */
  ownHits = 0;
  /** Reads of overtaken values, the allowed ones included. */
  staleReads = 0;
  /** Reads in a transaction that did not show what it had written before. */
  ownWritesMissed = 0;

  constructor(bounds: StaleBounds) {
    this.#bounds = bounds;
  }

  /** The version that the origin has now. */
  current(key: string): number {
    return this.#history(key).current;
  }

  /** The origin writes. Gives what to call when the invalidation of the old version was acknowledged. */
  write(key: string): () => void {
    const history = this.#history(key);
    const before = history.current++;
    return () => {
      const now = performance.now();
      for (let version = before; version >= 0 && !history.overtakenAt.has(version); version--) {
        history.overtakenAt.set(version, now);
      }
    };
  }

  faultBegins(): void {
    this.#healedAt = undefined;
  }

  faultEnds(): void {
    this.#healedAt = performance.now();
  }

  /** @param startedAt - by `performance.now()`, when the read was asked for */
  read(key: string, version: number, startedAt: number): void {
    this.reads++;
    const overtakenAt = this.#history(key).overtakenAt.get(version);
    if (overtakenAt === undefined || overtakenAt >= startedAt) return;
    this.staleReads++;
    const staleForMs = startedAt - overtakenAt;
    this.longestMs = Math.max(this.longestMs, staleForMs);
    const healedForMs = this.#healedAt === undefined ? undefined : startedAt - this.#healedAt;
    const { maxStalenessMs, recoveryMs, transitMs } = this.#bounds;
    const isRecovered = healedForMs !== undefined && healedForMs > recoveryMs;
    const beyondMs = staleForMs - (isRecovered ? 0 : maxStalenessMs) - transitMs;
    if (beyondMs > 0) this.violations.push({ key, version, staleForMs, healedForMs, beyondMs });
  }

  #history(key: string): KeyHistory {
    let history = this.#keys.get(key);
    if (history === undefined) {
      history = { overtakenAt: new Map(), current: 0 };
      this.#keys.set(key, history);
    }
    return history;
  }
}
