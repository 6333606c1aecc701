import type { FillToken } from '../cache/backend.js';
import type { CacheCore } from '../cache/cache-core.js';
import type { CallBudget } from '../cache/call-budget.js';
import type { StoredEntry } from '../cache/entry.js';
import type { FillOptions } from '../cache/fill-options.js';
import {
  entryWrite,
  type FillTarget,
  type StorePlan,
  type StorePolicy,
} from '../cache/fill-store.js';
import { fill } from '../cache/fill.js';
import { LoadContext } from '../cache/load-context.js';
import { loadOr, serve, type TimedRead } from '../cache/read-through.js';
import type { EvictPlan } from './bound-evict.js';
import type { BoundMethod } from './bound-method.js';
import type { BoundCacheable, BoundPut, Invocation } from './bound-operation.js';
import { invokeAsync, keyOrBypass } from './invoke.js';
import { runBulk } from './run-bulk.js';

/*
 * Spring's order of operations (CacheAspectSupport), for one call:
 *
 *   conditions and keys, once  ->  evicts with beforeInvocation  ->  lookups, in the order of the source, the
 *   first hit wins  ->  unless there was a hit and no put applies: the method  ->  on a miss the puts of
 *   @Cacheable, then those of @CachePut, each vetoed by `unless`  ->  late evicts, skipped when the method threw
 *
 * Beyond Spring: concurrent misses share one run of the method, and every store is fenced by a token taken
 * before the method ran. Where a put applies the method runs in every call, and what the put makes of its result must
 * happen: such a call shares no run, serves nothing stale, and has no time limit.
 */

/** A put that applies to this call; its tokens are taken before the method runs. */
interface PendingPut {
  readonly put: BoundPut;
  /** By cache. */
  readonly policies: readonly StorePolicy[];
  /** By cache; `undefined` where the store failed. */
  readonly tokens: readonly (FillToken | undefined)[];
  /** `undefined` when only the result will tell. */
  readonly key: string | undefined;
}

/** Runs a decorated method with everything that its decorators ask for. */
export async function runOperations(bound: BoundMethod, call: Invocation): Promise<unknown> {
  // All that depends on the arguments is asked at once: neither the method nor the caller, who goes on while we
  // wait, can change what was meant.
  const cacheables = bound.cacheables.filter((each) => each.applies(call, false));
  const puts = bound.puts.filter((each) => each.applies(call, false));
  const plans = bound.evicts
    .filter((each) => each.applies(call, true))
    .map((each) => each.plan(call));
  const pending = puts.map((put): PendingPut => planPut(put, call));
  const bulk = cacheables.find(({ each }) => each !== undefined);
  const lookups = bulk === undefined ? planLookups(cacheables, call) : [];
  const budget = bound.startBudget();
  if (plans.some(({ evict }) => evict.isEarly)) {
    await runEvicts(plans, true, call, undefined, budget);
  }
  const result =
    bulk === undefined
      ? await answer(bound, call, lookups, pending, budget)
      : await runBulk(bound, bulk, call, budget);
  if (plans.length > 0) await runEvicts(plans, false, call, result, budget);
  return result;
}

async function answer(
  bound: BoundMethod,
  call: Invocation,
  lookups: readonly PlannedLookup[],
  puts: readonly PendingPut[],
  budget: CallBudget | undefined,
): Promise<unknown> {
  const load = (): Promise<unknown> => invokeAsync(bound, call);
  const isShared = puts.length === 0 && lookups.every(({ cacheable }) => cacheable.sync !== false);
  const options: FillOptions = { isShared, isRefresh: false, budget };
  const found =
    puts.length > 0
      ? await lookUp(lookups, load, options)
      : await lookUp(lookups, load, { ...options, ...limitsOf(lookups, isShared) });
  if (found.hit !== undefined && puts.length === 0) {
    if (found.hit.kind === 'error') throw found.hit.value;
    return found.hit.value;
  }
  const pending = await beginPuts(puts, budget);
  let result: unknown;
  try {
    if (found.hit !== undefined || found.targets.length === 0) result = await load();
    else if (found.fallback !== undefined) {
      result = await loadOr(found.fallback.read, found.fallback.entry);
    } else result = await fill(found.targets, load, found.options);
  } catch (error) {
    for (const { put, tokens } of pending) releaseAll(put, tokens);
    throw error;
  }
  await Promise.all(pending.map((each) => applyPut(each, call, result, budget)));
  return result;
}

/** What the lookups of a call have found: a hit, or where to store what the method gives. */
interface Found {
  readonly hit: { readonly kind: 'value' | 'error'; readonly value: unknown } | undefined;
  readonly targets: readonly FillTarget[];
  readonly options: FillOptions;
  /** What may be served if the load fails. */
  readonly fallback:
    { readonly read: TimedRead; readonly entry: StoredEntry | undefined } | undefined;
}

/** A lookup that applies to this call. */
interface PlannedLookup {
  readonly cacheable: BoundCacheable;
  readonly targets: readonly FillTarget[];
  readonly isRefresh: boolean;
}

function planLookups(
  cacheables: readonly BoundCacheable[],
  call: Invocation,
): readonly PlannedLookup[] {
  return cacheables.flatMap((cacheable) => {
    const key = keyOrBypass(cacheable, call);
    if (key === undefined) return [];
    const policyOf = cacheable.policies(call);
    const targets = cacheable.cores.map((cache) => ({ cache, key, policy: policyOf(cache) }));
    return [{ cacheable, targets, isRefresh: cacheable.isRefresh(call) }];
  });
}

