import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type {
  BackendCapabilities,
  BackendStore,
  CacheBackend,
  CacheSpace,
  FillStart,
  FillToken,
  LoadTurn,
} from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { CacheClock } from '#internal/clock.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';

/** The right of one node to load one key. */
interface Lease {
  readonly node: object;
  readonly token: FillToken;
  readonly store: BackendStore;
  readonly over: Promise<boolean>;
  /** @param isUnshared - what those who wait are told */
  end(isUnshared?: boolean): void;
}

/** One store that several nodes share, each with a manager of its own in this process, and that hands out leases. */
export class LeasingCluster {
  readonly #memory = new MemoryBackend({ sweepInterval: Infinity });
  readonly #leases = new Map<string, Lease>();

  constructor(clock: CacheClock) {
    this.#memory.attach({
      clock,
      logger: silentLogger,
      framer: undefined as never,
      report: () => undefined,
    });
  }

  /** How many keys are being loaded under a lease. */
  get leases(): number {
    return this.#leases.size;
  }

  /** A further process. */
  node(): FaultyBackend {
    const node: CacheBackend = {
      name: 'leasing',
      capabilities: { ...this.#memory.capabilities, ...SHARED },
      attach: () => undefined,
      open: (space) => this.#open(space, node),
      invalidateTags: (selection) => this.#memory.invalidateTags(selection),
      clearAll: () => {
        this.#endAll(() => true);
        return this.#memory.clearAll();
      },
      ping: () => undefined,
      health: () => ({ status: 'healthy' }),
      info: () => ({}),
      close: async () => undefined,
    };
    const faulty = new FaultyBackend(node);
    this.#nodes.set(faulty, node);
    return faulty;
  }

  /** A node's process dies: its leases pass on, and its tokens are void. */
  kill(node: FaultyBackend): void {
    for (const lease of this.#leases.values()) {
      if (lease.node !== this.#nodes.get(node)) continue;
      void lease.store.delete([lease.token.key]);
      lease.end();
    }
  }

  readonly #nodes = new WeakMap<FaultyBackend, CacheBackend>();
  readonly #stores = new Map<object, Map<string, BackendStore>>();

  #open(space: CacheSpace, node: object): BackendStore {
    const stores = this.#stores.get(node) ?? new Map<string, BackendStore>();
    this.#stores.set(node, stores);
    let store = stores.get(space.name);
    if (store === undefined) {
      store = this.#wrap(this.#memory.open(space), space.name, node);
      stores.set(space.name, store);
    }
    return store;
  }

  #wrap(inner: BackendStore, cache: string, node: object): BackendStore {
    const idOf = (key: string): string => `${cache}:${key}`;
    const endKeys = (keys: readonly string[]): void =>
      keys.forEach((key) => this.#leases.get(idOf(key))?.end());
    const endOf = (token: FillToken, isUnshared?: boolean): void => {
      const lease = this.#leases.get(idOf(token.key));
      if (lease?.token === token) lease.end(isUnshared);
    };
    return {
      get: (key) => inner.get(key),
      getMany: (keys) => inner.getMany(keys),
      begin: (keys) => inner.begin(keys),
      beginTurns: async (keys, hints) =>
        keys.map((key): FillStart | LoadTurn => {
          const held = this.#leases.get(idOf(key));
          if (held !== undefined) return turnOf(held.over);
          const [start] = inner.begin([key]) as readonly [FillStart];
          if (start.entry === undefined || hints?.isRefresh === true) {
            this.#grant(idOf(key), node, start.token, inner);
          }
          return start;
        }),
      watch: () => inner.watch(),
      release: (tokens, options) => {
        inner.release(tokens);
        for (const token of tokens) endOf(token, options?.isUnshared);
      },
      store: async (writes) => {
        const outcomes = await inner.store(writes);
        for (const { fence, key } of writes) {
          if (fence.kind === 'fill') endOf(fence.token);
          else endKeys([key]);
        }
        return outcomes;
      },
      delete: async (keys) => {
        const count = await inner.delete(keys);
        endKeys(keys);
        return count;
      },
      deletePattern: (pattern) => {
        this.#endAll((id) => pattern.matches(id.slice(cache.length + 1)));
        return inner.deletePattern(pattern);
      },
      clear: () => {
        this.#endAll((id) => id.startsWith(`${cache}:`));
        return inner.clear();
      },
      expire: (key, ttlMs, retainMs) => inner.expire(key, ttlMs, retainMs),
      touch: (key, retainMs) => inner.touch(key, retainMs),
      scan: (request) => inner.scan(request),
    };
  }

  #grant(id: string, node: object, token: FillToken, store: BackendStore): void {
    let resolve!: (isUnshared: boolean) => void;
    const over = new Promise<boolean>((done) => (resolve = done));
    const lease: Lease = {
      node,
      token,
      store,
      over,
      end: (isUnshared = false) => {
        if (this.#leases.get(id) === lease) this.#leases.delete(id);
        resolve(isUnshared);
      },
    };
    this.#leases.set(id, lease);
  }

  #endAll(isHit: (id: string) => boolean): void {
    for (const [id, lease] of this.#leases) if (isHit(id)) lease.end();
  }
}

const SHARED: Partial<BackendCapabilities> = { isShared: true, hasLeases: true };

function turnOf(over: Promise<boolean>): LoadTurn {
  let isCancelled = false;
  const turn = {
    isUnshared: false,
    whenOver: new Promise<void>((resolve) => {
      void over.then((isUnshared) => {
        turn.isUnshared = isUnshared;
        if (!isCancelled) resolve();
      });
    }),
    cancel: () => void (isCancelled = true),
  };
  return turn;
}
