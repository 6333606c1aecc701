import type { CacheManager } from '../../../manager/cache-manager.js';
import { outlinesOf } from '../key-outlines.js';
import { idOf, keyOf, type KeyOfCache } from './hot-keys.js';

/** How many sizes are remembered. */
const CAPACITY = 100;
/** How many keys that were written of late wait to be measured, and are measured at a time. */
const MAX_WAITING = 64;
const MAX_MEASURED = 32;
/** How many of the largest are looked at again each time, because they may have gone. */
const LOOKED_AT_AGAIN = 12;
/** How much of what is there already is looked at when somebody begins to watch. */
const FIRST_CACHES = 10;
const FIRST_KEYS = 200;

/**
 * The largest entries among a sample: some of those that were there when somebody began to watch, and some of each
 * second's writes. Nobody keeps sizes by key, so each is asked for; a few at a time.
 */
export class LargeKeys {
  readonly #manager: CacheManager;
  readonly #sizes = new Map<string, number>();
  readonly #waiting = new Set<string>();

  constructor(manager: CacheManager) {
    this.#manager = manager;
  }

  /** Notes that an entry was written. */
  add(cache: string, key: string): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.add(idOf(cache, key));
  }

  /** Looks at some of what is there already. */
  async begin(): Promise<void> {
    for (const name of this.#manager.caches().slice(0, FIRST_CACHES)) {
      const core = this.#manager.core(name);
      const page = await core.withStore('keys', 'throw', { keys: [], cursor: '0' }, (store) =>
        store.scan({ count: FIRST_KEYS }),
      );
      for (const key of page.keys.slice(0, FIRST_KEYS)) this.#waiting.add(idOf(name, key));
    }
  }

  /** Measures those that wait, and the largest again. */
  async measure(): Promise<void> {
    const chosen = [...this.#waiting].slice(0, MAX_MEASURED);
    for (const id of chosen) this.#waiting.delete(id);
    const again = this.top(LOOKED_AT_AGAIN).map(({ cache, key }) => idOf(cache, key));
    const byCache = new Map<string, string[]>();
    for (const { cache, key } of [...new Set([...chosen, ...again])].map(keyOf)) {
      const keys = byCache.get(cache);
      if (keys === undefined) byCache.set(cache, [key]);
      else keys.push(key);
    }
    for (const [cache, keys] of byCache) {
      const outlines = await outlinesOf(this.#manager.core(cache), keys);
      for (const [index, key] of keys.entries()) {
        const outline = outlines[index];
        if (outline === undefined) this.#sizes.delete(idOf(cache, key));
        else this.#sizes.set(idOf(cache, key), outline.size);
      }
    }
    if (this.#sizes.size <= CAPACITY) return;
    const kept = new Set(this.top(CAPACITY).map(({ cache, key }) => idOf(cache, key)));
    for (const id of this.#sizes.keys()) if (!kept.has(id)) this.#sizes.delete(id);
  }

  top(limit: number): readonly (KeyOfCache & { readonly size: number })[] {
    return [...this.#sizes]
      .sort((a, b) => b[1] - a[1])
      .slice(0, limit)
      .map(([id, size]) => ({ ...keyOf(id), size }));
  }
}
