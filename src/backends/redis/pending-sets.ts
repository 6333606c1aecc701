/** A `set` that is under way. */
export interface PendingSet {
  readonly key: string;
  /** Whether a later write or invalidation of this process makes a repetition wrong. */
  isOvertaken: boolean;
}

/**
 * The sets of one cache that are under way.
 *
 * A set that has to be sent twice would otherwise undo what was sent in between: its first attempt stood before it,
 * the second stands behind.
 */
export class PendingSets {
  readonly #latest = new Map<string, PendingSet>();

  begin(key: string): PendingSet {
    this.overtake(key);
    const pending = { key, isOvertaken: false };
    this.#latest.set(key, pending);
    return pending;
  }

  end(pending: PendingSet): void {
    if (this.#latest.get(pending.key) === pending) this.#latest.delete(pending.key);
  }

  overtake(key: string): void {
    const pending = this.#latest.get(key);
    if (pending !== undefined) pending.isOvertaken = true;
  }

  overtakeAll(): void {
    for (const pending of this.#latest.values()) pending.isOvertaken = true;
  }
}
