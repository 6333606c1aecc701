import type { BackendContext } from '../../cache/backend.js';
import { RedisClient } from './redis-client-token.js';
import {
  DEFAULT_REDIS_ENDPOINT,
  describeEndpoint,
  parseRedisUrl,
  type RedisEndpoint,
} from './redis-endpoint.js';
import type { RedisLike } from './redis-like.js';
import { expectUsableClient } from './redis-client-check.js';
import { DEFAULT_REDIS_TIMES, type ResolvedRedisBackendOptions } from './redis-options.js';
import {
  endpointOfSettings,
  REDIS_SETTINGS_TOKEN,
  type RedisSettingsLike,
} from './redis-settings-like.js';

/** Where a backend's Redis is, with every time decided. */
export interface RedisTarget {
  /** A client of the user's, or where to connect with one of our own. */
  readonly client: RedisLike | undefined;
  readonly endpoint: RedisEndpoint | undefined;
  /** For messages. */
  readonly place: string;
  readonly commandTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly socketTimeoutMs: number | undefined;
  readonly keepAliveMs: number;
  readonly healthCheckIntervalMs: number;
  readonly maxConnections: number;
}

/**
 * Decides where Redis is: options, a registered client, registered settings, `REDIS_URL`, localhost, in this order.
 *
 * @throws {@link InvalidOptionError} when what is found cannot be used
 */
export function findRedis(
  options: ResolvedRedisBackendOptions,
  resolve: BackendContext['resolve'],
  environment: Readonly<Record<string, string | undefined>>,
): RedisTarget {
  const isGiven = options.client !== undefined || options.endpoint !== undefined;
  const registered = isGiven ? undefined : resolve?.(RedisClient);
  const client =
    registered === undefined
      ? options.client
      : expectUsableClient('RedisClient', registered as RedisLike);
  const needsEndpoint = client === undefined && options.endpoint === undefined;
  const settings = isGiven
    ? undefined
    : (resolve?.(REDIS_SETTINGS_TOKEN) as RedisSettingsLike | undefined);
  const endpoint = needsEndpoint ? foundEndpoint(settings, environment) : options.endpoint;
  const { commandTimeoutMs, connectTimeoutMs, keepAliveMs, healthCheckIntervalMs, maxConnections } =
    DEFAULT_REDIS_TIMES;
  return {
    client,
    endpoint,
    place: client === undefined ? describeEndpoint(endpoint!) : placeOf(client),
    commandTimeoutMs: options.commandTimeoutMs ?? settings?.commandTimeoutMs ?? commandTimeoutMs,
    connectTimeoutMs:
      options.connectTimeoutMs ?? settings?.socketConnectTimeoutMs ?? connectTimeoutMs,
    socketTimeoutMs: options.socketTimeoutMs ?? settings?.socketTimeoutMs,
    keepAliveMs: options.keepAliveMs ?? settings?.keepAliveMs ?? keepAliveMs,
    healthCheckIntervalMs:
      options.healthCheckIntervalMs ?? settings?.healthCheckIntervalMs ?? healthCheckIntervalMs,
    maxConnections: options.maxConnections ?? settings?.maxConnections ?? maxConnections,
  };
}

function foundEndpoint(
  settings: RedisSettingsLike | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): RedisEndpoint {
  if (settings !== undefined) return endpointOfSettings(settings);
  const url = environment['REDIS_URL'];
  if (url === undefined || url === '') return DEFAULT_REDIS_ENDPOINT;
  return { ...DEFAULT_REDIS_ENDPOINT, ...parseRedisUrl('REDIS_URL', url) };
}

function placeOf({ options, isCluster }: RedisLike): string {
  if (isCluster === true) return 'the Cluster';
  return `${options?.host ?? 'localhost'}:${options?.port ?? 6379}`;
}
