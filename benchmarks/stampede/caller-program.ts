import { setTimeout as delay } from 'node:timers/promises';
import { CacheManager, silentLogger, TieredBackend } from 'cachewell';
import { RedisBackend, RedisBus } from 'cachewell/redis';
import type { CallerAnswer, CallerOrder, CallerSetup } from './caller-messages.js';

// One of the processes of the stampede: many callers who want one cold key at once, of a cache with `sync: 'cluster'`.
const { port, prefix, lease, loadMs, isTiered } = JSON.parse(process.argv[2]!) as CallerSetup;
const endpoint = { host: '127.0.0.1', port, commandTimeout: '5s' } as const;
const redis = new RedisBackend({ ...endpoint, prefix, lease });
const manager = new CacheManager({
  backend: isTiered ? new TieredBackend({ l2: redis, bus: new RedisBus(endpoint) }) : redis,
  logger: silentLogger,
});
const cache = manager.cache<[key: string], string>('stampede', { ttl: '1m' });
let loads = 0;

function tell(answer: CallerAnswer): void {
  process.send!(answer);
}

async function load(key: string): Promise<string> {
  loads++;
  tell({ type: 'loading' });
  await delay(loadMs);
  return `value of ${key}`;
}

async function run({ key, callers }: CallerOrder): Promise<void> {
  loads = 0;
  const startedAt = performance.now();
  const answers = await Promise.allSettled(
    Array.from({ length: callers }, () =>
      cache.getOrSet(key, () => load(key), { sync: 'cluster', onError: 'throw' }),
    ),
  );
  const wrong = answers.filter(
    (answer) => answer.status === 'rejected' || answer.value !== `value of ${key}`,
  ).length;
  tell({ type: 'done', loads, wrong, tookMs: performance.now() - startedAt });
}

process.on('message', (order: CallerOrder) => void run(order));
process.on('disconnect', () => void manager.close({ timeout: 1000 }));
// So that the first trial finds scripts and subscription as the others do.
await cache.getOrSet(`warm ${process.pid}`, async () => 'warm', { sync: 'cluster' });
tell({ type: 'ready' });
