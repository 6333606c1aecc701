import type { Duration } from '../../duration.js';
import { expectOptions, rejectUnknown } from '../../options.js';
import { endpointOf, type RedisEndpointOptions } from './redis-endpoint-options.js';
import type { RedisLike } from './redis-like.js';
import { spanOf, usableClient } from './redis-option-checks.js';
import { resolveRedisBackendOptions, type ResolvedRedisBackendOptions } from './redis-options.js';

/**
 * How a `RedisBus` reaches Redis. One of `client`, `url`, `host`, `sentinel` or `cluster` says where Redis is; without any it is
 * found as a `RedisBackend` finds it. All processes whose caches belong together need the same Redis and the same
 * prefix, which the bus takes from the backend that it serves.
 */
export interface RedisBusOptions extends RedisEndpointOptions {
  /**
   * An ioredis client of yours. Messages are published on it; to receive them the bus makes a connection with the same
   * settings, which it closes itself.
   */
  readonly client?: RedisLike | undefined;
  /** The most that publishing a message may take, whatever the settings of the client. @defaultValue '250ms' */
  readonly commandTimeout?: Duration | undefined;
  /** How long opening a connection may take before the next attempt. @defaultValue '2s' */
  readonly connectTimeout?: Duration | undefined;
  /** Silence before TCP keep-alive probes; 0 = the system's own delay. @defaultValue '30s' */
  readonly keepAlive?: Duration | undefined;
}

const OWNER = 'RedisBus';
/** Options that say how to make a client, so they contradict a client that is there. */
const CLIENT_MAKING = [
  'url',
  'host',
  'port',
  'sentinel',
  'cluster',
  'username',
  'password',
  'db',
  'tls',
  'connectTimeout',
  'keepAlive',
] as const;

/**
 * Checks and completes options, as those of a backend that is only to be found.
 *
 * @throws {@link InvalidOptionError} for an unknown, wrong or contradictory option
 */
export function resolveRedisBusOptions(options: RedisBusOptions): ResolvedRedisBackendOptions {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, [...CLIENT_MAKING, 'client', 'commandTimeout']);
  return Object.freeze({
    ...resolveRedisBackendOptions({}),
    client: options.client === undefined ? undefined : usableClient(OWNER, options, CLIENT_MAKING),
    endpoint: endpointOf(options, OWNER),
    commandTimeoutMs: spanOf(OWNER, options, 'commandTimeout', 1),
    connectTimeoutMs: spanOf(OWNER, options, 'connectTimeout', 1),
    keepAliveMs: spanOf(OWNER, options, 'keepAlive', 0),
  });
}
