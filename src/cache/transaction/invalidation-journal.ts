import type { TagSelection } from '../backend.js';
import type { KeyPattern } from '../key-pattern.js';

/**
 * What one transaction has invalidated so far, in its order.
 *
 * Every record has a place in that order, counted from 1; 0 is the start of the transaction. So one question answers
 * for entries of the store (all records count), for the transaction's own entries and for loads that are under way
 * (the records behind them count).
 */
export class InvalidationJournal {
  #place = 0;
  #clearedAt = 0;
  /** By tag, the last place. */
  readonly #anyOf = new Map<string, number>();
  readonly #allOf = new Map<string, { readonly tags: readonly string[]; place: number }>();

  /** The place of the last record. */
  get place(): number {
    return this.#place;
  }

  get isCleared(): boolean {
    return this.#clearedAt > 0;
  }

  /** The invalidations by tag, joined where that means the same. */
  get selections(): readonly TagSelection[] {
    const anyOf = this.#anyOf.size === 0 ? [] : [{ anyOf: [...this.#anyOf.keys()] }];
    return [...anyOf, ...[...this.#allOf.values()].map(({ tags }) => ({ allOf: tags }))];
  }

  /** Takes the next place. */
  next(): number {
    return ++this.#place;
  }

  clearAll(): void {
    this.#clearedAt = this.next();
  }

  invalidateTags(selection: TagSelection): void {
    const place = this.next();
    if ('anyOf' in selection) {
      for (const tag of selection.anyOf) this.#anyOf.set(tag, place);
      return;
    }
    const tags = [...selection.allOf].sort();
    this.#allOf.set(JSON.stringify(tags), { tags, place });
  }

  /** Whether a record behind a place hits entries with these tags, whatever their cache and key. */
  isVoid(tags: readonly string[], since: number): boolean {
    if (this.#clearedAt > since) return true;
    if (tags.length === 0) return false;
    if (this.#anyOf.size > 0 && tags.some((tag) => (this.#anyOf.get(tag) ?? 0) > since))
      return true;
    for (const { tags: all, place } of this.#allOf.values()) {
      if (place > since && all.every((tag) => tags.includes(tag))) return true;
    }
    return false;
  }
}

/** The same for one cache: keys, patterns, and the cache as a whole. */
export class KeyJournal {
  readonly #shared: InvalidationJournal;
  readonly #keys = new Map<string, number>();
  readonly #patterns = new Map<string, { readonly pattern: KeyPattern; readonly place: number }>();
  #clearedAt = 0;

  constructor(shared: InvalidationJournal) {
    this.#shared = shared;
  }

  get place(): number {
    return this.#shared.place;
  }

  get isCleared(): boolean {
    return this.#clearedAt > 0 || this.#shared.isCleared;
  }

  /** Whether `clear` was asked for this cache by itself. */
  get isClearedAlone(): boolean {
    return this.#clearedAt > 0;
  }

  get keys(): readonly string[] {
    return [...this.#keys.keys()];
  }

  get patterns(): readonly KeyPattern[] {
    return [...this.#patterns.values()].map(({ pattern }) => pattern);
  }

  /** Records that keys are void, and gives the place of the record. */
  deleteKeys(keys: readonly string[]): number {
    const place = this.#shared.next();
    for (const key of keys) this.#keys.set(key, place);
    return place;
  }

  deletePattern(pattern: KeyPattern): void {
    this.#patterns.set(pattern.glob, { pattern, place: this.#shared.next() });
  }

  clear(): void {
    this.#clearedAt = this.#shared.next();
  }

  /** Whether a record behind a place hits an entry. */
  isVoid(key: string, tags: readonly string[], since: number): boolean {
    return (this.#keys.get(key) ?? 0) > since || this.isVoidBeyondKey(key, tags, since);
  }

  /** The same, but for records of the key itself. */
  isVoidBeyondKey(key: string, tags: readonly string[], since: number): boolean {
    if (this.#clearedAt > since || this.#shared.isVoid(tags, since)) return true;
    for (const { pattern, place } of this.#patterns.values()) {
      if (place > since && pattern.matches(key)) return true;
    }
    return false;
  }
}
