import { LatencyHistogram } from '../../../cache/latency-histogram.js';
import type { CacheManager } from '../../../manager/cache-manager.js';
import { countsBody, fitFacts, instanceId, latencyBody } from '../admin-statistics.js';
import { tierFigures } from '../tier-figures.js';
import { ActivityLog } from './activity-log.js';
import { HotKeys } from './hot-keys.js';
import { LargeKeys } from './large-keys.js';

/** How many caches a picture holds: those with the most requests. */
const MAX_CACHES = 40;
const TOP = 10;
/** How often windows turn and the store is asked for facts, in milliseconds. */
const WINDOW_MS = 10_000;
const FACTS_MS = 5_000;

/**
 * Collects what a dashboard shows beyond the counters. It listens to the manager's events only while somebody watches:
 * nobody else pays for it.
 */
export class LiveSampler implements Disposable {
  readonly manager: CacheManager;
  readonly #hot = new HotKeys();
  readonly #large: LargeKeys;
  readonly #activity: ActivityLog;
  readonly #loads = new LatencyHistogram();
  readonly #subscriptions: readonly Disposable[];
  #turnedAt = performance.now();
  #windowMs = 0;
  #factsAt = -Infinity;
  #facts: Readonly<Record<string, string | number>> = {};
  #isBusy = false;
  #isNew = true;

  constructor(manager: CacheManager) {
    this.manager = manager;
    this.#large = new LargeKeys(manager);
    this.#activity = new ActivityLog(manager);
    this.#subscriptions = [
      manager.on('hit', ({ cache, key }) => this.#hot.add(cache, key)),
      manager.on('stale', ({ cache, key }) => this.#hot.add(cache, key)),
      manager.on('miss', ({ cache, key }) => this.#hot.add(cache, key)),
      manager.on('set', ({ cache, key }) => this.#large.add(cache, key)),
      manager.on('load', ({ durationMs }) => this.#loads.record(durationMs)),
    ];
  }

  /** What is known now, as data for JSON; latencies of loads are those since the picture before. */
  picture(): object {
    const { manager } = this;
    const { caches, ...sum } = manager.statistics();
    const { status, errorCode, breaker } = manager.health();
    // Of a store that does not answer, what was true when it did says nothing.
    const facts = status === 'unhealthy' ? {} : this.#facts;
    const now = performance.now();
    const busiest = Object.entries(caches)
      .sort((a, b) => b[1].totalRequests - a[1].totalRequests)
      .slice(0, MAX_CACHES);
    const loads = latencyBody(this.#loads.summary());
    this.#loads.reset();
    if (now - this.#turnedAt >= WINDOW_MS) {
      this.#windowMs = now - this.#turnedAt;
      this.#turnedAt = now;
      this.#hot.turn();
    }
    const watchedMs = Math.max(1, this.#windowMs + now - this.#turnedAt);
    return {
      at: manager.runtime.clock.now(),
      instance: instanceId(),
      uptime_s: Math.floor(process.uptime()),
      backend: manager.backend.name,
      enabled: manager.enabled,
      health: {
        status,
        ...(errorCode !== undefined && { error: errorCode }),
        ...(breaker !== undefined && { breaker }),
      },
      stats: countsBody(sum),
      tiers: tierFigures(sum, facts, manager.backend.capabilities),
      loads,
      caches: busiest.map(([name, each]) => ({ name, ...countsBody(each) })),
      hidden_caches: Object.keys(caches).length - busiest.length,
      hot: this.#hot.top(TOP).map(({ cache, key, reads }) => ({
        cache,
        key,
        per_second: Math.round((reads / watchedMs) * 10_000) / 10,
      })),
      largest: this.#large.top(TOP),
      store: facts,
      activity: this.#activity.entries(),
    };
  }

  /**
   * Asks the store what the next picture needs, once at a time. A store that does not answer is left alone: its calls
   * would count as further errors.
   */
  async refresh(): Promise<void> {
    if (this.#isBusy || !this.manager.enabled) return;
    if (!this.#isNew && this.manager.health().status === 'unhealthy') return;
    this.#isBusy = true;
    try {
      if (this.#isNew) await this.#large.begin();
      this.#isNew = false;
      // A backend of tiers tells them while its shared store is away, too.
      const now = performance.now();
      if (now - this.#factsAt >= FACTS_MS) {
        this.#factsAt = now;
        this.#facts = fitFacts(await this.manager.info());
      }
      if (this.manager.health().breaker !== 'open') await this.#large.measure();
    } catch {
      // The failure is in the activity log, as an event of the manager.
      this.#isNew = false;
    } finally {
      this.#isBusy = false;
    }
  }

  [Symbol.dispose](): void {
    for (const each of [...this.#subscriptions, this.#activity]) each[Symbol.dispose]();
  }
}
