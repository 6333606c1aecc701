import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { MemoryBackendOptions } from '#internal/backends/memory/memory-backend-options.js';
import type {
  BackendEvent,
  CacheSpace,
  EntryWrite,
  Fence,
  StoreOutcome,
} from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { StoredEntry } from '#internal/cache/entry.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

/** A memory backend on a clock that stands still, with the events that it reports. */
export class MemoryFixture {
  readonly clock = new ManualClock();
  readonly events: BackendEvent[] = [];
  readonly backend: MemoryBackend;

  constructor(options: MemoryBackendOptions = {}) {
    this.backend = new MemoryBackend({ sweepInterval: Infinity, ...options });
    this.backend.attach({
      clock: this.clock,
      logger: silentLogger,
      framer: undefined as never,
      report: (event) => void this.events.push(event),
    });
  }

  /** A store whose answers are known to come at once. */
  open(name = 'users', framing?: CacheSpace['framing']): SynchronousStore {
    const space = framing === undefined ? { name, version: '1' } : { name, version: '1', framing };
    return this.backend.open(space) as unknown as SynchronousStore;
  }

  /** A store of a cache that knows the sizes of its values. */
  openSized(name: string, bytesOf: (value: unknown) => number | undefined): SynchronousStore {
    const space: CacheSpace = { name, version: '1', sizes: { bytesOf } };
    return this.backend.open(space) as unknown as SynchronousStore;
  }

  write(
    key: string,
    value: unknown,
    fence: Fence = { kind: 'set' },
    overrides: Partial<EntryWrite['entry']> = {},
  ): EntryWrite {
    const times = { createdAt: this.clock.now(), expiresAt: Infinity, retainedUntil: Infinity };
    const entry = {
      value,
      kind: 'value',
      tags: [],
      loadCostMs: 0,
      ...times,
      ...overrides,
    } as const;
    return { key, entry, fence };
  }

  /** Sets a value; with `ttlMs` it expires physically. */
  set(
    store: SynchronousStore,
    key: string,
    value: unknown,
    { ttlMs = Infinity, tags = [] }: { ttlMs?: number; tags?: readonly string[] } = {},
  ): StoreOutcome {
    const expiresAt = this.clock.now() + ttlMs;
    const overrides = { expiresAt, retainedUntil: expiresAt, tags };
    return store.store([this.write(key, value, { kind: 'set' }, overrides)])[0]!;
  }
}

/** `BackendStore`, as `MemoryBackend` answers when no model has to be waited for. */
export interface SynchronousStore {
  get(key: string, hints?: undefined, now?: number): StoredEntry | undefined;
  getMany(keys: readonly string[]): readonly (StoredEntry | undefined)[];
  begin(keys: readonly string[]): readonly {
    token: { key: string; sequence: number };
    entry: StoredEntry | undefined;
  }[];
  watch(): { key: string; sequence: number };
  release(tokens: readonly { key: string; sequence: number }[]): void;
  store(writes: readonly EntryWrite[]): readonly StoreOutcome[];
  delete(keys: readonly string[]): number;
  clear(): void;
  expire(key: string, ttlMs: number, retainMs: number): boolean;
  scan(request: { cursor?: string | undefined; count: number }): {
    keys: readonly string[];
    cursor: string;
  };
}