/** How long the call waits for its load, and whether for other processes too. */
function limitsOf(lookups: readonly PlannedLookup[], isShared: boolean): Partial<FillOptions> {
  const limits = lookups.map(({ cacheable }) => cacheable.fillOptions(false, undefined));
  return {
    isClustered: isShared && limits.some(({ isClustered }) => isClustered),
    hardTimeoutMs: Math.min(Infinity, ...limits.map((each) => each.hardTimeoutMs ?? Infinity)),
  };
}

/** Looks up in the order of the source; `options` without limits stands for a call whose lookups only save work. */
async function lookUp(
  lookups: readonly PlannedLookup[],
  load: () => Promise<unknown>,
  options: FillOptions,
): Promise<Found> {
  const all = lookups.flatMap(({ targets }) => targets);
  const isRefresh = lookups.some((each) => each.isRefresh);
  let fallback: Found['fallback'];
  for (const { cacheable, targets, isRefresh: isForced } of lookups) {
    if (isForced) continue;
    for (const target of targets) {
      const { cache, key, policy } = target;
      const { mode, hints } = policy;
      if (!cacheable.isTimed || options.hardTimeoutMs === undefined) {
        const hit = await cache.peek(key, mode, hints, options.budget);
        if (hit !== undefined) return { hit, targets: [], options, fallback: undefined };
        continue;
      }
      const times = cacheable.timesOf(cache);
      const ordered = [target, ...all.filter((each) => each !== target)];
      const read = { cache, key, mode, hints, times, targets: () => ordered, load, options };
      const served = serve(read, await cache.find(key, mode, hints, options.budget));
      if (served.kind === 'served') {
        return { hit: served.entry, targets: [], options, fallback: undefined };
      }
      if (served.fallback === undefined || isRefresh || fallback !== undefined) {
        cache.countMiss(key);
      } else fallback = { read, entry: served.fallback };
    }
  }
  return { hit: undefined, targets: all, options: { ...options, isRefresh }, fallback };
}

function planPut(put: BoundPut, call: Invocation): PendingPut {
  const key = put.isKeyedByResult ? undefined : put.keyOfArguments(call.self, call.args);
  return { put, key, policies: put.cores.map(put.policies(call)), tokens: [] };
}

/** Takes the tokens of all puts. When one fails, what the others got is given back. */
async function beginPuts(
  puts: readonly PendingPut[],
  budget: CallBudget | undefined,
): Promise<readonly PendingPut[]> {
  if (puts.length === 0) return puts;
  const begun = await Promise.allSettled(puts.map((put) => beginPut(put, budget)));
  const failed = begun.find((each) => each.status === 'rejected');
  const pending = begun.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  if (failed === undefined) return pending;
  for (const { put, tokens } of pending) releaseAll(put, tokens);
  throw failed.reason;
}

async function beginPut(planned: PendingPut, budget: CallBudget | undefined): Promise<PendingPut> {
  const { put, key, policies } = planned;
  const tokens = await Promise.all(
    put.cores.map(async (core, index) => {
      if (key === undefined) return core.watch(put.mode, budget);
      const starts = await core.begin([key], put.mode, policies[index]!.hints, budget);
      return starts?.[0]?.token;
    }),
  );
  return { ...planned, tokens };
}

async function applyPut(
  { put, policies, tokens, key: known }: PendingPut,
  call: Invocation,
  result: unknown,
  budget: CallBudget | undefined,
): Promise<void> {
  let key: string;
  try {
    key = known ?? put.keyOfResult(call, result);
  } catch (error) {
    // The method has run, and which entry it made stale is unknown: all of them may be.
    put.core.failCallback('keyOf', error, 'bypass');
    releaseAll(put, tokens);
    await Promise.all(put.cores.map((core) => core.clear(put.mode, budget)));
    return;
  }
  await Promise.all(
    put.cores.map((core, index) =>
      putInto(core, policies[index]!, key, tokens[index], result, budget),
    ),
  );
}

async function putInto(
  cache: CacheCore,
  policy: StorePolicy,
  key: string,
  token: FillToken | undefined,
  result: unknown,
  budget: CallBudget | undefined,
): Promise<void> {
  cache.flights.detach(key);
  let plan: StorePlan | undefined;
  let failure: { readonly error: unknown } | undefined;
  try {
    plan = result === undefined ? undefined : policy.plan(result, new LoadContext());
  } catch (error) {
    failure = { error };
  }
  // Without a token the store is out of reach or switched off.
  if (token !== undefined && plan !== undefined && plan.ttlMs > 0) {
    const write = entryWrite({ cache, key, policy }, plan, { kind: 'put', token }, 0);
    await cache.store([write], policy.mode, budget);
    return;
  }
  if (token !== undefined) cache.release([token]);
  // What is not stored still makes what was there untrue; only a veto leaves it (Spring).
  const isVetoed = result !== undefined && plan === undefined && failure === undefined;
  if (!isVetoed) await cache.delete([key], policy.mode, budget);
  if (failure !== undefined) cache.failCallback('store', failure.error, policy.mode, key);
}

function releaseAll(put: BoundPut, tokens: readonly (FillToken | undefined)[]): void {
  put.cores.forEach((core, index) => {
    const token = tokens[index];
    if (token !== undefined) core.release([token]);
  });
}

async function runEvicts(
  plans: readonly EvictPlan[],
  isEarly: boolean,
  call: Invocation,
  result: unknown,
  budget: CallBudget | undefined,
): Promise<void> {
  const due = plans.filter(({ evict }) => evict.isEarly === isEarly);
  await Promise.all(due.map((plan) => plan.evict.run(plan, call, result, budget)));
}
