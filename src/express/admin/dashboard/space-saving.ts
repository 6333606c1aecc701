/** An item with how often it was seen; `overestimate` of these may have been others. */
export interface Counted<Item> {
  readonly item: Item;
  readonly count: number;
  readonly overestimate: number;
}

/**
 * The most frequent items of a stream in bounded memory: the Space-Saving algorithm (Metwally, Agrawal, El Abbadi,
 * "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005).
 *
 * Only `capacity` items have a counter. One without takes over the counter of the least frequent, and is thought to have
 * been seen as often. So each item that makes up more than 1 / `capacity` of the stream is among them, and its count is
 * too high by at most the least count. Each step is constant-time: items are kept by count, as in the paper's
 * Stream-Summary.
 */
export class SpaceSaving<Item> {
  readonly #capacity: number;
  readonly #counters = new Map<Item, { count: number; overestimate: number }>();
  readonly #byCount = new Map<number, Set<Item>>();
  #least = 0;

  /** @param capacity - how many items have a counter, 1 or more */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** How many items have a counter. */
  get size(): number {
    return this.#counters.size;
  }

  add(item: Item): void {
    const counter = this.#counters.get(item);
    if (counter !== undefined) {
      this.#leave(item, counter.count);
      counter.count++;
      this.#join(item, counter.count);
      // Whoever leaves the least count empty goes to the next one.
      if (!this.#byCount.has(this.#least)) this.#least = counter.count;
    } else if (this.#counters.size < this.#capacity) {
      this.#begin(item, 0);
    } else {
      const least = this.#least;
      const [victim] = this.#byCount.get(least)!;
      this.#leave(victim as Item, least);
      this.#counters.delete(victim as Item);
      this.#begin(item, least);
    }
  }

  /** The most frequent items, the first the most. */
  top(limit: number): readonly Counted<Item>[] {
    return [...this.#counters]
      .map(([item, { count, overestimate }]) => ({ item, count, overestimate }))
      .sort((a, b) => b.count - a.count)
      .slice(0, limit);
  }

  #begin(item: Item, seenBefore: number): void {
    const count = seenBefore + 1;
    this.#counters.set(item, { count, overestimate: seenBefore });
    this.#join(item, count);
    if (count < this.#least || !this.#byCount.has(this.#least)) this.#least = count;
  }

  #join(item: Item, count: number): void {
    const items = this.#byCount.get(count);
    if (items === undefined) this.#byCount.set(count, new Set([item]));
    else items.add(item);
  }

  #leave(item: Item, count: number): void {
    const items = this.#byCount.get(count)!;
    items.delete(item);
    if (items.size === 0) this.#byCount.delete(count);
  }
}
