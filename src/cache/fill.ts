import { LoadTimeoutError } from '../errors.js';
import type { FillOptions, RunOptions } from './fill-options.js';
import type { FillTarget, StorePolicy } from './fill-store.js';
import { Flight, nextOrder, type FlightResult } from './flight-table.js';
import { accepts, isCircular, leavable, pinned, waitFor } from './flight-wait.js';
import type { LoadContext } from './load-context.js';
import { NOTHING, runFill } from './run-fill.js';
import { waitWithin } from './wait-within.js';

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

/**
 * Loads a value and stores it in all targets; concurrent callers of the first target's key wait for one load.
 *
 * Rejects with the load's own error, the same for all who wait for it, with {@link LoadTimeoutError} when the caller has
 * waited long enough, and with the reason of the caller's signal. What becomes of the store never changes the result,
 * unless a target's mode is `'throw'`.
 */
export async function fill(
  targets: readonly FillTarget[],
  load: (context: LoadContext) => Promise<unknown>,
  options: FillOptions,
): Promise<unknown> {
  const { hardTimeoutMs = Infinity, signal } = options;
  if (hardTimeoutMs === Infinity) return valueOf(await fillResult(targets, load, options));
  const result = await waitWithin(
    (relayed) => fillResult(targets, load, { ...options, signal: relayed }),
    { signal, softMs: Infinity, hardMs: hardTimeoutMs },
    {
      timeout: () => loadTimeout(targets[0]!, hardTimeoutMs),
      abandon: (work) => reportLater(targets[0]!, work),
    },
  );
  return valueOf(result);
}

/** The same without a limit on the time, with what became of the value in the first target; a failure is part of it. */
export async function fillResult(
  targets: readonly FillTarget[],
  load: (context: LoadContext) => Promise<unknown>,
  options: RunOptions,
): Promise<FlightResult> {
  const { cache, key } = targets[0]!;
  const { signal } = options;
  signal?.throwIfAborted();
  const { flights } = cache;
  if (!options.isShared) return runAlone(targets, load, options);
  const { arrivedAt = nextOrder() } = options;
  for (;;) {
    const current = flights.get(key);
    if (current === undefined) {
      const run = (own: Flight): Promise<FlightResult> =>
        runFill(targets, load, options, own, own.scope);
      const flight = flights.launch(key, run, options.budget);
      return waitFor(flight, signal);
    }
    // Whoever waits for this very load cannot take turns with it either.
    if (isCircular(current)) return runAlone(targets, load, { ...options, isClustered: false });
    const result = await joined(current, targets[0]!.policy, options);
    // A batch without the key says less than a load of that key alone would, which may throw or give null.
    if (result.outcome !== 'absent' && accepts(result, arrivedAt, cache, options)) {
      return result;
    }
  }
}

/**
 * Waits for somebody else's load, and for the store as long as its own budget allows. Its caller may want to know when
 * the cache fails; ours may not.
 */
export async function joined(
  flight: Flight,
  { mode }: StorePolicy,
  { signal, budget }: RunOptions,
): Promise<FlightResult> {
  const leave = budget === undefined ? undefined : flight.budget?.join(budget);
  try {
    return await waitFor(flight, signal);
  } catch (error) {
    if (mode === 'throw' || signal?.aborted === true) throw error;
    return NOTHING;
  } finally {
    leave?.();
  }
}

/** The value of a result. @throws what the load rejected with */
export function valueOf({ value, failure }: FlightResult): unknown {
  if (failure !== undefined) throw failure.error;
  return value;
}

/** What a caller is told that has waited long enough. */
export function loadTimeout({ cache, key }: FillTarget, timeoutMs: number): LoadTimeoutError {
  const shown = key.length > 80 ? `${key.slice(0, 80)}…` : key;
  return new LoadTimeoutError(`The load of '${shown}' in cache '${cache.name}'`, timeoutMs);
}

/** Reports the failure of a load that nobody waits for any more. */
export function reportLater({ cache, key }: FillTarget, work: Promise<FlightResult>): void {
  work.then(
    ({ failure }) => {
      if (failure !== undefined) cache.reportLoad(key, failure.error);
    },
    // A failure of the cache itself was reported where it happened.
    () => undefined,
  );
}

function runAlone(
  targets: readonly FillTarget[],
  load: (context: LoadContext) => Promise<unknown>,
  options: RunOptions,
): Promise<FlightResult> {
  const flight = new Flight(options.budget);
  flight.follow(runFill(targets, load, options, flight, undefined));
  return options.signal === undefined ? pinned(flight) : leavable(flight, options.signal);
}
