import type { Redis } from 'ioredis';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { CacheDefinition } from '#internal/cache/cache-handle.js';
import type { Cache } from '#internal/cache/cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultProxy } from '#internal/testing/fault-proxy.js';
import { eventually } from './eventually.js';
import type { RedisServer } from './redis-server.js';

/** How nodes are made. */
export interface TieredRedisOptions {
  readonly maxStalenessMs?: number;
  readonly commandTimeoutMs?: number;
  /** How the cache `users` is kept. */
  readonly definition?: CacheDefinition;
}

/** One node: a manager with its own tier, on connections of its own that can be broken. */
export interface TieredRedisNode {
  readonly manager: CacheManager;
  readonly users: Cache<readonly [string], unknown>;
  /** The way of the entries. */
  readonly store: FaultProxy;
  /** The way of the messages. */
  readonly bus: FaultProxy;
}

/** What one process told the others: the kind of a message and what it is about, as it travels. */
export type ToldMessage = readonly [kind: string, ...about: unknown[]];

/** Patient enough for a busy machine, where nothing is broken on purpose. */
const PATIENCE_MS = 5_000;
/** Where the kind stands in a message: version, sender, epoch, number, kind. */
const KIND = 4;
let prefixes = 0;

/** Nodes with tiers over one real Redis, and somebody who listens to what they tell each other. */
export class TieredRedisNodes {
  readonly prefix = `tiers-${++prefixes}`;
  /** Everything that was told but heartbeats and goodbyes. */
  readonly told: ToldMessage[] = [];
  readonly #server: RedisServer;
  readonly #options: TieredRedisOptions;
  readonly #nodes: TieredRedisNode[] = [];
  #listener: Redis | undefined;

  constructor(server: RedisServer, options: TieredRedisOptions = {}) {
    this.#server = server;
    this.#options = options;
  }

  /** Starts nodes that hear each other, and nobody else. */
  async start(count: number): Promise<readonly TieredRedisNode[]> {
    this.#listener = this.#server.client();
    this.#listener.on('error', () => undefined);
    this.#listener.on('message', (_: string, text: string) => this.#hear(text));
    await this.#listener.subscribe(`${this.prefix}:~bus`);
    for (let index = 0; index < count; index++) await this.join();
    await this.meet();
    return this.#nodes;
  }

  /** One node more, which the others may not have heard yet. */
  async join(): Promise<TieredRedisNode> {
    const { maxStalenessMs, commandTimeoutMs = PATIENCE_MS, definition = {} } = this.#options;
    const store = await FaultProxy.start({ target: this.#server.url });
    const bus = await FaultProxy.start({ target: this.#server.url, protocol: 'resp' });
    const manager = new CacheManager({
      logger: silentLogger,
      backend: new TieredBackend({
        l2: new RedisBackend({
          url: store.url,
          prefix: this.prefix,
          commandTimeout: commandTimeoutMs,
        }),
        bus: new RedisBus({ url: bus.url, commandTimeout: commandTimeoutMs }),
        ...(maxStalenessMs !== undefined && { maxStaleness: maxStalenessMs }),
      }),
    });
    // What fails on purpose is expected, or seen by what it leaves behind.
    manager.on('error', () => undefined);
    const users = manager.cache<readonly [string], unknown>('users', {
      onError: 'throw',
      ...definition,
    });
    const node = { manager, users, store, bus };
    this.#nodes.push(node);
    return node;
  }

  /** Waits until all nodes hear each other. */
  async meet(): Promise<void> {
    const others = this.#nodes.length - 1;
    for (const { manager } of this.#nodes) {
      await eventually('nodes hear each other', async () => {
        await manager.ping();
        return (await manager.info())['senders'] === others;
      });
    }
  }

  /** Waits until everything that was told before has been heard, and forgets it. Gives what it was. */
  async drain(by: TieredRedisNode): Promise<readonly ToldMessage[]> {
    const sentinel = `sentinel-${this.told.length}-${performance.now()}`;
    await by.users.delete(sentinel);
    const isSentinel = ([kind, , keys]: ToldMessage): boolean =>
      kind === 'k' && (keys as readonly string[]).some((key) => key.includes(sentinel));
    await eventually('a message arrives', () => this.told.some(isSentinel));
    const place = this.told.findIndex(isSentinel);
    return this.told.splice(0, place + 1).slice(0, -1);
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map(({ manager }) => manager.close({ timeout: 1_000 })));
    await Promise.all(this.#nodes.flatMap(({ store, bus }) => [store.close(), bus.close()]));
    this.#listener?.disconnect();
  }

  #hear(text: string): void {
    const message = JSON.parse(text.slice(text.indexOf('['))) as readonly unknown[];
    const told = message.slice(KIND) as unknown as ToldMessage;
    if (told[0] !== 'h' && told[0] !== 'b') this.told.push(told);
  }
}
