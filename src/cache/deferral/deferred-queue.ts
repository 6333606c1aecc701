import type { DeferralPlace, DeferredInvalidation } from './deferred-invalidation.js';

/** So many keys of one cache are kept; with more, the cache is cleared instead. */
export const MOST_DEFERRED_KEYS = 10_000;
/** So many patterns of one cache are kept; with more, the cache is cleared instead. */
export const MOST_DEFERRED_PATTERNS = 100;
/** So many names (keys, patterns, caches, tags) are kept in all; with more, everything is cleared instead. */
export const MOST_DEFERRED = 100_000;
/** Keys or tags that are replayed in one call. */
const NAMES_PER_CALL = 1000;

/** What is kept under one name. Keys of one cache, and tags of which any counts, are kept together. */
type Item =
  | { readonly kind: 'keys'; readonly place: DeferralPlace; readonly names: Set<string> }
  | { readonly kind: 'anyOf'; readonly names: Set<string> }
  | { readonly kind: 'whole'; readonly invalidation: DeferredInvalidation };

/** What is being replayed. */
interface Taken {
  readonly id: string;
  /** The part of an item of names; `undefined` = the whole item. */
  readonly names: ReadonlySet<string> | undefined;
  /** Names that were issued again meanwhile, so that this replay may have come too early for them. */
  readonly reissued: Set<string>;
  isReissued: boolean;
}

/** The items of one cache. */
interface PlaceIds {
  readonly keys: string;
  readonly cache: string;
  readonly patterns: Set<string>;
}

const ALL = 'all';
const TAGS = 'tags';

/**
 * The invalidations that the store could not take, in the order in which they were issued first, and bounded.
 *
 * An invalidation makes void what was there before it is carried out, so carrying it out later, once instead of
 * twice, or as part of a larger one never leaves more behind than carrying it out at once. That is why the same keys
 * are kept once, keys of one cache together, and too many of them as a `clear`: what is lost are entries, not truth.
 */
export class DeferredQueue {
  /** Items by what makes two of them one. */
  readonly #items = new Map<string, Item>();
  readonly #places = new Map<DeferralPlace, PlaceIds>();
  #nextPlace = 0;
  #size = 0;
  #taken: Taken | undefined;

  /** Whether nothing is left to replay. */
  get isEmpty(): boolean {
    return this.#items.size === 0;
  }

  /** How many keys, patterns, caches and selections of tags are kept. */
  get size(): number {
    return this.#size;
  }

  add(invalidation: DeferredInvalidation): void {
    if (this.#covers(ALL)) return;
    switch (invalidation.kind) {
      case 'keys':
        this.#addKeys(invalidation.place, invalidation.keys);
        break;
      case 'pattern': {
        const { place, pattern } = invalidation;
        const { cache, keys, patterns } = this.#idsOf(place);
        if (this.#covers(cache)) return;
        const id = `${keys} ${pattern.glob}`;
        patterns.add(id);
        if (patterns.size > MOST_DEFERRED_PATTERNS) this.#addCache(place);
        else this.#addWhole(id, invalidation);
        break;
      }
      case 'cache':
        this.#addCache(invalidation.place);
        break;
      case 'tags': {
        const { selection } = invalidation;
        if ('anyOf' in selection)
          this.#addNames(TAGS, { kind: 'anyOf', names: new Set() }, selection.anyOf);
        else this.#addWhole(`${TAGS} ${JSON.stringify([...selection.allOf].sort())}`, invalidation);
        break;
      }
      case 'all':
        this.#addAll();
    }
    if (this.#size > MOST_DEFERRED) this.#addAll();
  }

  /** The first invalidation, or a part of it, to be carried out. It stays kept until it is `done`. */
  take(): DeferredInvalidation | undefined {
    const first = this.#items.entries().next();
    if (first.done === true) return undefined;
    const [id, item] = first.value;
    const names = item.kind === 'whole' ? undefined : firstOf(item.names, NAMES_PER_CALL);
    this.#taken = { id, names, reissued: new Set(), isReissued: false };
    if (item.kind === 'whole') return item.invalidation;
    return item.kind === 'keys'
      ? { kind: 'keys', place: item.place, keys: [...names!] }
      : { kind: 'tags', selection: { anyOf: [...names!] } };
  }

  /** What was taken is carried out. What was issued again meanwhile stays. */
  done(): void {
    const taken = this.#taken;
    this.#taken = undefined;
    const item = taken === undefined ? undefined : this.#items.get(taken.id);
    if (taken === undefined || item === undefined) return;
    if (item.kind === 'whole') {
      if (!taken.isReissued) this.#remove(taken.id);
    } else {
      for (const name of taken.names!) {
        if (!taken.reissued.has(name) && item.names.delete(name)) this.#size--;
      }
      if (item.names.size === 0) this.#items.delete(taken.id);
    }
    if (this.isEmpty) this.#places.clear();
  }

  /** What was taken failed: it is the first again. */
  back(): void {
    this.#taken = undefined;
  }

  /** Whether an item includes what is added now; one that is being replayed may be carried out before that. */
  #covers(id: string): boolean {
    return this.#items.has(id) && this.#taken?.id !== id;
  }

  #addKeys(place: DeferralPlace, keys: readonly string[]): void {
    const ids = this.#idsOf(place);
    if (this.#covers(ids.cache)) return;
    const count = this.#addNames(ids.keys, { kind: 'keys', place, names: new Set() }, keys);
    if (count > MOST_DEFERRED_KEYS) this.#addCache(place);
  }

  /** Gives how many names the item has now. */
  #addNames(
    id: string,
    fresh: Exclude<Item, { readonly kind: 'whole' }>,
    names: readonly string[],
  ): number {
    const known = this.#items.get(id) as typeof fresh | undefined;
    const item = known ?? fresh;
    const before = item.names.size;
    for (const name of names) {
      item.names.add(name);
      if (this.#taken?.id === id && this.#taken.names!.has(name)) this.#taken.reissued.add(name);
    }
    if (known === undefined && item.names.size > 0) this.#items.set(id, item);
    this.#size += item.names.size - before;
    return item.names.size;
  }

  #addWhole(id: string, invalidation: DeferredInvalidation): void {
    if (this.#taken?.id === id) this.#taken.isReissued = true;
    if (this.#items.has(id)) return;
    this.#items.set(id, { kind: 'whole', invalidation });
    this.#size++;
  }

  #addCache(place: DeferralPlace): void {
    const { keys, cache, patterns } = this.#idsOf(place);
    this.#remove(keys);
    for (const pattern of patterns) this.#remove(pattern);
    patterns.clear();
    this.#addWhole(cache, { kind: 'cache', place });
  }

  #addAll(): void {
    for (const id of this.#items.keys()) if (id !== ALL) this.#items.delete(id);
    this.#places.clear();
    this.#size = this.#items.size;
    this.#addWhole(ALL, { kind: 'all' });
  }

  #remove(id: string): void {
    const item = this.#items.get(id);
    if (item === undefined) return;
    this.#items.delete(id);
    this.#size -= item.kind === 'whole' ? 1 : item.names.size;
  }

  #idsOf(place: DeferralPlace): PlaceIds {
    let ids = this.#places.get(place);
    if (ids === undefined) {
      const number = this.#nextPlace++;
      ids = { keys: `keys ${number}`, cache: `cache ${number}`, patterns: new Set() };
      this.#places.set(place, ids);
    }
    return ids;
  }
}

function firstOf(names: ReadonlySet<string>, count: number): ReadonlySet<string> {
  const first = new Set<string>();
  for (const name of names) {
    if (first.size === count) break;
    first.add(name);
  }
  return first;
}
