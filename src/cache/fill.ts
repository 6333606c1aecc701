import type { EntryWrite, FillToken, ReadHints, StoreOutcome } from './backend.js';
import type { EntryFraming } from './entry-framer.js';
import type { CacheCore } from './cache-core.js';
import type { CallBudget } from './call-budget.js';
import type { LoadOutcome } from './cache-events.js';
import type { ErrorMode } from './cache-handle.js';
import type { EntryKind } from './entry.js';
import { nextOrder, type Flight, type FlightResult, type LoadScope } from './flight-table.js';
import { currentScope, LoadContext, runLoad } from './load-context.js';

/*
 * The one path by which loaded values come into a cache.
 *
 *   take tokens -> load -> decide what to store -> conditional store
 *
 * The load starts only once the token is there, so whatever invalidates the key, the cache or a tag after that
 * makes the store refuse the value. A caller who joins a load that is already running may have started after
 * such an invalidation, perhaps one that another process made. It therefore takes the value only when the store
 * confirmed it by accepting it after the caller came; otherwise it loads anew, and then as one of those who were
 * there before their load began, for whom any result is recent enough. So a caller waits for two loads at the most.
 */

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
  /** What to store of an error; `undefined` = nothing. */
  planError?(error: unknown): StorePlan | undefined;
}

/** What is stored, and for how long. */
export interface StorePlan {
  readonly value: unknown;
  readonly kind: EntryKind;
  /** Above 0. */
  readonly ttlMs: number;
  readonly tags: readonly string[];
}

/** How a load is done. */
export interface FillOptions {
  /** Whether callers of one key wait for one load. */
  readonly isShared: boolean;
  /** Whether to load even if an entry has appeared meanwhile. */
  readonly isRefresh: boolean;
  /** How long the call may still wait for the store. */
  readonly budget?: CallBudget | undefined;
}

/**
 * Loads a value and stores it in all targets; concurrent callers of the first target's key wait for one load.
 *
 * Rejects with the load's own error, the same for all who wait. What becomes of the store never changes the
 * result, unless a target's mode is `'throw'`.
 */
export async function fill(
  targets: readonly FillTarget[],
  load: (context: LoadContext) => Promise<unknown>,
  options: FillOptions,
): Promise<unknown> {
  return (await fillResult(targets, load, options)).value;
}

/** The same, with what became of the value in the first target. */
export async function fillResult(
  targets: readonly FillTarget[],
  load: (context: LoadContext) => Promise<unknown>,
  options: FillOptions,
): Promise<FlightResult> {
  const { cache, key } = targets[0]!;
  const runAlone = (): Promise<FlightResult> => runFill(targets, load, options, undefined);
  if (!options.isShared) return runAlone();
  const arrivedAt = nextOrder();
  for (;;) {
    const current = cache.flights.get(key);
    if (current === undefined) {
      const flight = cache.flights.launch(key, (scope) => runFill(targets, load, options, scope));
      return waitFor(flight);
    }
    if (isCircular(current)) return runAlone();
    const result = await waitFor(current);
    // A batch without the key says less than a load of that key alone would, which may throw or give null.
    if (result.outcome !== 'absent' && accepts(result, arrivedAt, cache, options)) {
      return result;
    }
  }
}

/** Whether the flight waits, at once or through others, for the load within which this is asked. */
export function isCircular(flight: Flight): boolean {
  const own = currentScope();
  return own !== undefined && flight.scope.waitsFor(own);
}

/** Waits for a flight, so that others see who waits. */
export function waitFor(flight: Flight): Promise<FlightResult> {
  return currentScope()?.await(flight.promise, flight.scope) ?? flight.promise;
}

/**
 * Whether a caller who arrived at a place in the order may take the result of a flight that it joined: because the
 * load began after that, or because no invalidation that was acknowledged before can have been missed.
 */
export function accepts(
  result: FlightResult,
  arrivedAt: number,
  cache: CacheCore,
  { isRefresh }: FillOptions,
): boolean {
  if (result.outcome === 'unusable') return false;
  if (arrivedAt < result.loadedAt) return true;
  if (isRefresh) return false;
  // Invalidations of this process have detached the flight, and where the store is not shared there are no others.
  const { isShared } = cache.runtime;
  switch (result.outcome) {
    case 'stored':
    case 'found':
      return !isShared || arrivedAt < result.confirmedAt;
    // A store that fails this process may have acknowledged invalidations to others.
    case 'unavailable':
    case 'skipped':
    case 'absent':
      return !isShared;
    default:
      return false;
  }
}

