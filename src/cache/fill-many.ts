import type { EntryWrite, FillToken } from './backend.js';
import type { CacheCore } from './cache-core.js';
import {
  accepts,
  entryWrite,
  isCircular,
  loadOutcome,
  planSafely,
  waitFor,
  type FillOptions,
  type FillTarget,
  type StorePolicy,
} from './fill.js';
import { LoadScope, nextOrder, type Flight, type FlightResult } from './flight-table.js';
import { currentScope, LoadContext, runLoad } from './load-context.js';

/** Loads the missing keys of a batch; what the map leaves out is absent. `undefined`: the result is unusable. */
export type BatchLoad = (
  missing: readonly string[],
  context: LoadContext,
) => Promise<ReadonlyMap<string, unknown> | undefined>;

/** One key's place in a batch that is under way. */
interface Seat {
  readonly flight: Flight;
  readonly land: (result: FlightResult) => void;
  readonly crash: (error: unknown) => void;
}

/**
 * The values of many keys: one lookup for all, one load for those that are missing, one store for what was
 * loaded. A key that another call is loading already, alone or in a batch, is waited for instead; the rules of
 * `fill` about late joiners hold for each key. Rejects with the load's own error.
 */
export async function fillMany(
  cache: CacheCore,
  keys: readonly string[],
  policy: StorePolicy,
  load: BatchLoad,
  options: FillOptions,
): Promise<ReadonlyMap<string, unknown>> {
  const values = new Map<string, unknown>();
  let missing = keys;
  if (!options.isRefresh) {
    const entries = await cache.peekMany(keys, policy.mode, policy.hints, options.budget);
    missing = keys.filter((key, index) => {
      const entry = entries[index];
      if (entry?.kind !== 'value') return true;
      values.set(key, entry.value);
      return false;
    });
  }
  if (missing.length === 0) return values;
  if (!options.isShared) {
    for (const [key, { value }] of await loadBatch(cache, missing, policy, load, options)) {
      if (value !== undefined) values.set(key, value);
    }
    return values;
  }
  const arrivedAt = nextOrder();
  while (missing.length > 0) missing = await loadRound(missing);
  return values;

  /** Joins what is under way, loads the rest; gives the keys whose joined load was not confirmed. */
  async function loadRound(wanted: readonly string[]): Promise<readonly string[]> {
    const joined: (readonly [string, Flight])[] = [];
    const own: string[] = [];
    for (const key of wanted) {
      const flight = cache.flights.get(key);
      if (flight === undefined || isCircular(flight)) own.push(key);
      else joined.push([key, flight]);
    }
    const again: string[] = [];
    const ownLoad = own.length === 0 ? undefined : loadBatch(cache, own, policy, load, options);
    const joins = joined.map(async ([key, flight]) => {
      const result = await waitFor(flight);
      if (!accepts(result, arrivedAt, cache, options)) again.push(key);
      else if (result.value !== undefined) values.set(key, result.value);
    });
    const [results] = await Promise.all([ownLoad, ...joins]);
    for (const [key, { value }] of results ?? []) {
      if (value !== undefined) values.set(key, value);
    }
    return again;
  }
}

/** Loads keys that nobody else loads, in one call, with a flight for each that others may join. */
async function loadBatch(
  cache: CacheCore,
  keys: readonly string[],
  policy: StorePolicy,
  load: BatchLoad,
  options: FillOptions,
): Promise<ReadonlyMap<string, FlightResult>> {
  const scope = options.isShared ? new LoadScope() : undefined;
  const seats = new Map<string, Seat>();
  for (const key of keys) {
    // A key whose flight waits for us keeps that flight for others to join.
    if (scope === undefined || cache.flights.get(key) !== undefined) continue;
    const seat = takeSeat(scope);
    seats.set(key, seat);
    cache.flights.add(key, seat.flight);
  }
  const batch = runBatch(cache, keys, policy, load, options, scope);
  try {
    const around = currentScope();
    const results = await (scope === undefined || around === undefined
      ? batch
      : around.await(batch, scope));
    for (const [key, seat] of seats) seat.land(results.get(key)!);
    return results;
  } catch (error) {
    for (const seat of seats.values()) seat.crash(error);
    throw error;
  } finally {
    for (const [key, seat] of seats) cache.flights.remove(key, seat.flight);
  }
}

function takeSeat(scope: LoadScope): Seat {
  let land!: Seat['land'];
  let crash!: Seat['crash'];
  const promise = new Promise<FlightResult>((resolve, reject) => {
    land = resolve;
    crash = reject;
  });
  // The batch's own caller gets the error; a seat that nobody joined must not count as unhandled.
  promise.catch(() => undefined);
  return { flight: { scope, promise }, land, crash };
}

async function runBatch(
  cache: CacheCore,
  keys: readonly string[],
  policy: StorePolicy,
  load: BatchLoad,
  options: FillOptions,
  scope: LoadScope | undefined,
): Promise<ReadonlyMap<string, FlightResult>> {
  const results = new Map<string, FlightResult>();
  const tokens = new Map<string, FillToken>();
  const begunAt = nextOrder();
  const starts = await cache.begin(keys, policy.mode, policy.hints, options.budget);
  starts?.forEach(({ token, entry }, index) => {
    const key = keys[index]!;
    if (entry?.kind === 'value' && !options.isRefresh) {
      results.set(key, { value: entry.value, outcome: 'found', loadedAt: 0, confirmedAt: begunAt });
      cache.release([token]);
    } else tokens.set(key, token);
  });
  const missing = keys.filter((key) => !results.has(key));
  if (missing.length === 0) return results;
  const context = new LoadContext();
  const loadedAt = nextOrder();
  const startedAt = performance.now();
  let loaded: ReadonlyMap<string, unknown> | undefined;
  try {
    loaded = await runLoad(context, scope, () => load(missing, context));
  } catch (error) {
    cache.release([...tokens.values()]);
    throw error;
  } finally {
    cache.counter.loads++;
    cache.counter.load.record(performance.now() - startedAt);
  }
  if (loaded === undefined) {
    cache.release([...tokens.values()]);
    for (const key of missing) {
      results.set(key, { value: undefined, outcome: 'unusable', loadedAt, confirmedAt: 0 });
    }
    return results;
  }
  const costMs = performance.now() - startedAt;
  const confirmedAt = nextOrder();
  const writes: EntryWrite[] = [];
  for (const key of missing) {
    const target: FillTarget = { cache, key, policy };
    const value = loaded.get(key);
    const token = tokens.get(key);
    const plan =
      value === undefined || !context.isStored
        ? undefined
        : planSafely(target, (each) => each.plan(value, context));
    const isWritten = plan !== undefined && plan.ttlMs > 0;
    const unwritten = value === undefined ? 'absent' : 'skipped';
    const outcome = isWritten ? 'unavailable' : unwritten;
    results.set(key, { value, outcome, loadedAt, confirmedAt });
    if (token === undefined) continue;
    if (isWritten) writes.push(entryWrite(target, plan, { kind: 'fill', token }, costMs));
    else cache.release([token]);
  }
  const outcomes = await cache.store(writes, policy.mode, options.budget);
  outcomes.forEach((outcome, index) => {
    const { key } = writes[index]!;
    results.set(key, { ...results.get(key)!, outcome: loadOutcome(outcome) });
  });
  const { events } = cache.runtime;
  if (events.has('load')) {
    for (const key of missing) {
      const { outcome } = results.get(key)!;
      if (outcome === 'found' || outcome === 'absent' || outcome === 'unusable') continue;
      events.emit('load', { cache: cache.name, key, durationMs: costMs, outcome });
    }
  }
  return results;
}
