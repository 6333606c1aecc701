import type { FillOptions } from './fill-options.js';
import type { FillTarget } from './fill-store.js';
import { reportLater } from './fill.js';
import type { Flight, FlightResult } from './flight-table.js';
import type { DueCheck } from './freshness.js';
import type { LoadContext } from './load-context.js';
import { runFill } from './run-fill.js';

/** How a load is done that nobody waits for. */
export interface FillBehindOptions extends Pick<
  FillOptions,
  'isClustered' | 'isUntracked' | 'staleThrottleMs'
> {
  /** Whether the entry that is there when the load begins still needs it. */
  readonly isDue: DueCheck;
}

/**
 * Loads a value in the background and stores it in all targets, unless the first target's key is being loaded, or has
 * failed a short while ago. What is invalidated meanwhile, by whomever, makes the store refuse the result, like that of
 * any load. A failure is reported once, and holds the key back for `staleThrottleMs`.
 *
 * @returns a promise for those who have to know when the load has ended
 */
export function fillBehind(
  targets: readonly FillTarget[],
  load: (context: LoadContext) => Promise<unknown>,
  { isClustered, isUntracked, staleThrottleMs, isDue }: FillBehindOptions,
): Promise<unknown> | undefined {
  const { cache, key } = targets[0]!;
  const { flights } = cache;
  if (flights.get(key) !== undefined || cache.retries.holds(key)) return undefined;
  const options = {
    isShared: true,
    isClustered,
    isUntracked,
    isRefresh: true,
    isDue,
    staleThrottleMs,
    budget: cache.startBudget(),
  };
  const run = (own: Flight): Promise<FlightResult> => {
    own.waiters.pin();
    return runFill(targets, load, options, own, own.scope);
  };
  const flight = flights.launch(key, run, options.budget);
  reportLater(targets[0]!, flight.promise);
  return flight.promise;
}
