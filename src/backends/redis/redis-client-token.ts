import type { InjectionToken } from 'tsyringe';
import type { RedisLike } from './redis-like.js';

/**
 * The client that a `RedisBackend` made without options uses, when one is registered. It belongs to whoever
 * registered it: the backend never closes it.
 */
export interface RedisClient extends RedisLike {}

/** The injection token of {@link RedisClient}. */
export const RedisClient: InjectionToken<RedisClient> = Symbol.for('cachewell.RedisClient');
