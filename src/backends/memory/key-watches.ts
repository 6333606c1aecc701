import type { FillToken } from '../../cache/backend.js';
import type { KeyPattern } from '../../cache/key-pattern.js';

/** How many voided keys are remembered while puts are under way whose key is not known yet. */
export const MAX_VOIDED_KEYS = 4_096;
/** The same for patterns, each of which is tried when such a put arrives. */
const MAX_VOIDED_PATTERNS = 16;

/** A token that will stand for some key. */
class WatchToken implements FillToken {
  readonly key = '';
  isOpen = true;

  constructor(
    readonly owner: KeyWatches,
    readonly sequence: number,
    /** The number of the last void when the token was taken. */
    readonly since: number,
  ) {}
}

/**
 * The fence for puts whose key only the method's result tells.
 *
 * Such a put cannot claim its key beforehand. So while any is under way, the keys that are voided are written down
 * with a number, and a put is refused when its key has a number above its token's. The memory is bounded: what is
 * forgotten raises a floor, and tokens below the floor hold no more. Nothing is written down while nobody watches.
 */
export class KeyWatches {
  private watchers = 0;
  private current = 0;
  private floor = 0;
  /** In ascending order of the numbers. */
  private readonly keys = new Map<string, number>();
  private patterns: { readonly pattern: KeyPattern; readonly number: number }[] = [];

  /** The number of puts under way. */
  get size(): number {
    return this.watchers;
  }

  take(sequence: number): FillToken {
    this.watchers += 1;
    return new WatchToken(this, sequence, this.current);
  }

  /** Whether a token, of this cache, holds for a key. */
  holds(key: string, token: FillToken): boolean {
    if (!this.isOpen(token)) return false;
    const { since } = token;
    if (this.floor > since || (this.keys.get(key) ?? 0) > since) return false;
    return !this.patterns.some(({ pattern, number }) => number > since && pattern.matches(key));
  }

  /** Takes a token back. Does nothing when it was taken back before, or is not one of ours. */
  end(token: FillToken): void {
    if (!this.isOpen(token)) return;
    token.isOpen = false;
    this.watchers -= 1;
    if (this.watchers === 0) this.forget();
  }

  void(key: string): void {
    if (this.watchers === 0) return;
    this.current += 1;
    this.keys.delete(key);
    this.keys.set(key, this.current);
    if (this.keys.size <= MAX_VOIDED_KEYS) return;
    const [oldest, number] = this.keys.entries().next().value!;
    this.keys.delete(oldest);
    this.floor = Math.max(this.floor, number);
  }

  voidMatching(pattern: KeyPattern): void {
    if (this.watchers === 0) return;
    this.current += 1;
    this.patterns.push({ pattern, number: this.current });
    if (this.patterns.length <= MAX_VOIDED_PATTERNS) return;
    this.floor = Math.max(this.floor, this.patterns.shift()!.number);
  }

  voidAll(): void {
    this.current += 1;
    this.floor = this.current;
    this.forget();
  }

  private isOpen(token: FillToken): token is WatchToken {
    return token instanceof WatchToken && token.owner === this && token.isOpen;
  }

  private forget(): void {
    this.keys.clear();
    this.patterns = [];
  }
}
