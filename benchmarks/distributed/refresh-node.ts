/* One process of `refresh-ahead.bench.ts`: calls a hot key at a steady rate and counts what its callers saw. */
import { CacheManager, TieredBackend } from 'cachewell';
import { RedisBackend, RedisBus } from 'cachewell/redis';
import { hostMicroseconds, serveTasks } from '../support/workers.js';

interface Load {
  readonly ttlMs: number;
  readonly loadMs: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly sync: 'local' | 'cluster';
  readonly isTiered: boolean;
}

const [url] = process.argv.slice(2);

serveTasks({
  run: async ({ ttlMs, loadMs, perSecond, seconds, sync, isTiered }: Load) => {
    const redis = new RedisBackend({ url: url!, prefix: `${sync}-${String(isTiered)}` });
    await using manager = new CacheManager({
      backend: isTiered
        ? new TieredBackend({ l2: redis, bus: new RedisBus({ url: url! }) })
        : redis,
    });
    const cache = manager.cache<[key: string], number>('hot', {
      ttl: ttlMs,
      refreshAhead: 'xfetch',
      sync,
    });
    /** Begin and end of each load, in microseconds of the host's clock. */
    const loads: (readonly [begin: number, end: number])[] = [];
    let waited = 0;
    let isWarm = false;
    const misses = manager.on('miss', () => {
      if (isWarm) waited++;
    });
    const call = (): Promise<number> =>
      cache.getOrSet('hot', async () => {
        const begin = hostMicroseconds();
        await new Promise((resolve) => setTimeout(resolve, loadMs));
        if (isWarm) loads.push([begin, hostMicroseconds()]);
        return 1;
      });
    await call();
    const calls: Promise<unknown>[] = [];
    const startedAt = performance.now();
    let sent = 0;
    await new Promise<void>((resolve) => {
      const timer = setInterval(() => {
        const elapsedMs = performance.now() - startedAt;
        isWarm ||= elapsedMs > 2 * ttlMs;
        const due = Math.min((elapsedMs / 1000) * perSecond, perSecond * seconds);
        for (; sent < due; sent++) calls.push(call());
        if (elapsedMs < seconds * 1000) return;
        clearInterval(timer);
        resolve();
      }, 1);
    });
    await Promise.all(calls);
    misses[Symbol.dispose]();
    return { calls: sent, loads, misses: waited };
  },
});
