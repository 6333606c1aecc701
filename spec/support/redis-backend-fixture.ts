import type {
  BackendContext,
  BackendEvent,
  BackendStore,
  CacheBackend,
  EntryWrite,
  Fence,
} from '#internal/cache/backend.js';
import type { CacheEntry } from '#internal/cache/entry.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { DefaultFramer } from '#internal/codecs/default-framer.js';
import { systemClock, type CacheClock } from '#internal/clock.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';

/** A backend with what a manager would give it, and all that it reported. */
export interface AttachedBackend {
  readonly backend: RedisBackend;
  readonly events: BackendEvent[];
  /** The store of the cache `users`, version 1. */
  readonly store: BackendStore;
}

/** What a manager gives to its backend. */
export function backendContext(
  events: BackendEvent[] = [],
  clock: CacheClock = systemClock,
  resolve?: BackendContext['resolve'],
): BackendContext {
  return {
    clock,
    logger: silentLogger,
    framer: new DefaultFramer({ codec: new JsonCodec() }),
    report: (event) => void events.push(event),
    ...(resolve !== undefined && { resolve }),
  };
}

export function attachedBackend(
  options: RedisBackendOptions,
  clock: CacheClock = systemClock,
): AttachedBackend {
  const events: BackendEvent[] = [];
  const backend = new RedisBackend(options);
  backend.attach(backendContext(events, clock));
  return { backend, events, store: backend.open({ name: 'users', version: '1' }) };
}

/** A write of a value, for ten minutes unless told otherwise. */
export function writeOf(
  key: string,
  value: unknown,
  fence: Fence = { kind: 'set' },
  entry: Partial<CacheEntry> = {},
  clock: CacheClock = systemClock,
): EntryWrite {
  const now = clock.now();
  return {
    key,
    fence,
    entry: {
      value,
      kind: 'value',
      tags: [],
      createdAt: now,
      expiresAt: now + 600_000,
      retainedUntil: now + 600_000,
      loadCostMs: 0,
      ...entry,
    },
  };
}

/** The value under a key, `undefined` when there is none. */
export async function valueOf(store: BackendStore, key: string): Promise<unknown> {
  return (await store.get(key))?.value;
}

/** Closes backends when a spec is over, whatever became of it. */
export async function closeAll(backends: readonly CacheBackend[]): Promise<void> {
  await Promise.all(backends.map((backend) => backend.close(1000)));
}
