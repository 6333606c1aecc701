import sinon from 'sinon';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type {
  BackendEvent,
  BackendStore,
  CacheSpace,
  EntryWrite,
  Fence,
  FillToken,
  StoreOutcome,
} from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { StoredEntry } from '#internal/cache/entry.js';
import { isCacheError } from '#internal/errors.js';
import { FaultyBackend, type FaultyOperation } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { MemoryBusHub, type MemoryBus } from '#internal/testing/memory-bus.js';
import { SharedMemory, type SharedMemoryNode } from './shared-memory.js';

/** The defaults of the backend. */
export const HEARTBEAT_MS = 500;
export const MAX_STALENESS_MS = 3_000;

/** How the nodes are built. */
export interface TieredNodesOptions {
  readonly hasBus?: boolean;
  readonly space?: Partial<CacheSpace>;
}

/** Lets everything happen that needs no time. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Nodes with a tier of their own each, over one shared store, on one clock that stands still. */
export class TieredNodes {
  readonly clock = new ManualClock();
  readonly hub = new MemoryBusHub();
  readonly shared = new SharedMemory(this.clock);
  readonly nodes: readonly TieredNode[];
  readonly #sandbox = sinon.createSandbox();
  readonly #timers = this.#sandbox.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });

  constructor(count: number, options: TieredNodesOptions = {}) {
    this.nodes = Array.from({ length: count }, () => new TieredNode(this, options));
  }

  /** One more node, such as a process that has just started. */
  start(options: TieredNodesOptions = {}): TieredNode {
    return new TieredNode(this, options);
  }

  /** Lets time pass, heartbeat by heartbeat. */
  async advance(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= HEARTBEAT_MS) {
      const step = Math.min(left, HEARTBEAT_MS);
      this.clock.advance(step);
      this.#timers.tick(step);
      await settle();
    }
  }

  /** Lets the nodes hear of each other, and prove it. */
  async meet(): Promise<void> {
    await settle();
    await this.advance(3 * HEARTBEAT_MS);
  }

  async close(): Promise<void> {
    this.#sandbox.restore();
    // A spec may have made closing fail on purpose.
    await Promise.allSettled(this.nodes.map((node) => node.backend.close(0)));
  }
}

/** A process, as far as its cache goes, and short words for what it does. */
export class TieredNode {
  readonly l1: FaultyBackend = new FaultyBackend(new MemoryBackend({ sweepInterval: Infinity }));
  readonly l2: SharedMemoryNode;
  readonly bus: MemoryBus;
  readonly backend: TieredBackend;
  readonly store: BackendStore;
  readonly events: BackendEvent[] = [];
  readonly #clock: ManualClock;

  constructor({ clock, hub, shared }: TieredNodes, { hasBus = true, space }: TieredNodesOptions) {
    this.#clock = clock;
    this.l2 = shared.node();
    this.bus = hub.connect();
    this.backend = new TieredBackend({
      l1: this.l1,
      l2: this.l2,
      bus: hasBus ? this.bus : undefined,
    });
    this.backend.attach({
      clock,
      logger: silentLogger,
      framer: undefined as never,
      report: (event) => void this.events.push(event),
    });
    this.store = this.backend.open({ name: 'users', version: '1', ...space });
  }

  entry(value: unknown, overrides: Partial<EntryWrite['entry']> = {}): EntryWrite['entry'] {
    const times = { createdAt: this.#clock.now(), expiresAt: Infinity, retainedUntil: Infinity };
    return { value, kind: 'value', tags: [], loadCostMs: 0, ...times, ...overrides };
  }

  async get(key: string): Promise<unknown> {
    return (await this.store.get(key))?.value;
  }

  /** What a read gives, and from which tier. */
  async read(key: string): Promise<readonly [value: unknown, source: string | undefined]> {
    const entry = await this.store.get(key);
    return [entry?.value, entry?.source];
  }

  async begin(key: string): Promise<FillToken> {
    return (await this.store.begin([key]))[0]!.token;
  }

  async write(
    key: string,
    value: unknown,
    fence: Fence,
    overrides?: Partial<EntryWrite['entry']>,
  ): Promise<StoreOutcome> {
    return (await this.store.store([{ key, entry: this.entry(value, overrides), fence }]))[0]!;
  }

  fill(
    token: FillToken,
    value: unknown,
    overrides?: Partial<EntryWrite['entry']>,
  ): Promise<StoreOutcome> {
    return this.write(token.key, value, { kind: 'fill', token }, overrides);
  }

  set(
    key: string,
    value: unknown,
    overrides?: Partial<EntryWrite['entry']>,
  ): Promise<StoreOutcome> {
    return this.write(key, value, { kind: 'set' }, overrides);
  }

  /** A read that bypasses failures of the shared store, as a cache does. */
  async peek(key: string): Promise<StoredEntry | undefined> {
    try {
      return await this.store.get(key);
    } catch (error) {
      if (isCacheError(error)) return undefined;
      throw error;
    }
  }

  /** Reads, and on a miss loads and stores, as a cache does. Gives what the caller gets. */
  async getOrLoad(
    key: string,
    load: () => unknown,
    tags: readonly string[] = [],
  ): Promise<unknown> {
    const found = await this.peek(key);
    if (found !== undefined) return found.value;
    const start = (await this.store.begin([key]))[0]!;
    if (start.entry !== undefined) {
      this.store.release([start.token]);
      return start.entry.value;
    }
    const value = load();
    await this.fill(start.token, value, { tags }).catch((error: unknown) => {
      if (!isCacheError(error)) throw error;
    });
    return value;
  }

  /** Makes the shared store fail for this node. */
  failShared(...operations: readonly FaultyOperation[]): void {
    for (const operation of operations) this.l2.fail(operation);
  }
}
