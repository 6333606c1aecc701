import type { BackendStore, EntryWrite, FillToken } from '../backend.js';

/**
 * The token of a fill or put that began inside a transaction. It is good for that transaction only: what a load saw
 * inside it may never be committed, so it must not reach the store by any other way.
 */
export class TransactionToken implements FillToken {
  readonly key: string;
  readonly sequence: number;
  /** Where it is redeemed, after the transaction's end as well. */
  readonly holder: BackendStore;
  /** The journal's place when it was taken. */
  readonly place: number;
  /** The store's token, taken at the same time. */
  readonly real: FillToken;
  /** Whether the store's token has passed to somebody else, or was given back. */
  #isSpent = false;

  constructor(key: string, holder: BackendStore, place: number, real: FillToken) {
    this.key = key;
    this.sequence = real.sequence;
    this.holder = holder;
    this.place = place;
    this.real = real;
  }

  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** Hands over the store's token, once. */
  spend(): FillToken | undefined {
    if (this.#isSpent) return undefined;
    this.#isSpent = true;
    return this.real;
  }
}

/** Whether a token of the store that was taken later proves that an earlier one holds, under whatever tags. */
export function isSameClaim(earlier: FillToken | undefined, later: FillToken | undefined): boolean {
  return (
    earlier?.claim !== undefined &&
    earlier.claim === later?.claim &&
    earlier.sequence === later.sequence
  );
}

/** The transaction's place for tokens that it gave; `undefined` where they are the store's. */
export function holderOfTokens(tokens: readonly FillToken[]): BackendStore | undefined {
  const [first] = tokens;
  return first instanceof TransactionToken ? first.holder : undefined;
}

/**
 * Where writes go: to the transaction that their tokens are of. Writes without tokens go to the one that is under way.
 * All writes of one call began at the same place.
 */
export function holderOfWrites(
  writes: readonly EntryWrite[],
  current: BackendStore | undefined,
): BackendStore | undefined {
  const fence = writes[0]?.fence;
  if (fence === undefined || fence.kind === 'set') return current;
  return holderOfTokens([fence.token]);
}
