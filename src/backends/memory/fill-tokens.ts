import type { FillToken } from '../../cache/backend.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import { KeyWatches } from './key-watches.js';

/**
 * How many keys of one cache may be loading at once. Beyond it the oldest claim is void: its value is loaded and
 * returned, but not stored. It bounds what loaders that never end, and never give their token back, can hold.
 */
export const MAX_CLAIMS = 65_536;

/** The right to fill one key, shared by all that load it. Its identity is what the fence compares. */
class Claim {
  holders = 0;

  constructor(readonly owner: FillTokens) {}
}

class ClaimToken implements FillToken {
  isOpen = true;

  constructor(
    readonly key: string,
    readonly sequence: number,
    readonly claim: Claim,
  ) {}
}

/**
 * The fence of one cache in memory: who may store which key.
 *
 * Loaders of one key share a claim; each has a token of its own with the sequence that it read. To void a key's
 * tokens is to forget its claim: what is no longer in the map holds no more. A token ends with its store or its
 * release, and the claim with its last token.
 */
export class FillTokens {
  private claims = new Map<string, Claim>();
  private readonly watches = new KeyWatches();

  /** The number of keys that are being loaded, and of puts under way whose key is not known yet. */
  get size(): number {
    return this.claims.size + this.watches.size;
  }

  /** A token for a key that is about to be loaded or put. */
  take(key: string, sequence: number): FillToken {
    let claim = this.claims.get(key);
    if (claim === undefined) {
      claim = new Claim(this);
      this.claims.set(key, claim);
      if (this.claims.size > MAX_CLAIMS) this.claims.delete(this.claims.keys().next().value!);
    }
    claim.holders += 1;
    return new ClaimToken(key, sequence, claim);
  }

  /** A token for whichever key will be put with it. */
  watch(sequence: number): FillToken {
    return this.watches.take(sequence);
  }

  /** Whether nothing voided the token since it was taken, and it is a token of this cache and key at all. */
  holds(key: string, token: FillToken): boolean {
    if (token instanceof ClaimToken) return token.isOpen && this.claims.get(key) === token.claim;
    return this.watches.holds(key, token);
  }

  /** Takes a token back. Does nothing when it was taken back before, or is not one of ours. */
  end(token: FillToken): void {
    if (!(token instanceof ClaimToken)) {
      this.watches.end(token);
      return;
    }
    if (!token.isOpen || token.claim.owner !== this) return;
    token.isOpen = false;
    token.claim.holders -= 1;
    if (token.claim.holders === 0 && this.claims.get(token.key) === token.claim) {
      this.claims.delete(token.key);
    }
  }

  /** Voids the tokens of a key. */
  void(key: string): void {
    this.claims.delete(key);
    this.watches.void(key);
  }

  voidMatching(pattern: KeyPattern): void {
    for (const key of this.claims.keys()) {
      if (pattern.matches(key)) this.claims.delete(key);
    }
    this.watches.voidMatching(pattern);
  }

  /** Costs the same however many tokens there are. */
  voidAll(): void {
    this.claims = new Map();
    this.watches.voidAll();
  }
}
