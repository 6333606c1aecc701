export { RedisBackend } from './redis-backend.js';
export { RedisBus } from './redis-bus.js';
export type { RedisBusOptions } from './redis-bus-options.js';
export type { RedisBackendOptions } from './redis-options.js';
export type { RedisEndpointOptions } from './redis-endpoint-options.js';
export { RedisClient } from './redis-client-token.js';
export type { RedisLike, RedisLikeOptions } from './redis-like.js';
export type {
  RedisClusterOptions,
  RedisSentinelOptions,
  RedisTlsOptions,
} from './redis-endpoint.js';
export type { RedisSettingsLike } from './redis-settings-like.js';
export type { RedisWaitOptions } from './redis-wait.js';
