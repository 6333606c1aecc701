import type { CacheCore } from './cache-core.js';
import type { StoredEntry } from './entry.js';
import type { FillOptions } from './fill-options.js';
import type { FillTarget } from './fill-store.js';
import { fill } from './fill.js';
import { nextOrder } from './flight-table.js';
import type { LoadContext } from './load-context.js';
import { isPending, type MaybePromise } from './maybe-promise.js';
import { readThrough } from './read-through.js';
import type { SetPolicy } from './set-policy.js';
import { isTimed } from './time-settings.js';

/** A key of a cache, and what its caller says about it. */
export interface ReadTarget extends FillTarget {
  readonly policy: SetPolicy;
}

/**
 * The value under a key: what the store has, or what a load gives. At once when the store is in memory: such a hit
 * builds nothing of what a wait or a load needs, so that it costs little more than the lookup.
 *
 * @throws what `fill` rejects with, at once or later
 */
export function readOrLoad(
  target: ReadTarget,
  load: (context: LoadContext) => Promise<unknown>,
  how: FillOptions,
): MaybePromise<unknown> {
  const { cache, key, policy } = target;
  const { mode, hints, times } = policy;
  if (how.isRefresh) return fill([target], load, budgeted(cache, how));
  if (isTimed(times)) {
    const options = budgeted(cache, how);
    return readThrough({ cache, key, mode, hints, times, targets: () => [target], load, options });
  }
  const found = cache.ask(key, mode, hints);
  if (!isPending(found)) {
    const entry = cache.account(key, found);
    return entry === undefined ? fill([target], load, budgeted(cache, how)) : valueOf(entry);
  }
  const options = budgeted(cache, how);
  return cache
    .settle(key, found, mode, options.budget)
    .then((entry) => (entry === undefined ? fill([target], load, options) : valueOf(entry)));
}

/** The options of a call that is going to wait for its store. */
export function budgeted(cache: CacheCore, how: FillOptions): FillOptions {
  return { ...how, budget: cache.startBudget(), arrivedAt: nextOrder() };
}

/** What callers get of an entry: its value, or the error that it keeps. */
function valueOf({ kind, value }: StoredEntry): unknown {
  if (kind === 'error') throw value;
  return value;
}
