import type { FillToken } from '../../cache/backend.js';

/** The right to fill one key in both tiers. */
export class TieredToken implements FillToken {
  constructor(
    readonly key: string,
    readonly l1: FillToken,
    /** `undefined`: the shared tier gave none, so the value may stay in this process only. */
    readonly l2: FillToken | undefined,
    /** When the fill began, by the clock of this process: nothing that the load reads is older. */
    readonly begunAt: number,
  ) {}

  get sequence(): number {
    return (this.l2 ?? this.l1).sequence;
  }

  /** The shared tier's: what was invalidated is known there first. */
  get claim(): unknown {
    return this.l2?.claim;
  }
}

/** Whether a token was given by a tiered store. */
export function isTieredToken(token: FillToken): token is TieredToken {
  return token instanceof TieredToken;
}

/** The tokens of the process' own tier, and those of the shared one. */
export function splitTokens(tokens: readonly FillToken[]): {
  readonly l1: readonly FillToken[];
  readonly l2: readonly FillToken[];
} {
  const own = tokens.filter(isTieredToken);
  return {
    l1: own.map((token) => token.l1),
    l2: own.flatMap(({ l2 }) => (l2 === undefined ? [] : [l2])),
  };
}