async function runFill(
  targets: readonly FillTarget[],
  load: (context: LoadContext) => Promise<unknown>,
  options: FillOptions,
  scope: LoadScope | undefined,
): Promise<FlightResult> {
  const { cache, key } = targets[0]!;
  const begunAt = nextOrder();
  const starts = await beginAll(targets, options.budget);
  const found = options.isRefresh ? undefined : starts.find((start) => start?.entry !== undefined);
  if (found?.entry !== undefined) {
    targets.forEach((target, index) => releaseOne(target, starts[index]?.token));
    if (found.entry.kind === 'error') throw found.entry.value;
    return { value: found.entry.value, outcome: 'found', loadedAt: 0, confirmedAt: begunAt };
  }
  const tokens = starts.map((start) => start?.token);
  const context = new LoadContext();
  const loadedAt = nextOrder();
  const startedAt = performance.now();
  let value: unknown;
  try {
    value = await runLoad(context, scope, () => load(context));
  } catch (error) {
    const costMs = loaded(cache, startedAt);
    const plan = (policy: StorePolicy): StorePlan | undefined => policy.planError?.(error);
    const stored = storeAll(targets, tokens, costMs, plan, options.budget);
    // The method's error is the caller's, whatever the store does; its failure was reported already.
    await stored.catch(() => undefined);
    emitLoad(cache, key, costMs, 'rejected');
    throw error;
  }
  const costMs = loaded(cache, startedAt);
  const confirmedAt = nextOrder();
  const plan = (policy: StorePolicy): StorePlan | undefined =>
    value === undefined || !context.isStored ? undefined : policy.plan(value, context);
  const outcomes = await storeAll(targets, tokens, costMs, plan, options.budget);
  emitLoad(cache, key, costMs, outcomes[0]!);
  return { value, outcome: outcomes[0]!, loadedAt, confirmedAt };
}

/** Takes the token of every target, side by side. */
export function beginAll(
  targets: readonly FillTarget[],
  budget: CallBudget | undefined,
): Promise<
  readonly (
    { token: FillToken; entry: { kind: EntryKind; value: unknown } | undefined } | undefined
  )[]
> {
  return Promise.all(
    targets.map(async ({ cache, key, policy }) => {
      const starts = await cache.begin([key], policy.mode, policy.hints, budget);
      return starts?.[0];
    }),
  );
}

/**
 * Stores what `plan` makes of each target's policy, and gives the tokens back where there is nothing to store.
 * The outcomes stand in the order of the targets.
 */
async function storeAll(
  targets: readonly FillTarget[],
  tokens: readonly (FillToken | undefined)[],
  loadCostMs: number,
  plan: (policy: StorePolicy) => StorePlan | undefined,
  budget: CallBudget | undefined,
): Promise<readonly LoadOutcome[]> {
  return Promise.all(
    targets.map(async (target, index) => {
      const token = tokens[index];
      const decided = planSafely(target, plan);
      if (decided === undefined || decided.ttlMs <= 0) {
        releaseOne(target, token);
        return 'skipped';
      }
      if (token === undefined) return 'unavailable';
      const write = entryWrite(target, decided, { kind: 'fill', token }, loadCostMs);
      const [outcome] = await target.cache.store([write], target.policy.mode, budget);
      return loadOutcome(outcome);
    }),
  );
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
  const entry = { value, kind, tags, createdAt, expiresAt, retainedUntil: expiresAt, loadCostMs };
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

function releaseOne(target: FillTarget, token: FillToken | undefined): void {
  if (token !== undefined) target.cache.release([token]);
}

function loaded(cache: CacheCore, startedAt: number): number {
  const costMs = performance.now() - startedAt;
  cache.counter.loads++;
  cache.counter.load.record(costMs);
  return costMs;
}

function emitLoad(cache: CacheCore, key: string, durationMs: number, outcome: LoadOutcome): void {
  const { events } = cache.runtime;
  if (events.has('load')) events.emit('load', { cache: cache.name, key, durationMs, outcome });
}
