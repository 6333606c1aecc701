import { InvalidOptionError } from '../errors.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { loadExpressRateLimit, type RateLimitStoreLike } from './rate-limit-peers.js';

/** What tells the counters of one limiter from those of others. */
export interface Quota {
  readonly name: string;
  readonly limit: number;
  readonly windowMs: number;
}

/** The counters of one name on one manager. */
export interface NamedCounters {
  /** Those of this process. */
  local(): RateLimitStoreLike;
}

/**
 * By manager, since the same application may be built again for another one. What belongs to a closed manager is void: nobody
 * counts there any more.
 */
const countersOf = new WeakMap<CacheManager, Map<string, LimiterCounters>>();

/**
 * Takes part in the counters of a name.
 *
 * Limiters of one name and rate count together, in one process as among the processes on one Redis: that is how an application
 * that is built twice finds its counters. As two routes may have come to it by accident, it is told once.
 *
 * @throws {@link InvalidOptionError} when the manager has the name with another rate: its counts mean something else
 */
export function joinCounters(manager: CacheManager, quota: Quota): NamedCounters {
  const { name, limit, windowMs } = quota;
  const isNew = manager.isClosed || !countersOf.has(manager);
  const names = isNew ? new Map<string, LimiterCounters>() : countersOf.get(manager)!;
  if (isNew) countersOf.set(manager, names);
  const present = names.get(name);
  if (present === undefined) {
    const counters = new LimiterCounters(quota);
    names.set(name, counters);
    return counters;
  }
  if (present.quota.limit !== limit || present.quota.windowMs !== windowMs) {
    throw new InvalidOptionError(
      'rateLimit.name',
      `there is a limiter '${name}' with another rate already, and both would count on the same counters; give one of them another name`,
    );
  }
  if (present.isFirstRepeat()) {
    manager.runtime.logger?.warn(
      `rateLimit: there are several limiters '${name}', which count together; give them names of their own where that is not meant.`,
      { limiter: name },
    );
  }
  return present;
}

class LimiterCounters implements NamedCounters {
  readonly quota: Quota;
  #local: RateLimitStoreLike | undefined;
  #isRepeated = false;

  constructor(quota: Quota) {
    this.quota = quota;
  }

  local(): RateLimitStoreLike {
    if (this.#local === undefined) {
      this.#local = new (loadExpressRateLimit().MemoryStore)();
      void this.#local.init?.({ windowMs: this.quota.windowMs });
    }
    return this.#local;
  }

  isFirstRepeat(): boolean {
    const isFirst = !this.#isRepeated;
    this.#isRepeated = true;
    return isFirst;
  }
}
