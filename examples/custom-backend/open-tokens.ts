import type { FillToken, KeyPattern } from 'cachewell';

/** How many loads may be under way; beyond it the oldest may no longer store. Bounds what lost loads leave behind. */
const MOST_TOKENS = 10_000;

/** The loads under way in one cache, each with the right to store what it gives, until something voids its key. */
export class OpenTokens {
  /** Beside each token what was voided since: of interest to those that do not know their key yet. */
  readonly #open = new Map<FillToken, Set<string>>();

  /** @param key - `''` for a load whose result will tell its key */
  take(key: string, sequence: number): FillToken {
    const token = { key, sequence };
    this.#open.set(token, new Set());
    if (this.#open.size > MOST_TOKENS) this.#open.delete([...this.#open.keys()][0]!);
    return token;
  }

  end(token: FillToken): void {
    this.#open.delete(token);
  }

  /** Whether the token is one of ours, for this key, and nothing voided it. */
  holds(token: FillToken, key: string): boolean {
    const voided = this.#open.get(token);
    if (voided === undefined) return false;
    return token.key === '' ? !voided.has(key) : token.key === key;
  }

  void(key: string): void {
    for (const [token, voided] of this.#open) {
      if (token.key === '') voided.add(key);
      else if (token.key === key) this.#open.delete(token);
    }
  }

  /** Those whose key is not known yet might match, which is reason enough. */
  voidMatching(pattern: KeyPattern): void {
    for (const token of this.#open.keys()) {
      if (token.key === '' || pattern.matches(token.key)) this.#open.delete(token);
    }
  }

  voidAll(): void {
    this.#open.clear();
  }
}
