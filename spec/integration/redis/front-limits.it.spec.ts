import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import { describeFrontLimits } from '../../support/front/limits-suite.js';
import { startRedisServer, type RedisServer } from '../../support/redis-server.js';

describe('on a real server', () => {
  let server: RedisServer;
  let count = 0;

  before(async () => {
    server = await startRedisServer();
  });

  after(() => server.stop());

  // A busy machine must not decide what is counted.
  const redis = (): RedisBackend =>
    new RedisBackend({
      url: server.url,
      prefix: `front-limits-${count++}`,
      commandTimeout: '5s',
    });

  describeFrontLimits('Redis', redis);
  describeFrontLimits('tiers', () => {
    const l2 = redis();
    const bus = new RedisBus({ url: server.url });
    return new TieredBackend({ l1: new MemoryBackend(), l2, bus });
  });
});
