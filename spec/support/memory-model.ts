import type { EntryWrite, FillToken, TagSelection } from '#internal/cache/backend.js';
import type { KeyPattern } from '#internal/cache/key-pattern.js';

/** What a model knows of an entry. */
export interface ModelEntry {
  readonly value: unknown;
  readonly tags: readonly string[];
  readonly sequence: number;
  readonly expiresAt: number;
  readonly retainedUntil: number;
}

/** A token that was taken, and whether it may still be used. */
export interface ModelToken {
  readonly real: FillToken;
  readonly cache: string;
  /** `undefined` for a token of `watch`. */
  readonly key: string | undefined;
  readonly sequence: number;
  /** What was voided since, for a token whose key is not known yet. */
  readonly voidedKeys: Set<string>;
  readonly voidedPatterns: KeyPattern[];
  isHeld: boolean;
  isEnded: boolean;
}

/** The most patterns that a memory backend tells apart while a key is watched. */
const MAX_PATTERNS = 16;

/**
 * What a backend should do, written down as plainly as possible: maps, a log of all tag invalidations, and tokens
 * that are told about everything that voids them.
 */
export class MemoryModel {
  now = 1_000_000;
  readonly tokens: ModelToken[] = [];
  private readonly caches = new Map<string, Map<string, ModelEntry>>();
  private readonly invalidations: TagSelection[] = [];

  /** The number of tag invalidations so far. */
  get sequence(): number {
    return this.invalidations.length;
  }

  entries(cache: string): Map<string, ModelEntry> {
    let entries = this.caches.get(cache);
    if (entries === undefined) this.caches.set(cache, (entries = new Map()));
    return entries;
  }

  /** The entry that a reader should get. */
  get(cache: string, key: string): ModelEntry | undefined {
    const entry = this.entries(cache).get(key);
    return entry !== undefined && this.isLive(entry) ? entry : undefined;
  }

  isLive(entry: ModelEntry): boolean {
    return entry.retainedUntil > this.now && !this.isVoid(entry.tags, entry.sequence);
  }

  take(real: FillToken, cache: string, key: string | undefined): ModelToken {
    const token: ModelToken = {
      real,
      cache,
      key,
      sequence: this.sequence,
      voidedKeys: new Set(),
      voidedPatterns: [],
      isHeld: true,
      isEnded: false,
    };
    this.tokens.push(token);
    return token;
  }

  /** The outcome that a write should have; applies it. */
  write(cache: string, { key, entry, fence }: EntryWrite, token?: ModelToken): string {
    const isHeld =
      token === undefined ||
      (this.holds(token, cache, key) && !this.isVoid(entry.tags, token.sequence));
    if (token !== undefined) token.isEnded = true;
    if (fence.kind !== 'fill') this.voidKey(cache, key);
    if (!isHeld) return 'refused';
    const { value, tags, expiresAt, retainedUntil } = entry;
    const sequence = token?.sequence ?? this.sequence;
    this.entries(cache).set(key, { value, tags, sequence, expiresAt, retainedUntil });
    return 'stored';
  }

  delete(cache: string, keys: readonly string[]): number {
    let count = 0;
    for (const key of keys) {
      if (this.get(cache, key) !== undefined) count += 1;
      this.voidKey(cache, key);
    }
    return count;
  }

  deletePattern(cache: string, pattern: KeyPattern): number {
    const matching = [...this.entries(cache).keys()].filter((key) => pattern.matches(key));
    const count = matching.filter((key) => this.get(cache, key) !== undefined).length;
    for (const key of matching) this.entries(cache).delete(key);
    for (const token of this.tokensOf(cache)) {
      if (token.key === undefined) token.voidedPatterns.push(pattern);
      else if (pattern.matches(token.key)) token.isHeld = false;
    }
    return count;
  }

  clear(cache: string): void {
    this.entries(cache).clear();
    for (const token of this.tokensOf(cache)) token.isHeld = false;
  }

  invalidate(selection: TagSelection): void {
    this.invalidations.push(selection);
  }

  private holds(token: ModelToken, cache: string, key: string): boolean {
    const { voidedKeys, voidedPatterns } = token;
    if (token.cache !== cache || !token.isHeld || token.isEnded) return false;
    if (token.key !== undefined) return token.key === key;
    if (voidedPatterns.length > MAX_PATTERNS || voidedKeys.has(key)) return false;
    return !voidedPatterns.some((pattern) => pattern.matches(key));
  }

  private voidKey(cache: string, key: string): void {
    this.entries(cache).delete(key);
    for (const token of this.tokensOf(cache)) {
      if (token.key === undefined) token.voidedKeys.add(key);
      else if (token.key === key) token.isHeld = false;
    }
  }

  private tokensOf(cache: string): ModelToken[] {
    return this.tokens.filter((token) => token.cache === cache && !token.isEnded);
  }

  private isVoid(tags: readonly string[], since: number): boolean {
    return this.invalidations.slice(since).some((selection) => {
      if ('anyOf' in selection) return selection.anyOf.some((tag) => tags.includes(tag));
      return selection.allOf.length > 0 && selection.allOf.every((tag) => tags.includes(tag));
    });
  }
}
