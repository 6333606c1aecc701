import type { EntryWrite, FillStart, FillToken, LoadTurn } from './backend.js';
import type { CacheCore } from './cache-core.js';
import type { RunOptions } from './fill-options.js';
import { isTurn, MOST_TURNS, needsLoad, waitForTurns } from './fill-start.js';
import {
  entryWrite,
  loadOutcome,
  planSafely,
  type FillTarget,
  type StorePlan,
  type StorePolicy,
} from './fill-store.js';
import { nextOrder, type FlightResult, type LoadScope } from './flight-table.js';
import { LoadContext, runLoad } from './load-context.js';
import type { LoadWaiters } from './load-waiters.js';
import { emitLoad, foundResult, loaded, NOTHING } from './run-fill.js';

/** Loads the missing keys of a batch; what the map leaves out is absent. `undefined`: the result is unusable. */
export type BatchLoad = (
  missing: readonly string[],
  context: LoadContext,
) => Promise<ReadonlyMap<string, unknown> | undefined>;

/** Keys of one cache that are loaded together. */
export interface Batch {
  readonly cache: CacheCore;
  readonly policy: StorePolicy;
  readonly load: BatchLoad;
  readonly options: RunOptions;
  readonly scope: LoadScope | undefined;
  readonly waiters: LoadWaiters;
}

/** Takes what a key has come to, as soon as it is known. */
type Land = (key: string, result: FlightResult) => void;

/** What the store gave for the keys of a batch. */
interface BatchStart {
  readonly missing: readonly string[];
  readonly tokens: ReadonlyMap<string, FillToken>;
  /** Keys that were there, and have expired. */
  readonly expired: ReadonlySet<string>;
  /** Keys that other processes are loading. */
  readonly turns: ReadonlyMap<string, LoadTurn>;
}

/**
 * Loads keys that nobody else of this process loads. Keys that other processes are loading (`sync: 'cluster'`) are
 * waited for only after the own ones were loaded and stored, so that no two processes wait for each other's batches.
 *
 * Rejects with the load's own error.
 */
export async function runBatch(batch: Batch, keys: readonly string[], land: Land): Promise<void> {
  const { cache, policy, options, waiters } = batch;
  let isClustered = options.isClustered === true;
  let waits = 0;
  for (let wanted = keys; wanted.length > 0;) {
    const start = await beginBatch(batch, wanted, isClustered, land);
    const turns = [...start.turns.values()];
    try {
      if (start.missing.length > 0) await loadBatch(batch, start, land);
    } catch (error) {
      for (const turn of turns) turn.cancel();
      throw error;
    }
    if (turns.length === 0) return;
    wanted = [...start.turns.keys()];
    if (options.isDue !== undefined) {
      for (const turn of turns) turn.cancel();
      for (const key of wanted) land(key, NOTHING);
      return;
    }
    const end = await waitForTurns(turns, waiters, options.budget);
    if (end === 'abandoned') {
      for (const key of wanted) land(key, NOTHING);
      return;
    }
    if (end === 'late' || ++waits === MOST_TURNS) isClustered = false;
    const confirmedAt = nextOrder();
    const again = { ...policy.hints, turns: 'again' } as const;
    const entries = await cache.findMany(wanted, policy.mode, again, options.budget);
    const now = cache.runtime.clock.now();
    wanted = wanted.filter((key, index) => {
      const entry = entries[index];
      if (entry?.kind !== 'value' || needsLoad(entry, now, options)) return true;
      land(key, foundResult(entry, confirmedAt));
      return false;
    });
  }
}

