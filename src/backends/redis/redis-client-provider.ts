import type { MaybePromise } from '../../cache/maybe-promise.js';
import { createRedisClient } from './redis-client-factory.js';
import type { RedisLike } from './redis-like.js';
import type { RedisTarget } from './redis-target.js';

/**
 * Gives the client of a target: the user's, or one of our own, which is made at the first call and shared by all who
 * ask, also while it is made.
 */
export function sharedClient(target: RedisTarget): () => MaybePromise<RedisLike> {
  let client: MaybePromise<RedisLike> | undefined;
  return () => (client ??= provideClient(target));
}

function provideClient(target: RedisTarget): MaybePromise<RedisLike> {
  if (target.client !== undefined) return target.client;
  return createRedisClient({
    endpoint: target.endpoint!,
    connectTimeoutMs: target.connectTimeoutMs,
    keepAliveMs: target.keepAliveMs,
    socketTimeoutMs: target.socketTimeoutMs,
  });
}
