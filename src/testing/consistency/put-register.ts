/** How many puts of a process are known one by one. */
const KNOWN_PUTS = 1 << 16;

/**
 * When each put settled. Of a put and an invalidation at the same time either may come last, so a put's value is void
 * only by what was issued after the put had settled.
 *
 * The latest puts are known exactly. Of older ones an upper bound is known, so that nothing is called void by mistake.
 */
export class PutRegister {
  readonly #known: number;
  readonly #settledAt: Float64Array;
  /** Which put a place belongs to; -1 = none yet. */
  readonly #puts: Int32Array;
  #olderSettledBy = -Infinity;

  constructor(known: number = KNOWN_PUTS) {
    this.#known = known;
    this.#settledAt = new Float64Array(known);
    this.#puts = new Int32Array(known).fill(-1);
  }

  settle(put: number, at: number): void {
    const place = put % this.#known;
    const present = this.#puts[place]!;
    if (present > put) {
      this.#olderSettledBy = Math.max(this.#olderSettledBy, at);
      return;
    }
    if (put >= this.#known) {
      // The one that had this place before is no longer known; where it never settled, nothing bounds it.
      const isPredecessor = present === put - this.#known;
      const settledAt = isPredecessor ? this.#settledAt[place]! : Infinity;
      this.#olderSettledBy = Math.max(this.#olderSettledBy, settledAt);
    }
    this.#puts[place] = put;
    this.#settledAt[place] = at;
  }

  /** When a put settled, or a later moment; `Infinity` while it has not. */
  settledBy(put: number): number {
    const place = put % this.#known;
    const present = this.#puts[place]!;
    if (present === put) return this.#settledAt[place]!;
    return present > put ? this.#olderSettledBy : Infinity;
  }
}
