import { MissingPeerError } from '../../errors.js';
import type { RedisEndpoint, RedisNode } from './redis-endpoint.js';
import type { RedisLike } from './redis-like.js';

/** How a client of our own behaves. Times in milliseconds. */
export interface RedisClientSettings {
  readonly endpoint: RedisEndpoint;
  readonly connectTimeoutMs: number;
  readonly keepAliveMs: number;
  readonly socketTimeoutMs: number | undefined;
}

const FIRST_RETRY_MS = 50;
const LONGEST_RETRY_MS = 1000;
/** A replica that was a master a moment ago is left at once, one that stays a replica not over and over. */
const READONLY_RECONNECT_MS = 5000;
/** How long a socket may take to close before it is destroyed. */
const DISCONNECT_MS = 500;

/** The wait before the next attempt to connect: doubled each time, up to 1 s, with jitter. It never gives up. */
export function reconnectDelay(attempt: number, random: () => number = Math.random): number {
  const ceiling = Math.min(FIRST_RETRY_MS * 2 ** (attempt - 1), LONGEST_RETRY_MS);
  return Math.round(ceiling * (0.5 + random() / 2));
}

/**
 * The options of ioredis under which a call fails at once instead of waiting for the server to come back: no queue
 * while there is no connection, no second try of a command whose connection broke (it may have been executed), and
 * reconnecting in the background for ever.
 */
export function redisClientOptions(settings: RedisClientSettings): Record<string, unknown> {
  const { endpoint } = settings;
  const { sentinel } = endpoint;
  let lastReadonlyAt = -Infinity;
  return {
    ...(sentinel === undefined
      ? { host: endpoint.host, port: endpoint.port, family: 0 }
      : {
          sentinels: sentinel.hosts.map(({ host, port }) => ({ host, port })),
          name: sentinel.name,
          sentinelUsername: sentinel.username,
          sentinelPassword: sentinel.password,
          enableTLSForSentinelMode: sentinel.tls === true,
          sentinelRetryStrategy: reconnectDelay,
          ...(sentinel.tls === true && { sentinelTLS: { ...endpoint.tls } }),
        }),
    db: endpoint.db,
    username: endpoint.username,
    password: endpoint.password,
    ...(endpoint.tls !== undefined && { tls: { ...endpoint.tls } }),
    connectTimeout: settings.connectTimeoutMs,
    disconnectTimeout: DISCONNECT_MS,
    keepAlive: settings.keepAliveMs,
    ...(settings.socketTimeoutMs !== undefined && { socketTimeout: settings.socketTimeoutMs }),
    noDelay: true,
    lazyConnect: true,
    enableReadyCheck: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectionName: `cachewell:${process.pid}`,
    retryStrategy: (attempt: number): number => reconnectDelay(attempt),
    reconnectOnError: (error: Error): boolean => {
      if (!error.message.startsWith('READONLY')) return false;
      const now = performance.now();
      if (now - lastReadonlyAt < READONLY_RECONNECT_MS) return false;
      lastReadonlyAt = now;
      return true;
    },
  };
}

/**
 * The same for a Cluster: its nodes are reconnected by the Cluster client, and a command is sent again only where the
 * Cluster itself says that it was not executed. While a master is away its commands fail at once, as on one server;
 * any other master tells who took over. While a connection to a master is being made commands wait for it, for the
 * client makes it at the first command: without that queue it fails those that come before it is ready.
 */
export function clusterClientOptions(settings: RedisClientSettings): Record<string, unknown> {
  const { username, password, tls } = settings.endpoint;
  return {
    lazyConnect: true,
    enableOfflineQueue: true,
    enableReadyCheck: true,
    scaleReads: 'master',
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    slotsRefreshTimeout: settings.connectTimeoutMs,
    clusterRetryStrategy: (attempt: number): number => reconnectDelay(attempt),
    redisOptions: {
      username,
      password,
      ...(tls !== undefined && { tls: { ...tls } }),
      connectTimeout: settings.connectTimeoutMs,
      disconnectTimeout: DISCONNECT_MS,
      keepAlive: settings.keepAliveMs,
      ...(settings.socketTimeoutMs !== undefined && { socketTimeout: settings.socketTimeoutMs }),
      noDelay: true,
      connectionName: `cachewell:${process.pid}`,
    },
  };
}

/**
 * Begins to load ioredis, so that the first call does not spend its time on that: a tenth of a second on a busy
 * machine. Whether it is there at all is for the first call to tell.
 */
export function preloadClient(): void {
  import('ioredis').catch(() => undefined);
}

/**
 * A client of our own, not connected yet.
 *
 * @throws {@link MissingPeerError} when ioredis is not installed
 */
export async function createRedisClient(settings: RedisClientSettings): Promise<RedisLike> {
  let Redis: new (options: Record<string, unknown>) => RedisLike;
  let Cluster: new (nodes: readonly RedisNode[], options: Record<string, unknown>) => RedisLike;
  try {
    ({ Redis, Cluster } = (await import('ioredis')) as unknown as {
      Redis: typeof Redis;
      Cluster: typeof Cluster;
    });
  } catch (error) {
    throw new MissingPeerError('RedisBackend', 'ioredis', '^5.4.0 || ^6.0.0', { cause: error });
  }
  const { cluster } = settings.endpoint;
  if (cluster !== undefined) return new Cluster(cluster, clusterClientOptions(settings));
  return new Redis(redisClientOptions(settings));
}
