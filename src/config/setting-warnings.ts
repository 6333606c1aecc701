import type { ApplicationSettings } from './application-settings.js';
import { RedisSettings } from './redis-settings.js';
import { settingsOf } from './setting.js';

/** What was said explicitly about Redis, by variables. */
interface Given {
  readonly redisPrefix: string;
  readonly values: Readonly<Record<string, unknown>>;
}

const FEW_CONNECTIONS = 10;
const MANY_CONNECTIONS = 200;

/** Sentences about settings that are allowed, but hardly what was meant. They show no value. */
export function findWarnings(
  { environment, redis }: Pick<ApplicationSettings, 'environment' | 'redis'>,
  { redisPrefix, values }: Given,
): readonly string[] {
  const warnings: string[] = [];
  for (const { name, variable } of settingsOf(RedisSettings)) {
    if (values[name] === undefined || values[name] === redis[name as keyof RedisSettings]) continue;
    warnings.push(
      `${redisPrefix}${variable} has no effect: ${redisPrefix}URL says otherwise, and wins.`,
    );
  }
  const { maxConnections } = redis;
  if (maxConnections < FEW_CONNECTIONS || maxConnections > MANY_CONNECTIONS) {
    warnings.push(
      `${redisPrefix}MAX_CONNECTIONS is ${maxConnections}; from ${FEW_CONNECTIONS} to ${MANY_CONNECTIONS} is usual.`,
    );
  }
  if (!redis.ssl) {
    if (redis.tlsCa !== undefined) {
      warnings.push(`${redisPrefix}TLS_CA has no effect: TLS is off. Set ${redisPrefix}SSL=true.`);
    }
    return warnings;
  }
  if (values['ssl'] === undefined && /^redis:/i.test(redis.url ?? '')) {
    warnings.push(
      `${redisPrefix}URL begins with redis://, yet the ${environment} profile uses TLS. ` +
        `Write rediss://, or set ${redisPrefix}SSL=false.`,
    );
  }
  if (!redis.tlsRejectUnauthorized) {
    warnings.push(
      `${redisPrefix}TLS_REJECT_UNAUTHORIZED is false: whoever can answer for the server can read the cache.`,
    );
  }
  return warnings;
}
