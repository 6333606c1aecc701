import type { EntryWrite, FillToken, ReadHints, ReleaseOptions, StoreOutcome } from './backend.js';
import type { CacheCore } from './cache-core.js';
import type { LoadOutcome } from './cache-events.js';
import type { ErrorMode } from './cache-handle.js';
import type { CallBudget } from './call-budget.js';
import type { EntryKind } from './entry.js';
import type { EntryFraming } from './entry-framer.js';
import type { LoadContext } from './load-context.js';
import { andThen, type MaybePromise } from './maybe-promise.js';

/** A place that a loaded value is to be stored in. */
export interface FillTarget {
  readonly cache: CacheCore;
  readonly key: string;
  readonly policy: StorePolicy;
}

/** How a loaded value is stored. */
export interface StorePolicy {
  readonly mode: ErrorMode;
  /** Tags known before the load, for stores that read their markers in the same round trip. */
  readonly hints?: ReadHints | undefined;
  readonly framing?: EntryFraming | undefined;
  /** What to store of a value; `undefined` = nothing. May throw what a user's callback throws. */
  plan(value: unknown, context: LoadContext): StorePlan | undefined;
  /** Whether a value of which nothing is stored is for its caller alone; see {@link ReleaseOptions}. */
  isUnshared?(value: unknown): boolean;
  /** What to store of an error; `undefined` = nothing. */
  planError?(error: unknown): StorePlan | undefined;
}

/** What is stored, and for how long. */
export interface StorePlan {
  readonly value: unknown;
  readonly kind: EntryKind;
  /** Above 0. */
  readonly ttlMs: number;
  /** How long the store keeps it, from now: longer than the ttl where stale entries are served, shorter where expiry slides. */
  readonly retainMs: number;
  readonly tags: readonly string[];
}

/** What is known beside the value. */
export interface StoreEnds extends ReleaseOptions {
  /** Whether what is there has expired: a newer value with a ttl of 0 then makes it void, as in `set`. */
  readonly isStale?: boolean | undefined;
}

/**
 * Stores what `plan` makes of each target's policy, and gives the tokens back where there is nothing to store. One target
 * of a store in memory has its outcome at once.
 * The outcomes stand in the order of the targets.
 */
export function storeAll(
  targets: readonly FillTarget[],
  tokens: readonly (FillToken | undefined)[],
  loadCostMs: number,
  plan: (policy: StorePolicy) => StorePlan | undefined,
  budget: CallBudget | undefined,
  ends: StoreEnds = NO_ENDS,
): MaybePromise<readonly LoadOutcome[]> {
  if (targets.length === 1) {
    const outcome = storeOne(targets[0]!, tokens[0], loadCostMs, plan, budget, ends);
    return andThen(outcome, (only) => [only]);
  }
  return Promise.all(
    targets.map(async (target, index) =>
      storeOne(target, tokens[index], loadCostMs, plan, budget, ends),
    ),
  );
}

const NO_ENDS: StoreEnds = Object.freeze({});

function storeOne(
  target: FillTarget,
  token: FillToken | undefined,
  loadCostMs: number,
  plan: (policy: StorePolicy) => StorePlan | undefined,
  budget: CallBudget | undefined,
  ends: StoreEnds,
): MaybePromise<LoadOutcome> {
  const { cache, key, policy } = target;
  const release = (): void => {
    if (token !== undefined) cache.release([token], ends);
  };
  let decided: StorePlan | undefined;
  try {
    decided = planSafely(target, plan);
  } catch (error) {
    release();
    throw error;
  }
  if (decided === undefined || decided.ttlMs <= 0) {
    release();
    if (decided !== undefined && ends.isStale === true) {
      return cache.delete([key], policy.mode, budget).then(() => 'skipped');
    }
    return 'skipped';
  }
  if (token === undefined) return 'unavailable';
  const write = entryWrite(target, decided, { kind: 'fill', token }, loadCostMs);
  return andThen(cache.store([write], policy.mode, budget), ([outcome]) => loadOutcome(outcome));
}

/** The write that stores a plan under a fence. */
export function entryWrite(
  { cache, key, policy }: FillTarget,
  plan: StorePlan,
  fence: EntryWrite['fence'],
  loadCostMs: number,
): EntryWrite {
  const createdAt = cache.runtime.clock.now();
  const expiresAt = createdAt + plan.ttlMs;
  const { value, kind, tags } = plan;
  const retainedUntil = plan.retainMs === plan.ttlMs ? expiresAt : createdAt + plan.retainMs;
  const entry = { value, kind, tags, createdAt, expiresAt, retainedUntil, loadCostMs };
  return {
    key,
    entry,
    fence,
    ...(policy.framing === undefined ? {} : { framing: policy.framing }),
  };
}

/** What a store's outcome means for the load; `undefined` = the store failed. */
export function loadOutcome(outcome: StoreOutcome | undefined): LoadOutcome {
  if (outcome === 'stored' || outcome === 'refused') return outcome;
  // A value that cannot be stored says nothing about invalidations, just as one that an option keeps out.
  return outcome === undefined ? 'unavailable' : 'skipped';
}

/** A user's callback that fails keeps the value out of the cache; the caller still gets it. */
export function planSafely(
  { cache, key, policy }: FillTarget,
  plan: (policy: StorePolicy) => StorePlan | undefined,
): StorePlan | undefined {
  try {
    return plan(policy);
  } catch (error) {
    return cache.failCallback('store', error, policy.mode, key);
  }
}
