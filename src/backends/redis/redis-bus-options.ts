import { toMilliseconds, type Duration } from '../../duration.js';
import { InvalidOptionError } from '../../errors.js';
import { describeValue, expectOptions, rejectUnknown } from '../../options.js';
import { expectUsableClient } from './redis-client-check.js';
import { endpointOf, type RedisEndpointOptions } from './redis-endpoint-options.js';
import type { RedisLike } from './redis-like.js';
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
const MAX_DELAY_MS = 2 ** 31 - 1;
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
    client: options.client === undefined ? undefined : usableClient(options),
    endpoint: endpointOf(options, OWNER),
    commandTimeoutMs: span(options, 'commandTimeout', 1),
    connectTimeoutMs: span(options, 'connectTimeout', 1),
    keepAliveMs: span(options, 'keepAlive', 0),
  });
}

function usableClient(options: RedisBusOptions): RedisLike {
  for (const name of CLIENT_MAKING) {
    if (options[name] === undefined) continue;
    throw new InvalidOptionError(
      `${OWNER}.${name}`,
      'contradicts client: the client was made with its own settings',
    );
  }
  return expectUsableClient(`${OWNER}.client`, options.client!);
}

function span(
  options: RedisBusOptions,
  name: 'commandTimeout' | 'connectTimeout' | 'keepAlive',
  min: number,
): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const milliseconds = toMilliseconds(value, `${OWNER}.${name}`);
  if (milliseconds >= min && milliseconds <= MAX_DELAY_MS) return milliseconds;
  throw new InvalidOptionError(
    `${OWNER}.${name}`,
    `expected a duration from ${min} to ${MAX_DELAY_MS} ms, got ${describeValue(value)}`,
  );
}
