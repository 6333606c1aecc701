import type { CacheTiers, EntryWrite } from '../../cache/backend.js';
import type { CacheEntry } from '../../cache/entry.js';

/**
 * How long entries of a process' own tier may be served.
 *
 * An entry is trusted for `maxStaleness` after the moment up to which nothing that other processes invalidated can
 * have been missed. That moment is the later one of two: when the read or load that gave the entry began, for the
 * shared store was asked then; and the last proof that the bus has delivered everything that was sent before.
 * While the bus is silent there is no new proof, so trust ends by itself, entry by entry.
 */
export class L1Trust {
  readonly maxStalenessMs: number;
  #provenAt = -Infinity;
  #provenUntil = -Infinity;

  constructor(maxStalenessMs: number) {
    this.maxStalenessMs = maxStalenessMs;
  }

  /** The time up to which the bus is known to have delivered everything; `-Infinity` without a bus. */
  get provenAt(): number {
    return this.#provenAt;
  }

  /** Takes note that everything sent before a time has been received. Never goes back. */
  prove(provenAt: number): void {
    if (!(provenAt > this.#provenAt)) return;
    this.#provenAt = provenAt;
    this.#provenUntil = provenAt + this.maxStalenessMs;
  }

  /** Whether an entry may be served, as far as other processes' invalidations go. */
  holds(entry: CacheEntry, now: number): boolean {
    if (now < this.#provenUntil) return true;
    return now < (entry.confirmedAt ?? entry.createdAt) + this.maxStalenessMs;
  }
}

/** In which tiers a cache is kept, and for how long in the own one, when its definition does not say. */
export const DEFAULT_SPACE: { readonly tiers: CacheTiers; readonly l1TtlMs: number } =
  Object.freeze({
    tiers: 'both',
    l1TtlMs: Infinity,
  });

/** What bounds a copy in the process' own tier. All are times by the clock of this process. */
export interface CopyBounds {
  /** When the read or load that gave the entry began. */
  readonly confirmedAt: number;
  /** The copy is forgotten then at the latest. */
  readonly keptUntil: number;
  /**
   * How long ago the shared store may have looked at its times. Its answer was on the way that long at the most, so
   * the copy's times are that much earlier: a copy never outlives what it was made from.
   */
  readonly lagMs: number;
}

/** The record that the process' own tier keeps of an entry. Its logical expiry is the entry's, whatever bounds it. */
export function boundedCopy(
  entry: EntryWrite['entry'],
  { confirmedAt, keptUntil, lagMs }: CopyBounds,
): EntryWrite['entry'] {
  const { value, kind, tags, createdAt, loadCostMs } = entry;
  const expiresAt = entry.expiresAt - lagMs;
  const retainedUntil = Math.min(entry.retainedUntil - lagMs, keptUntil);
  return { value, kind, tags, createdAt, expiresAt, retainedUntil, loadCostMs, confirmedAt };
}
