import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import type { BlackHole } from './black-hole.js';
import type { RedisServer } from './redis-server.js';

/** Where the cache of an application lies. */
export const SETUPS: Readonly<Record<string, (url: string) => CacheBackend>> = {
  Redis: (url) => new RedisBackend({ url, connectTimeout: '500ms' }),
  'two tiers': (url) =>
    new TieredBackend({
      l2: new RedisBackend({ url, connectTimeout: '500ms' }),
      bus: new RedisBus({ url, connectTimeout: '500ms' }),
    }),
};

/** A way for Redis to fail. `end` makes it work again. */
export interface Fault {
  readonly name: string;
  begin(server: RedisServer, hole: BlackHole): Promise<void>;
  end(server: RedisServer, hole: BlackHole): Promise<void>;
  /** Whether calls cost nothing while it lasts, because the breaker is open. */
  readonly isOutOfReach: boolean;
  /** Whether an eviction alone gets through, so that there is nothing to keep. */
  readonly takesEvictions: boolean;
  /** Whether reads go on, and nobody gets a lease. */
  readonly refusesLeases?: boolean;
}

export const FAULTS: readonly Fault[] = [
  {
    name: 'is frozen',
    begin: async (server) => server.freeze(),
    end: async (server) => server.thaw(),
    isOutOfReach: true,
    takesEvictions: false,
  },
  {
    name: 'is behind a black hole',
    begin: async (_server, hole) => hole.swallow(),
    end: async (_server, hole) => hole.letThrough(),
    isOutOfReach: true,
    takesEvictions: false,
  },
  {
    name: 'is killed and starts again empty',
    begin: (server) => server.stop(),
    end: (server) => server.start(),
    isOutOfReach: true,
    takesEvictions: false,
  },
  {
    name: 'takes 200 ms for every answer',
    begin: async (_server, hole) => hole.delay(200),
    end: async (_server, hole) => hole.delay(0),
    isOutOfReach: false,
    takesEvictions: true,
  },
  {
    name: 'is a read-only replica',
    begin: (server) => command(server, 'REPLICAOF', '127.0.0.1', '1'),
    end: (server) => command(server, 'REPLICAOF', 'NO', 'ONE'),
    refusesLeases: true,
    isOutOfReach: false,
    takesEvictions: false,
  },
  {
    name: 'is full',
    begin: (server) => command(server, 'CONFIG', 'SET', 'maxmemory', '1'),
    end: (server) => command(server, 'CONFIG', 'SET', 'maxmemory', '0'),
    refusesLeases: true,
    isOutOfReach: false,
    takesEvictions: true,
  },
];

async function command(
  server: RedisServer,
  ...args: readonly [string, ...string[]]
): Promise<void> {
  const client = server.client();
  await client.call(...args);
  client.disconnect();
}
