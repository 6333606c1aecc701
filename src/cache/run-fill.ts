import type { CacheCore } from './cache-core.js';
import type { LoadOutcome } from './cache-events.js';
import type { CallBudget } from './call-budget.js';
import type { StoredEntry } from './entry.js';
import type { RunOptions } from './fill-options.js';
import { beginFill, releaseAll } from './fill-start.js';
import { storeAll, type FillTarget, type StorePlan, type StorePolicy } from './fill-store.js';
import { nextOrder, type Flight, type FlightResult, type LoadScope } from './flight-table.js';
import { LoadContext, runLoad, type StaleValue } from './load-context.js';

/** Nothing that a caller could take. */
export const NOTHING: FlightResult = Object.freeze({
  value: undefined,
  outcome: 'unusable',
  loadedAt: 0,
  confirmedAt: 0,
});

/** Nothing, and it is not to be waited for either. */
const UNSHARED: FlightResult = Object.freeze({ ...NOTHING, isUnshared: true });

/** Runs one load. Rejects only when the cache itself fails and a target wants to know. */
export async function runFill(
  targets: readonly FillTarget[],
  load: (context: LoadContext) => Promise<unknown>,
  options: RunOptions,
  { waiters }: Flight,
  scope: LoadScope | undefined,
): Promise<FlightResult> {
  const { cache, key } = targets[0]!;
  // Even what began at once loads only after this turn: by then it is known who waits for it, and who came together has joined.
  const begun = await beginFill(targets, options, waiters);
  if (begun.kind === 'none') return NOTHING;
  if (begun.kind === 'unshared') return UNSHARED;
  if (begun.kind === 'found') return foundResult(begun.entry, begun.confirmedAt);
  const { tokens, present } = begun;
  if (waiters.isAbandoned) {
    releaseAll(targets, tokens);
    return NOTHING;
  }
  const context = new LoadContext(present && staleValue(present, cache), waiters);
  const loadedAt = nextOrder();
  const startedAt = performance.now();
  let value: unknown;
  let failure: FlightResult['failure'];
  // Nobody is to wait for a turn, here or elsewhere, because of a load whose result nobody wants.
  const stopListening = waiters.onAbandoned(() => releaseAll(targets, tokens));
  try {
    value = await (options.isUntracked === true
      ? load(context)
      : runLoad(context, scope, () => load(context)));
  } catch (error) {
    failure = { error };
  }
  stopListening();
  const costMs = loaded(cache, startedAt);
  const confirmedAt = nextOrder();
  if (waiters.isAbandoned) {
    emitLoad(cache, key, costMs, failure === undefined ? 'skipped' : 'rejected');
    return NOTHING;
  }
  if (failure !== undefined) {
    if (present !== undefined) cache.retries.note(key, options.staleThrottleMs ?? 0);
    const { error } = failure;
    const plan = (policy: StorePolicy): StorePlan | undefined => policy.planError?.(error);
    const stored = await storeFailure(targets, tokens, costMs, plan, options.budget);
    emitLoad(cache, key, costMs, 'rejected');
    const outcome = stored === 'skipped' ? 'rejected' : stored;
    return { value, failure, outcome, loadedAt, confirmedAt };
  }
  cache.retries.forget(key);
  const plan = (policy: StorePolicy): StorePlan | undefined =>
    value === undefined || !context.isStored ? undefined : policy.plan(value, context);
  const isStale = isExpired(present, cache);
  const isUnshared = targets[0]!.policy.isUnshared?.(value);
  const ends = { isStale, isUnshared };
  const storing = storeAll(targets, tokens, costMs, plan, options.budget, ends);
  const outcomes = storing instanceof Promise ? await storing : storing;
  if (isStale && value === undefined && context.isStored) await dropStale(targets, options.budget);
  emitLoad(cache, key, costMs, outcomes[0]!);
  return { value, outcome: outcomes[0]!, loadedAt, confirmedAt };
}

/** The method's error is the caller's, whatever the store does; the store's own failure was reported already. */
async function storeFailure(...given: Parameters<typeof storeAll>): Promise<LoadOutcome> {
  try {
    const [stored = 'unavailable'] = await storeAll(...given);
    return stored;
  } catch {
    return 'unavailable';
  }
}

/** What is absent at the origin, and has expired here, is not to be served as stale any longer. */
async function dropStale(
  targets: readonly FillTarget[],
  budget: CallBudget | undefined,
): Promise<void> {
  await Promise.all(
    targets.map(({ cache, key, policy }) => cache.delete([key], policy.mode, budget)),
  );
}

/** The result of a fill that found an entry. */
export function foundResult({ kind, value }: StoredEntry, confirmedAt: number): FlightResult {
  const place = { outcome: 'found', loadedAt: 0, confirmedAt } as const;
  return kind === 'error'
    ? { value: undefined, failure: { error: value }, ...place }
    : { value, ...place };
}

function isExpired(entry: StoredEntry | undefined, cache: CacheCore): boolean {
  return entry !== undefined && entry.expiresAt <= cache.runtime.clock.now();
}

function staleValue(entry: StoredEntry, cache: CacheCore): StaleValue {
  const ageMs = Math.max(0, cache.runtime.clock.now() - entry.createdAt);
  return { value: entry.value, ageMs, tags: entry.tags };
}

/** Counts a load that has ended. Gives its cost in milliseconds. */
export function loaded(cache: CacheCore, startedAt: number): number {
  const costMs = performance.now() - startedAt;
  cache.counter.loads++;
  cache.counter.load.record(costMs);
  return costMs;
}

export function emitLoad(
  cache: CacheCore,
  key: string,
  durationMs: number,
  outcome: LoadOutcome,
): void {
  const { events } = cache.runtime;
  if (events.has('load')) events.emit('load', { cache: cache.name, key, durationMs, outcome });
}
