import type { BackendContext, CacheSpace, FillToken } from '../../cache/backend.js';
import type { PendingSets } from './pending-sets.js';
import type { RedisConnection } from './redis-connection.js';
import type { RedisKeys } from './redis-keys.js';
import type { RedisReader } from './redis-reader.js';
import type { RedisStamp } from './redis-stamp.js';
import type { ResolvedRedisWait } from './redis-wait.js';

/** What the parts of one cache's store share. */
export interface RedisStoreParts {
  readonly connection: RedisConnection;
  readonly context: BackendContext;
  readonly keys: RedisKeys;
  readonly stamp: RedisStamp;
  readonly space: CacheSpace;
  readonly generation: KnownGeneration;
  readonly pendingSets: PendingSets;
  readonly reader: RedisReader;
  readonly fillTimeoutMs: number;
  readonly maxPayloadBytes: number;
  readonly wait: ResolvedRedisWait | undefined;
}

/** A cache's generation: where it stands, what stands before its entries, and what it was last seen to be. */
export interface KnownGeneration {
  readonly key: string;
  readonly entryPrefix: string;
  value: number | undefined;
}

/** The token that Redis' fences hand out. */
export interface RedisFillToken extends FillToken {
  readonly generation: number;
  /** Names the chain of fills; text, as scripts compare it. */
  readonly lineage: string;
}

/** Splits a list; the parts travel side by side in one round trip and keep single scripts short. */
export function chunks<Item>(items: readonly Item[], size: number): readonly (readonly Item[])[] {
  if (items.length <= size) return [items];
  const parts: (readonly Item[])[] = [];
  for (let start = 0; start < items.length; start += size) {
    parts.push(items.slice(start, start + size));
  }
  return parts;
}

/** A new lineage. It must be unique, not unguessable: whoever can write to Redis needs no lineage. */
export function newLineage(): number {
  return 1 + Math.floor(Math.random() * (2 ** 48 - 1));
}
