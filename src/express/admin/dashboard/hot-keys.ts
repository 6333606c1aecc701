import { SpaceSaving } from './space-saving.js';

/** A key of a cache. */
export interface KeyOfCache {
  readonly cache: string;
  readonly key: string;
}

/** How many keys are counted at a time. */
const CAPACITY = 256;

/** How often the most read keys were read of late, in bounded memory: two windows, the one before and the present one. */
export class HotKeys {
  #present = new SpaceSaving<string>(CAPACITY);
  #before = new SpaceSaving<string>(CAPACITY);

  add(cache: string, key: string): void {
    this.#present.add(idOf(cache, key));
  }

  /** Ends the present window. */
  turn(): void {
    this.#before = this.#present;
    this.#present = new SpaceSaving(CAPACITY);
  }

  /** The most read keys of both windows, with the reads that they certainly had. */
  top(limit: number): readonly (KeyOfCache & { readonly reads: number })[] {
    const reads = new Map<string, number>();
    for (const window of [this.#before, this.#present]) {
      for (const { item, count, overestimate } of window.top(CAPACITY)) {
        reads.set(item, (reads.get(item) ?? 0) + count - overestimate);
      }
    }
    return [...reads]
      .sort((a, b) => b[1] - a[1])
      .slice(0, limit)
      .map(([id, count]) => ({ ...keyOf(id), reads: count }));
  }
}

/** A key and its cache as one text: neither holds the character between them. */
export function idOf(cache: string, key: string): string {
  return `${key}\0${cache}`;
}

/** What {@link idOf} was made of. Key texts hold no control characters; names of caches may. */
export function keyOf(id: string): KeyOfCache {
  const split = id.indexOf('\0');
  return { key: id.slice(0, split), cache: id.slice(split + 1) };
}
