import type { CacheCore } from './cache-core.js';
import type { RunOptions } from './fill-options.js';
import type { StorePolicy } from './fill-store.js';
import { joined } from './fill.js';
import { Flight, LoadScope, nextOrder, type FlightResult } from './flight-table.js';
import { accepts, isCircular, leavable, pinned } from './flight-wait.js';
import { currentScope } from './load-context.js';
import { LoadWaiters } from './load-waiters.js';
import { runBatch, type Batch, type BatchLoad } from './run-batch.js';

/** What became of a key of a batch that was loaded after all. */
type Values = Map<string, unknown>;

/**
 * The values of keys that are missing: one load for all, one store for what was loaded. A key that another call is
 * loading already, alone or in a batch, is waited for instead; the rules of `fill` about late joiners hold for each
 * key. Rejects with the load's own error, and with the reason of the caller's signal.
 */
export async function fillMany(
  cache: CacheCore,
  keys: readonly string[],
  policy: StorePolicy,
  load: BatchLoad,
  options: RunOptions,
): Promise<Values> {
  const values: Values = new Map();
  const { signal } = options;
  signal?.throwIfAborted();
  if (keys.length === 0) return values;
  if (!options.isShared) {
    const waiters = new LoadWaiters();
    const batch = runBatch({ cache, policy, load, options, scope: undefined, waiters }, keys, take);
    await waitForBatch(batch, undefined, waiters, signal);
    return values;
  }
  const { flights } = cache;
  const { arrivedAt = nextOrder() } = options;
  let missing = keys;
  while (missing.length > 0) missing = await loadRound(missing);
  return values;

  function take(key: string, result: FlightResult): void {
    if (result.failure !== undefined) throw result.failure.error;
    if (result.value !== undefined) values.set(key, result.value);
  }

  /** Joins what is under way, loads the rest; gives the keys whose joined load was not confirmed. */
  async function loadRound(wanted: readonly string[]): Promise<readonly string[]> {
    const others: (readonly [string, Flight])[] = [];
    const own: string[] = [];
    for (const key of wanted) {
      const flight = flights.get(key);
      if (flight === undefined || isCircular(flight)) own.push(key);
      else others.push([key, flight]);
    }
    const again: string[] = [];
    const ownLoad = own.length === 0 ? undefined : loadOwn(own);
    const joins = others.map(async ([key, flight]) => {
      const result = await joined(flight, policy, options);
      if (accepts(result, arrivedAt, cache, options)) take(key, result);
      else again.push(key);
    });
    await Promise.all([ownLoad, ...joins]);
    return again;
  }

  /** Loads keys that nobody else loads, in one call, with a flight for each that others may join. */
  async function loadOwn(own: readonly string[]): Promise<void> {
    const scope = new LoadScope();
    const waiters = new LoadWaiters();
    const seats = new Map<string, Flight>();
    // A key whose flight waits for us keeps that flight for others to join, and cannot take turns with it.
    const isCircularBatch = own.some((key) => flights.get(key) !== undefined);
    for (const key of own) {
      if (flights.get(key) !== undefined) continue;
      const seat = new Flight(options.budget, scope, waiters);
      seats.set(key, seat);
      flights.add(key, seat);
    }
    const leave = (): void => {
      for (const [key, seat] of seats) flights.remove(key, seat);
    };
    waiters.onAbandoned(leave);
    const batch: Batch = {
      cache,
      policy,
      load,
      options: isCircularBatch ? { ...options, isClustered: false } : options,
      scope,
      waiters,
    };
    const running = runBatch(batch, own, (key, result) => {
      const seat = seats.get(key);
      if (seat !== undefined) flights.remove(key, seat);
      seat?.land(result);
      // A failure is the whole batch's.
      if (result.failure === undefined) take(key, result);
    });
    running
      .catch((error: unknown) => {
        for (const seat of seats.values()) seat.crash(error);
      })
      .finally(leave);
    await waitForBatch(running, scope, waiters, signal);
  }
}

function waitForBatch(
  promise: Promise<void>,
  scope: LoadScope | undefined,
  waiters: LoadWaiters,
  signal: AbortSignal | undefined,
): Promise<void> {
  const landed =
    signal === undefined ? pinned({ waiters, promise }) : leavable({ waiters, promise }, signal);
  const around = currentScope();
  return scope === undefined || around === undefined ? landed : around.await(landed, scope);
}
