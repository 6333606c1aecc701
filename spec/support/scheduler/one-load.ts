import { TAGS } from './keys.js';
import type { Invalidation } from './origin.js';

/** What lasts no longer than this, nothing expires meanwhile, and no lease is taken over. In milliseconds. */
const SHORT_MS = 1_000;

/**
 * Which loads of a key one load stands for, promise P2.
 *
 * - `shared`: it is for all who miss the key meanwhile, and takes no place beside another such load.
 * - `forced`: others may use it, but it takes place whatever is there or under way.
 * - `own`: it has nothing to do with others.
 */
export type LoadKind = 'shared' | 'forced' | 'own';

/** A load, as far as promise P2 is concerned. */
export interface Load {
  readonly key: string;
  readonly kind: LoadKind;
  readonly node: number;
  readonly by: string;
  /** Invalidations that bound its process already when the operation that it serves was called. */
  readonly bound: ReadonlySet<Invalidation>;
  /** When the operation that it serves was called, in milliseconds of virtual time: its lease is no older. */
  readonly calledAtMs: number;
  /** When it began, in milliseconds of virtual time. */
  readonly beganAtMs: number;
}

/** A load that broke promise P2. */
export class SecondLoad extends Error {
  override readonly name = 'SecondLoad';
}

/**
 * The judge of promise P2: one load of a missing key in each process, or with `sync: 'cluster'` one among all of them.
 *
 * A second load of the key, at the same time or later, needs a reason: the key was invalidated since one of them was
 * called for, or much time has passed since the first was called for, so that its lease may have been taken over and its value may
 * have expired.
 */
export class OneLoad {
  readonly #isClustered: boolean;
  readonly #loads: Load[] = [];

  constructor(isClustered: boolean) {
    this.#isClustered = isClustered;
  }

  /** @throws {@link SecondLoad} when it had no reason to begin */
  begin(load: Load, invalidations: readonly Invalidation[]): void {
    const { key, by, kind, node, beganAtMs } = load;
    // What hits either of them: it may have taken the turn of the one that began later, and so let the other one begin.
    const isExcused = (first: Load): boolean =>
      beganAtMs - first.calledAtMs >= SHORT_MS ||
      invalidations.some(
        (each) => each.hits(key, TAGS) && !(first.bound.has(each) && load.bound.has(each)),
      );
    const first = this.#loads.find(
      (each) => each.key === key && (this.#isClustered || each.node === node) && !isExcused(each),
    );
    if (kind !== 'own') this.#loads.push(load);
    if (kind === 'shared' && first !== undefined) {
      throw new SecondLoad(`${by} loads ${key}, which ${first.by} has loaded or is loading`);
    }
  }
}
