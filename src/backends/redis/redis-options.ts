import type { Duration } from '../../duration.js';
import {
  expectInteger,
  expectOneOf,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../../options.js';
import { endpointOf, type RedisEndpointOptions } from './redis-endpoint-options.js';
import type { RedisEndpoint } from './redis-endpoint.js';
import type { RedisLike } from './redis-like.js';
import { spanOf, usableClient } from './redis-option-checks.js';
import { resolveWait, type RedisWaitOptions, type ResolvedRedisWait } from './redis-wait.js';

/**
 * How a `RedisBackend` reaches Redis and what it may cost.
 *
 * One of `client`, `url`, `host`, `sentinel` or `cluster` says where Redis is. Without any, the backend takes a registered
 * `RedisClient`, else registered `RedisSettings`, else the environment variable `REDIS_URL`, else
 * `redis://localhost:6379`.
 */
export interface RedisBackendOptions extends RedisEndpointOptions {
  /**
   * An ioredis client of yours, a `Redis` or a `Cluster`. The backend adds no commands to it and never closes it. A client with `keyPrefix`,
   * or one that reads from replicas, is refused: keys are prefixed here, and a replica may answer with what was
   * invalidated already.
   */
  readonly client?: RedisLike | undefined;
  /**
   * The first part of every key. Two applications on one database need two prefixes, neither of which continues
   * the other after a colon (`shop` and `shop:eu` would).
   *
   * @defaultValue 'cache'
   */
  readonly prefix?: string | undefined;
  /**
   * The most that one call may wait for Redis, over all its steps, whatever the settings of the client. Calls that
   * walk over keys (`deletePattern`) may wait this long for each page.
   *
   * @defaultValue '250ms'
   */
  readonly commandTimeout?: Duration | undefined;
  /** `lazy`: connects at the first call. `eager`: when the manager takes the backend. @defaultValue 'lazy' */
  readonly connect?: 'lazy' | 'eager' | undefined;
  /** How long opening a connection may take before the next attempt. @defaultValue '2s' */
  readonly connectTimeout?: Duration | undefined;
  /**
   * How long a socket may owe an answer before the client itself gives it up. Costs a timer per command; without it
   * the backend finds dead sockets by probing. @defaultValue none
   */
  readonly socketTimeout?: Duration | undefined;
  /** Silence before TCP keep-alive probes; 0 = the system's own delay. @defaultValue '30s' */
  readonly keepAlive?: Duration | undefined;
  /** Time between health checks; 0 turns them off. @defaultValue '30s' */
  readonly healthCheckInterval?: Duration | undefined;
  /**
   * Upper bound of connections, 1 to 1000. Commands are multiplexed over one: Redis executes them one by one, and
   * only one connection keeps a process' writes and invalidations in their order. More are opened where a feature
   * needs a connection of its own, such as a subscription.
   *
   * @defaultValue 50
   */
  readonly maxConnections?: number | undefined;
  /**
   * How long a load may take for its value to be stored. A later one still reaches its caller, but is not cached:
   * Redis has forgotten the token by then. @defaultValue '60s'
   */
  readonly fillTimeout?: Duration | undefined;
  /**
   * How long a process that loads a key for all (`sync: 'cluster'`) has it to itself without a sign of life, 100 ms to
   * 1 minute. It gives that sign three times as often while it loads, for up to `fillTimeout`; when it dies, another
   * process takes over at the end of this time. @defaultValue '2s'
   */
  readonly lease?: Duration | undefined;
  /** The largest entry that is stored, in bytes, after compression. @defaultValue 16_777_216 */
  readonly maxPayloadBytes?: number | undefined;
  /**
   * Whether invalidations, puts and sets wait for replicas, so that a fail-over cannot lose them. One that too few
   * confirm fails, although the master has it. Calls of this process behind it wait too. @defaultValue none
   */
  readonly wait?: RedisWaitOptions | undefined;
}

/** {@link RedisBackendOptions}, checked and complete. */
export interface ResolvedRedisBackendOptions {
  readonly client: RedisLike | undefined;
  /** Absent: to be found by the container, the environment, or the default. */
  readonly endpoint: RedisEndpoint | undefined;
  readonly prefix: string;
  /** The times and bounds that were given; settings from a container fill the others. */
  readonly commandTimeoutMs: number | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly socketTimeoutMs: number | undefined;
  readonly keepAliveMs: number | undefined;
  readonly healthCheckIntervalMs: number | undefined;
  readonly maxConnections: number | undefined;
  readonly connect: 'lazy' | 'eager';
  readonly fillTimeoutMs: number;
  readonly leaseMs: number;
  readonly maxPayloadBytes: number;
  readonly wait: ResolvedRedisWait | undefined;
}

/** What holds where neither options nor settings say otherwise. */
export const DEFAULT_REDIS_TIMES: Readonly<
  Record<
    | 'commandTimeoutMs'
    | 'connectTimeoutMs'
    | 'keepAliveMs'
    | 'healthCheckIntervalMs'
    | 'maxConnections',
    number
  >
> = Object.freeze({
  commandTimeoutMs: 250,
  connectTimeoutMs: 2000,
  keepAliveMs: 30_000,
  healthCheckIntervalMs: 30_000,
  maxConnections: 50,
});

const OWNER = 'RedisBackend';
const MAX_FRAME_BYTES = 512 * 1024 * 1024;
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
  'socketTimeout',
  'keepAlive',
] as const;
const KNOWN = [
  ...CLIENT_MAKING,
  'client',
  'prefix',
  'commandTimeout',
  'connect',
  'healthCheckInterval',
  'maxConnections',
  'fillTimeout',
  'lease',
  'maxPayloadBytes',
  'wait',
] as const;

/**
 * Checks and completes options.
 *
 * @throws {@link InvalidOptionError} for an unknown, wrong or contradictory option
 */
export function resolveRedisBackendOptions(
  options: RedisBackendOptions,
): ResolvedRedisBackendOptions {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, KNOWN);
  return Object.freeze({
    client: options.client === undefined ? undefined : usableClient(OWNER, options, CLIENT_MAKING),
    endpoint: endpointOf(options),
    prefix: expectText(`${OWNER}.prefix`, options.prefix ?? 'cache'),
    commandTimeoutMs: spanOf(OWNER, options, 'commandTimeout', 1),
    connectTimeoutMs: spanOf(OWNER, options, 'connectTimeout', 1),
    socketTimeoutMs: spanOf(OWNER, options, 'socketTimeout', 1),
    keepAliveMs: spanOf(OWNER, options, 'keepAlive', 0),
    healthCheckIntervalMs: spanOf(OWNER, options, 'healthCheckInterval', 0),
    maxConnections:
      options.maxConnections === undefined
        ? undefined
        : expectInteger(`${OWNER}.maxConnections`, options.maxConnections, 1, 1000),
    connect: expectOneOf(`${OWNER}.connect`, options.connect ?? 'lazy', ['lazy', 'eager']),
    fillTimeoutMs: spanOf(OWNER, options, 'fillTimeout', 1) ?? 60_000,
    leaseMs: spanOf(OWNER, options, 'lease', 100, 60_000) ?? 2000,
    maxPayloadBytes: expectInteger(
      `${OWNER}.maxPayloadBytes`,
      options.maxPayloadBytes ?? 16 * 1024 * 1024,
      1,
      MAX_FRAME_BYTES,
    ),
    wait: options.wait === undefined ? undefined : resolveWait(`${OWNER}.wait`, options.wait),
  });
}
