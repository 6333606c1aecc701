import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import { accelerate, httpCache, httpInvalidation } from '#internal/express/index.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import type { ConformanceRun } from './conformance-run.js';
import type { SubjectCache } from './conformance-subject.js';

/** The bridge with nothing but a profile: what it does by default is what is tested. */
export async function cachewellOf(
  { profile, backend, isFront }: ConformanceRun,
  redisUrl: string | undefined,
): Promise<SubjectCache> {
  // Runs share a server, and none may see what another one stored.
  const prefix = `conformance-${process.pid}`;
  const manager = new CacheManager({ backend: backendOf(backend, redisUrl, prefix) });
  const faults: string[] = [];
  manager.on('error', ({ operation, key, error }) => {
    faults.push(`${operation} ${key ?? ''}: ${String(error)}`);
  });
  let inFront = 0;
  return {
    faults,
    get inFront() {
      return inFront;
    },
    middlewares: [httpInvalidation({ manager }), httpCache({ manager, profile, front: isFront })],
    accelerate(app) {
      if (!isFront) return app;
      const lane = accelerate((req, res) => {
        inFront--;
        app(req, res);
      });
      return (req, res) => {
        inFront++;
        lane(req, res);
      };
    },
    close: () => manager.close(),
  };
}

function backendOf(
  backend: ConformanceRun['backend'],
  redisUrl: string | undefined,
  prefix: string,
): CacheBackend {
  if (backend === 'memory') return new MemoryBackend();
  if (redisUrl === undefined) throw new Error(`The ${backend} backend needs a Redis server.`);
  const url = redisUrl;
  // A busy machine must not decide what is cached.
  const l2 = new RedisBackend({ url, prefix, commandTimeout: '5s' });
  if (backend === 'redis') return l2;
  return new TieredBackend({ l1: new MemoryBackend(), l2, bus: new RedisBus({ url }) });
}
