import { MemoryBackend } from 'cachewell';
import type {
  BackendCapabilities,
  BackendContext,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CacheSpace,
  TagSelection,
} from '#internal/cache/backend.js';
import type { Schedule } from './schedule.js';
import { nodeState } from './world.js';

/** The entries that several {@link GatedBackend}s share: a store at the other end of a wire. */
export class RemoteMemory {
  readonly memory: MemoryBackend = new MemoryBackend({ sweepInterval: Infinity });
  #isAttached = false;

  attach(context: BackendContext): void {
    if (!this.#isAttached) this.memory.attach(context);
    this.#isAttached = true;
  }
}

/**
 * A process' way to a {@link RemoteMemory}. The arrival of each request and of each answer is a step of its own.
 * Requests keep their order, without which a `set` and a later `delete` of one process could change places; answers
 * may overtake each other.
 */
export class GatedBackend implements CacheBackend {
  readonly name = 'gated';
  readonly capabilities: BackendCapabilities;
  readonly #remote: RemoteMemory;
  readonly #schedule: Schedule;
  readonly #node: number;

  constructor(remote: RemoteMemory, schedule: Schedule, node: number) {
    this.#remote = remote;
    this.#schedule = schedule;
    this.#node = node;
    this.capabilities = { ...remote.memory.capabilities, isShared: true };
  }

  attach(context: BackendContext): void {
    this.#remote.attach(context);
  }

  open(space: CacheSpace): BackendStore {
    const store = this.#remote.memory.open(space);
    const call = <Answer>(operation: string, work: () => Answer): Promise<Awaited<Answer>> =>
      this.#call(operation, work);
    return {
      get: (key, hints) => call('get', () => store.get(key, hints)),
      getMany: (keys, hints) => call('getMany', () => store.getMany(keys, hints)),
      begin: (keys, hints) => call('begin', () => store.begin(keys, hints)),
      watch: () => call('watch', () => store.watch()),
      release: (tokens) => this.#send('release', () => store.release(tokens)),
      store: (writes) => call('store', () => store.store(writes)),
      delete: (keys) => call('delete', () => store.delete(keys)),
      deletePattern: (pattern) => call('deletePattern', () => store.deletePattern(pattern)),
      clear: () => call('clear', () => store.clear()),
      expire: (key, ttlMs, retainMs) => call('expire', () => store.expire(key, ttlMs, retainMs)),
      touch: (key, retainMs) => this.#send('touch', () => store.touch(key, retainMs)),
      scan: (request) => call('scan', () => store.scan(request)),
    };
  }

  invalidateTags(selection: TagSelection): Promise<void> {
    return this.#call('invalidateTags', () => this.#remote.memory.invalidateTags(selection));
  }

  clearAll(): Promise<void> {
    return this.#call('clearAll', () => this.#remote.memory.clearAll());
  }

  async ping(): Promise<void> {}

  health(): BackendHealth {
    return { status: 'healthy' };
  }

  info(): Readonly<Record<string, string | number>> {
    return {};
  }

  async close(): Promise<void> {}

  async #call<Answer>(operation: string, work: () => Answer): Promise<Awaited<Answer>> {
    const what = `${operation} of node ${this.#node}`;
    const answer = await new Promise<Answer>((resolve, reject) => {
      this.#send(operation, () => {
        try {
          resolve(work());
        } catch (error) {
          reject(error as Error);
        }
      });
    });
    await this.#schedule.gate(what, `${what} is answered`, [nodeState(this.#node)]);
    return answer as Awaited<Answer>;
  }

  #send(operation: string, work: () => void): void {
    const lane = `requests of node ${this.#node}`;
    const arrive = (): void => {
      this.#schedule.touch('store', operation.startsWith('get') ? 'read' : 'write');
      work();
    };
    this.#schedule.add(lane, `${operation} of node ${this.#node} arrives`, arrive, [], lane);
  }
}
