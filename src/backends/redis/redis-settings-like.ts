import type { RedisEndpoint } from './redis-endpoint.js';

/**
 * The settings that a `RedisBackend` made without options looks for, under the token
 * `Symbol.for('cachewell.RedisSettings')`. `RedisSettings` of `cachewell/config` is one; the type is structural, so
 * that neither entry imports the other.
 */
export interface RedisSettingsLike {
  /** Where it is present, the other fields already say the same. */
  readonly url?: string | undefined;
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Whether to use TLS. */
  readonly ssl: boolean;
  /** Certificates to trust instead of the system's, PEM. */
  readonly tlsCa?: string | undefined;
  readonly tlsRejectUnauthorized?: boolean | undefined;
  readonly maxConnections?: number | undefined;
  readonly socketTimeoutMs?: number | undefined;
  readonly socketConnectTimeoutMs?: number | undefined;
  readonly keepAliveMs?: number | undefined;
  readonly healthCheckIntervalMs?: number | undefined;
  readonly commandTimeoutMs?: number | undefined;
}

/** The injection token of {@link RedisSettingsLike}. */
export const REDIS_SETTINGS_TOKEN: symbol = Symbol.for('cachewell.RedisSettings');

/** The endpoint that settings name. */
export function endpointOfSettings(settings: RedisSettingsLike): RedisEndpoint {
  return {
    host: settings.host,
    port: settings.port,
    db: settings.db,
    username: settings.username,
    password: settings.password,
    tls: settings.ssl
      ? { ca: settings.tlsCa, rejectUnauthorized: settings.tlsRejectUnauthorized ?? true }
      : undefined,
  };
}
