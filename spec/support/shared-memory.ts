import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type {
  BackendCapabilities,
  BackendContext,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CacheSpace,
  TagSelection,
} from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { MaybePromise } from '#internal/cache/maybe-promise.js';
import type { CacheClock } from '#internal/clock.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';

/** A store that several nodes of one process share, as processes share a server. */
export class SharedMemory {
  readonly memory = new MemoryBackend({ sweepInterval: Infinity, maxEntries: Infinity });

  constructor(clock: CacheClock) {
    this.memory.attach({
      clock,
      logger: silentLogger,
      framer: undefined as never,
      report: () => undefined,
    });
  }

  /** The store as one more node sees it, with faults of its own. */
  node(): SharedMemoryNode {
    return new SharedMemoryNode(new NodeView(this.memory));
  }
}

/**
 * One node's view, with faults on demand, and told on demand what is said to have happened to the store. Calls can be
 * held twice: before the store has done anything by `request`, and before it answers by the view itself.
 */
export class SharedMemoryNode extends FaultyBackend {
  readonly request: FaultyBackend;
  readonly #view: NodeView;

  constructor(view: NodeView) {
    const request = new FaultyBackend(view);
    super(request);
    this.request = request;
    this.#view = view;
  }

  /** Reports an event of the store to the node. */
  report(...events: Parameters<BackendContext['report']>): void {
    this.#view.context?.report(...events);
  }

  /** How the store says it is. */
  set reportedHealth(health: BackendHealth) {
    this.#view.reportedHealth = health;
  }
}

class NodeView implements CacheBackend {
  readonly name = 'shared-memory';
  readonly capabilities: BackendCapabilities;
  readonly callTimeoutMs = 250;
  readonly prefix = 'app';
  reportedHealth: BackendHealth = { status: 'healthy' };
  context: BackendContext | undefined = undefined;
  readonly #memory: MemoryBackend;

  constructor(memory: MemoryBackend) {
    this.#memory = memory;
    this.capabilities = { ...memory.capabilities, isShared: true };
  }

  attach(context: BackendContext): void {
    this.context = context;
  }

  open(space: CacheSpace): BackendStore {
    return this.#memory.open(space);
  }

  invalidateTags(selection: TagSelection): void {
    this.#memory.invalidateTags(selection);
  }

  clearAll(): void {
    this.#memory.clearAll();
  }

  ping(): void {
    this.#memory.ping();
  }

  health(): BackendHealth {
    return this.reportedHealth;
  }

  info(): MaybePromise<Readonly<Record<string, string | number>>> {
    return this.#memory.info();
  }

  /** The store outlives its nodes. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
