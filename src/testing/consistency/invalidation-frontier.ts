import type { InvalidationRecord } from './operation-record.js';

/** From how many invalidations on old ones are dropped, where that is possible. */
const FIRST_PRUNING = 64;

/**
 * The invalidations of one scope that still matter: those for which there is no other that was issued as late or
 * later and acknowledged as early or earlier. They are sorted by both times at once, so the one that was acknowledged
 * first among those issued after a moment is found by bisection.
 */
export class InvalidationFrontier {
  readonly #items: InvalidationRecord[] = [];
  #pruneAt = FIRST_PRUNING;

  get size(): number {
    return this.#items.length;
  }

  /**
   * Takes an acknowledged invalidation.
   *
   * @param horizon - no read that will be asked for began before it; what such a read cannot need is dropped
   */
  add(record: InvalidationRecord, horizon: number): void {
    const items = this.#items;
    let at = items.length;
    while (at > 0 && items[at - 1]!.startedAt > record.startedAt) at--;
    if (at < items.length && items[at]!.endedAt <= record.endedAt) return;
    let from = at;
    while (from > 0 && items[from - 1]!.endedAt >= record.endedAt) from--;
    items.splice(from, at - from, record);
    if (items.length >= this.#pruneAt) this.#prune(horizon);
  }

  /** The one acknowledged first among those issued after a moment. */
  firstIssuedAfter(moment: number): InvalidationRecord | undefined {
    const items = this.#items;
    let low = 0;
    let high = items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (items[middle]!.startedAt > moment) high = middle;
      else low = middle + 1;
    }
    return items[low];
  }

  /** Keeps one that was acknowledged before the horizon, so that a value older than it is still found to be void. */
  #prune(horizon: number): void {
    const items = this.#items;
    let keep = 0;
    while (keep + 1 < items.length && items[keep + 1]!.endedAt < horizon) keep++;
    if (keep > 0) items.splice(0, keep);
    this.#pruneAt = Math.max(FIRST_PRUNING, items.length * 2);
  }
}
