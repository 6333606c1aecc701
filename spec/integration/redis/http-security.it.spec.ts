import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import { describeHttpSecurity } from '../../support/http-security-suite.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';

describe('on a real server', () => {
  let server: RedisServer;
  let count = 0;

  before(async () => {
    server = await startRedisServer();
  });

  after(() => server.stop());

  /** Patient enough for a busy machine: who may not wait for Redis any longer runs its own handler. */
  const redis = (): RedisBackend =>
    new RedisBackend({ url: server.url, prefix: `sec-${count++}`, commandTimeout: '5s' });

  describeHttpSecurity('on Redis', redis);
  describeHttpSecurity('on tiers', () => {
    const l2 = redis();
    return new TieredBackend({
      l1: new MemoryBackend(),
      l2,
      bus: new RedisBus({ url: server.url }),
    });
  });
});
