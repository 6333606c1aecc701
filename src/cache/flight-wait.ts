import type { CacheCore } from './cache-core.js';
import type { RunOptions } from './fill-options.js';
import type { Flight, FlightResult } from './flight-table.js';
import { currentScope } from './load-context.js';
import type { LoadWaiters } from './load-waiters.js';

/** Work that callers wait for. */
interface Waited<Result> {
  readonly waiters: LoadWaiters;
  readonly promise: Promise<Result>;
}

/** Whether the flight waits, at once or through others, for the load within which this is asked. */
export function isCircular(flight: Flight): boolean {
  const own = currentScope();
  return own !== undefined && flight.scope.waitsFor(own);
}

/** Waits for a flight, so that others see who waits. A caller without a signal keeps the flight alive. */
export function waitFor(flight: Flight, signal?: AbortSignal): Promise<FlightResult> {
  const landed = signal === undefined ? pinned(flight) : leavable(flight, signal);
  return currentScope()?.await(landed, flight.scope) ?? landed;
}

/** Waits whatever happens. */
export function pinned<Result>({ waiters, promise }: Waited<Result>): Promise<Result> {
  waiters.pin();
  return promise;
}

/** Waits until the caller has had enough. */
export function leavable<Result>(
  { waiters, promise }: Waited<Result>,
  signal: AbortSignal,
): Promise<Result> {
  waiters.enter();
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      waiters.leave(signal.reason);
      reject(signal.reason as Error);
    };
    if (signal.aborted) {
      leave();
      return;
    }
    signal.addEventListener('abort', leave, { once: true });
    promise
      .finally(() => signal.removeEventListener('abort', leave))
      .then(resolve, (error: unknown) => reject(error as Error));
  });
}

/**
 * Whether a caller who arrived at a place in the order may take the result of a flight that it joined: because the
 * load began after that, or because no invalidation that was acknowledged before can have been missed. An error is
 * judged like a value: what the load threw may be just what the invalidation has changed.
 */
export function accepts(
  result: FlightResult,
  arrivedAt: number,
  cache: CacheCore,
  { isRefresh, endsUnshared }: RunOptions,
): boolean {
  const { outcome, isUnshared, loadedAt, confirmedAt } = result;
  // What is not shared shows nothing to anybody.
  if (outcome === 'unusable') return isUnshared === true && endsUnshared === true;
  if (arrivedAt < loadedAt) return true;
  if (isRefresh) return false;
  // Invalidations of this process by key have detached the flight, and those by tag are noted. Where the store is not
  // shared there are no others.
  const begunAt = outcome === 'found' ? confirmedAt : loadedAt;
  const isSure = !cache.runtime.isShared && cache.flights.doubtedAt < begunAt;
  switch (outcome) {
    case 'stored':
    case 'found':
      return isSure || arrivedAt < confirmedAt;
    // A store that fails this process may have acknowledged invalidations to others.
    case 'unavailable':
    case 'skipped':
    case 'absent':
    case 'rejected':
      return isSure;
    default:
      return false;
  }
}