/** Takes the tokens, and lands what is there already. */
async function beginBatch(
  { cache, policy, options }: Batch,
  keys: readonly string[],
  isClustered: boolean,
  land: Land,
): Promise<BatchStart> {
  const { mode, hints } = policy;
  const { budget, isRefresh, isStaleKnown } = options;
  const begunAt = nextOrder();
  const turnHints = { ...hints, isRefresh: isRefresh || isStaleKnown === true };
  const starts: readonly (FillStart | LoadTurn)[] | undefined = isClustered
    ? await cache.beginTurns(keys, mode, turnHints, budget)
    : await cache.begin(keys, mode, hints, budget);
  const tokens = new Map<string, FillToken>();
  const turns = new Map<string, LoadTurn>();
  const expired = new Set<string>();
  if (starts === undefined && options.isDue !== undefined) {
    // What nobody waits for, and nothing can keep, is not worth asking the origin.
    for (const key of keys) land(key, NOTHING);
    return { missing: [], tokens, expired, turns };
  }
  const now = cache.runtime.clock.now();
  const missing = keys.filter((key, index) => {
    const start = starts?.[index];
    if (start === undefined) return true;
    if (isTurn(start)) {
      turns.set(key, start);
      return false;
    }
    const { token, entry } = start;
    if (entry?.kind === 'value' && !needsLoad(entry, now, options)) {
      cache.release([token]);
      land(key, foundResult(entry, begunAt));
      return false;
    }
    if (entry !== undefined && entry.expiresAt <= now) expired.add(key);
    tokens.set(key, token);
    return true;
  });
  return { missing, tokens, expired, turns };
}

async function loadBatch(
  { cache, policy, load, options, scope, waiters }: Batch,
  { missing, tokens, expired }: BatchStart,
  land: Land,
): Promise<void> {
  const context = new LoadContext(undefined, waiters);
  const open = new Map(tokens);
  const release = (): void => {
    const given = [...open.values()];
    open.clear();
    cache.release(given);
  };
  if (waiters.isAbandoned) {
    release();
    for (const key of missing) land(key, NOTHING);
    return;
  }
  const stopListening = waiters.onAbandoned(release);
  const loadedAt = nextOrder();
  const startedAt = performance.now();
  let result: ReadonlyMap<string, unknown> | undefined;
  let costMs: number;
  try {
    result = await runLoad(context, scope, () => load(missing, context));
  } catch (error) {
    release();
    const throttleMs = options.staleThrottleMs ?? 0;
    for (const key of missing) {
      if (tokens.has(key)) cache.retries.note(key, throttleMs);
      const failed = { value: undefined, failure: { error }, outcome: 'rejected' } as const;
      land(key, { ...failed, loadedAt, confirmedAt: 0 });
    }
    throw error;
  } finally {
    stopListening();
    costMs = loaded(cache, startedAt);
  }
  if (result === undefined || waiters.isAbandoned) {
    release();
    for (const key of missing) land(key, { ...NOTHING, loadedAt });
    return;
  }
  const planOf = (target: FillTarget, value: unknown): StorePlan | undefined => {
    try {
      return planSafely(target, (each) => each.plan(value, context));
    } catch (error) {
      release();
      throw error;
    }
  };
  const confirmedAt = nextOrder();
  const results = new Map<string, FlightResult>();
  const writes: EntryWrite[] = [];
  const written: string[] = [];
  const gone: string[] = [];
  for (const key of missing) {
    const target: FillTarget = { cache, key, policy };
    const value = result.get(key);
    const token = tokens.get(key);
    const plan = value === undefined || !context.isStored ? undefined : planOf(target, value);
    const isWritten = plan !== undefined && plan.ttlMs > 0;
    const unwritten = value === undefined ? 'absent' : 'skipped';
    const outcome = isWritten ? 'unavailable' : unwritten;
    results.set(key, { value, outcome, loadedAt, confirmedAt });
    cache.retries.forget(key);
    // What is absent at the origin, or not to be kept, and has expired here, is not to be served as stale any longer.
    const isOutdated = value === undefined ? context.isStored : plan !== undefined && !isWritten;
    if (isOutdated && expired.has(key)) gone.push(key);
    if (token === undefined) continue;
    if (!isWritten) continue;
    writes.push(entryWrite(target, plan, { kind: 'fill', token }, costMs));
    written.push(key);
  }
  for (const key of written) open.delete(key);
  release();
  const outcomes = await cache.store(writes, policy.mode, options.budget);
  outcomes.forEach((outcome, index) => {
    const { key } = writes[index]!;
    results.set(key, { ...results.get(key)!, outcome: loadOutcome(outcome) });
  });
  if (gone.length > 0) await cache.delete(gone, policy.mode, options.budget);
  for (const key of missing) {
    const done = results.get(key)!;
    const { outcome } = done;
    // An absent key was not loaded; nothing can be said of it.
    if (outcome !== 'found' && outcome !== 'absent' && outcome !== 'unusable') {
      emitLoad(cache, key, costMs, outcome);
    }
    land(key, done);
  }
}
