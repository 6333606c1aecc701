import type { MaybePromise } from '../../cache/maybe-promise.js';
import type { CacheError } from '../../errors.js';
import type { RedisLike } from './redis-like.js';

/** What a connection needs to know. */
export interface RedisConnectionSettings {
  /** Where Redis is, for messages. */
  readonly place: string;
  readonly commandTimeoutMs: number;
  /** How long a server may take to greet before the attempt is given up. */
  readonly greetingTimeoutMs: number;
  /** Gives the client, at the first need of it. */
  readonly provide: () => MaybePromise<RedisLike>;
  /** Whether the client is ours to reconnect and to close. */
  readonly ownsClient: boolean;
  /** Calls begin to fail at once. */
  readonly onDegraded: (error: CacheError) => void;
  /** Calls reach Redis again. */
  readonly onRecovered: () => void;
}
