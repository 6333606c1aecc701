/**
 * The record that every tier keeps of a value, and what a read says about it.
 *
 * One record serves all features: fences read `sequence` and `tags`, expiry reads the two times, XFetch reads
 * `loadCostMs`. Times are milliseconds since the epoch by the clock of the process that holds the record; a
 * backend that stores bytes translates them into spans, because two processes need not agree on the time.
 */
export interface CacheEntry<Value = unknown> {
  /** The value; for `kind: 'error'` the error that the method threw. */
  readonly value: Value;
  /** Whether the method resolved with the value or threw it (`cacheErrors`). */
  readonly kind: EntryKind;
  /** Names under which the entry can be invalidated together with others. Sorted, without doubles. */
  readonly tags: readonly string[];
  /**
   * The store's sequence number, read before the value was loaded. Every invalidation of a tag takes the next
   * number, so an entry is void when one of its tags carries a higher number than this.
   */
  readonly sequence: number;
  /** When the value was stored. */
  readonly createdAt: number;
  /** Logical expiry: from then on the entry is stale. `Infinity` = never. */
  readonly expiresAt: number;
  /**
   * Physical expiry: from then on the store may forget it. `Infinity` = never. Before `expiresAt` only where expiry
   * slides (`idleTtl`): then `expiresAt` is the bound that reads cannot move.
   */
  readonly retainedUntil: number;
  /** How long the load took, in milliseconds; 0 when the value was put, not loaded. */
  readonly loadCostMs: number;
  /**
   * For a copy in a process' own tier: when the read or load that gave it began, by that process' clock. What was
   * invalidated elsewhere before that is not in it. Absent: `createdAt`.
   */
  readonly confirmedAt?: number | undefined;
}

/** Whether an entry is a method's result or the error that it threw. */
export type EntryKind = 'value' | 'error';

/** Where a value came from: this process' tier, a shared tier, or a load. */
export type EntrySource = 'l1' | 'l2' | 'load';

/** A record as a backend gives it back. */
export interface StoredEntry<Value = unknown> extends CacheEntry<Value> {
  /** The tier that answered. */
  readonly source: 'l1' | 'l2';
}

/** What `Cache.getEntry` says about a key. */
export type Lookup<Value> =
  | {
      /** `hit`: fresh. `stale`: expired, and kept because a `stale…` option allows to serve it. */
      readonly status: 'hit' | 'stale';
      readonly value: Value;
      /** How long ago the value was stored, in milliseconds. */
      readonly ageMs: number;
      /** How long the value stays fresh, in milliseconds; `Infinity` without expiry, 0 when stale. */
      readonly ttlMs: number;
      readonly source: EntrySource;
      readonly tags: readonly string[];
    }
  | {
      readonly status: 'miss';
      readonly value: undefined;
      readonly ageMs: undefined;
      readonly ttlMs: undefined;
      readonly source: undefined;
      readonly tags: readonly string[];
    };
