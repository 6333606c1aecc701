/* One process of `coherence.bench.ts`: a manager with both tiers, which evicts, or notes when evictions arrive. */
import { CacheManager, TieredBackend, type BusContext, type CacheBus } from 'cachewell';
import { RedisBackend, RedisBus } from 'cachewell/redis';
import { hostMicroseconds, serveTasks } from '../support/workers.js';

const [url] = process.argv.slice(2);

/** Notes how long ago the keys of a message were evicted, once the process' own tier has dropped them. */
class TimedBus extends RedisBus {
  readonly delaysUs: number[] = [];

  override attach(context: BusContext): void {
    super.attach({
      ...context,
      receive: (message) => {
        context.receive(message);
        const now = hostMicroseconds();
        for (const [, issuedAt] of message.matchAll(/at-(\d+)/g))
          this.delaysUs.push(now - Number(issuedAt));
      },
    });
  }
}

const bus = new TimedBus({ url: url! });
const backend: CacheBus = bus;
const manager = new CacheManager({
  backend: new TieredBackend({ l2: new RedisBackend({ url: url! }), bus: backend }),
});
const cache = manager.cache<[key: string], number>('coherence');

serveTasks({
  connect: async () => {
    await cache.set('first', 1);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  },
  /** Evicts so many keys a second, one call each. */
  evict: async ({
    perSecond,
    seconds,
  }: {
    readonly perSecond: number;
    readonly seconds: number;
  }) => {
    const stepMs = 10;
    const perStep = (perSecond * stepMs) / 1000;
    const startedAt = performance.now();
    const calls: Promise<unknown>[] = [];
    let due = 0;
    let sent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const elapsed = performance.now() - startedAt;
        due = Math.min((elapsed / stepMs) * perStep, perSecond * seconds);
        for (; sent < due; sent++) calls.push(cache.delete(`at-${hostMicroseconds()}`));
        if (sent < perSecond * seconds) return;
        clearInterval(timer);
        resolve();
      }, stepMs);
    });
    await Promise.all(calls);
    return sent;
  },
  delays: async () => bus.delaysUs,
  statistics: async () => manager.statistics(),
  close: () => manager.close(),
});
