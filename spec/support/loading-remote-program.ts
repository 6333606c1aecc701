import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import type { LoadingNews, LoadingRequest, LoadingSetup } from './loading-remote.js';

/** A process of an application whose loads end when its parent says so. */
const { url, prefix, lease, isTiered } = JSON.parse(process.argv[2]!) as LoadingSetup;
const redis = new RedisBackend({ url, prefix, lease, commandTimeout: '5s' });
const manager = new CacheManager({
  backend: isTiered
    ? new TieredBackend({ l2: redis, bus: new RedisBus({ url, commandTimeout: '5s' }) })
    : redis,
  logger: silentLogger,
});
const cache = manager.cache<[key: string], string>('loads', { onError: 'throw' });
let endLoad = (): void => undefined;
let loads = 0;

function tell(news: LoadingNews): void {
  process.send!(news);
}

async function read(key: string, callers: number): Promise<void> {
  loads = 0;
  const load = async (): Promise<string> => {
    loads++;
    const ended = new Promise<void>((resolve) => (endLoad = resolve));
    tell({ type: 'loading' });
    await ended;
    return `of ${process.pid}`;
  };
  const values = await Promise.all(
    Array.from({ length: callers }, () => cache.getOrSet(key, load, { sync: 'cluster' })),
  );
  tell({ type: 'done', values: [...new Set(values)], loads });
}

process.on('message', (request: LoadingRequest) => {
  if (request.action === 'finish') endLoad();
  else void read(request.key, request.callers);
});
await cache.getOrSet(`warm ${process.pid}`, async () => 'warm', { sync: 'cluster' });
tell({ type: 'ready' });
