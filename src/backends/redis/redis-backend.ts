import { CacheBackendError, CacheConfigurationError, isCacheError } from '../../errors.js';
import type {
  BackendCapabilities,
  BackendContext,
  BackendHealth,
  BackendStore,
  CacheBackend,
  CallOptions,
  CacheSpace,
  CommandArea,
  TagSelection,
} from '../../cache/backend.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { PendingSets } from './pending-sets.js';
import { sharedClient } from './redis-client-provider.js';
import { preloadClient } from './redis-client-factory.js';
import { RedisConnection } from './redis-connection.js';
import { parseRedisInfo } from './redis-info.js';
import { selectedTags } from './redis-invalidations.js';
import { entryPrefix, RedisKeys } from './redis-keys.js';
import { RedisLeases } from './redis-leases.js';
import {
  resolveRedisBackendOptions,
  type RedisBackendOptions,
  type ResolvedRedisBackendOptions,
} from './redis-options.js';
import type { RedisStoreParts } from './redis-parts.js';
import { RedisReader } from './redis-reader.js';
import { RedisReclaim } from './redis-reclaim.js';
import { RedisStamp } from './redis-stamp.js';
import { findRedis, type RedisTarget } from './redis-target.js';
import { clusterTopology, serverTopology, type RedisTopology } from './redis-topology.js';

/** What exists once a manager has taken the backend. */
interface Attached {
  readonly context: BackendContext;
  readonly target: RedisTarget;
  readonly connection: RedisConnection;
  readonly topology: RedisTopology;
  readonly reclaim: RedisReclaim;
  readonly leases: RedisLeases;
  readonly pulse: NodeJS.Timeout | undefined;
}

const CAPABILITIES: BackendCapabilities = Object.freeze({
  stores: 'bytes',
  isShared: true,
  hasConditionalStores: true,
  hasGenerations: true,
  hasLeases: true,
  canScan: true,
});

/**
 * Keeps entries in one Redis (or Valkey) server, directly or through Sentinels, or in a Cluster, shared by all
 * processes below one prefix. Needs Redis 5 or later.
 *
 * Promises: a fill is stored only if nothing invalidated it while it loaded, across processes; `clear` and tags cost
 * the same however many entries they hit (on a Cluster `clear` costs three commands per bucket, of which a cache has 16);
 * a call costs at most `commandTimeout`, and nothing once Redis is known to
 * be out of reach; while Redis is away, the backend reconnects by itself. Of a Cluster that is known of each master: one
 * that is away costs the slots of the others nothing.
 *
 * Limits: an asynchronous fail-over of Redis may lose the last writes it acknowledged, invalidations included; after
 * a `clear`, entries without expiry are freed in the background by the process that cleared; an entry without expiry
 * whose tag was invalidated stays in memory, void, until its key is loaded again or its cache cleared.
 *
 * @example
 * ```ts
 * const manager = new CacheManager({ backend: new RedisBackend({ url: 'redis://localhost:6379' }) });
 * ```
 */
export class RedisBackend implements CacheBackend {
  readonly name = 'redis';
  readonly capabilities: BackendCapabilities = CAPABILITIES;
  readonly #options: ResolvedRedisBackendOptions;
  readonly #keys: RedisKeys;
  readonly #stamp = new RedisStamp();
  readonly #stores = new Map<string, { store: BackendStore; parts: RedisStoreParts }>();
  #attached: Attached | undefined;
  #closing: Promise<void> | undefined;

  /** @throws {@link InvalidOptionError} for an unknown, wrong or contradictory option */
  constructor(options: RedisBackendOptions = {}) {
    this.#options = resolveRedisBackendOptions(options);
    if (this.#options.client === undefined) preloadClient();
    this.#keys = new RedisKeys(this.#options.prefix);
  }

  get callTimeoutMs(): number | undefined {
    return this.#attached?.target.commandTimeoutMs;
  }

  get prefix(): string {
    return this.#options.prefix;
  }

  /** Whether calls reach Redis at the moment. */
  get isAvailable(): boolean {
    return this.#attached?.connection.isAvailable ?? false;
  }

  attach(context: BackendContext): void {
    if (this.#attached !== undefined) {
      throw new CacheConfigurationError(
        'This RedisBackend belongs to a CacheManager already; make one backend for each manager.',
      );
    }
    const target = findRedis(this.#options, context.resolve, process.env);
    const provide = sharedClient(target);
    const connection = new RedisConnection({
      place: target.place,
      commandTimeoutMs: target.commandTimeoutMs,
      greetingTimeoutMs: target.connectTimeoutMs,
      provide,
      ownsClient: target.client === undefined,
      onDegraded: (error) => {
        context.logger.warn(`The cache goes on without Redis. ${error.message}`);
        context.report({ type: 'degraded', error });
        this.#attached?.leases.wake();
      },
      onRecovered: () => {
        context.logger.info(`Redis at ${target.place} answers again.`);
        context.report({ type: 'recovered' });
      },
    });
    const { healthCheckIntervalMs } = target;
    const layout = {
      connection,
      keys: this.#keys,
      stamp: this.#stamp,
      fillTimeoutMs: this.#options.fillTimeoutMs,
      wait: this.#options.wait,
    };
    const topology = isCluster(target) ? clusterTopology(layout) : serverTopology(layout);
    this.#attached = {
      context,
      target,
      connection,
      topology,
      reclaim: new RedisReclaim(connection, topology.free, (error) =>
        this.#reportBackground(error),
      ),
      leases: new RedisLeases({
        connection,
        provide,
        channels: this.#keys.wakeChannels,
        leaseMs: this.#options.leaseMs,
        commandTimeoutMs: target.commandTimeoutMs,
        fillTimeoutMs: this.#options.fillTimeoutMs,
        maySubscribe: target.maxConnections > 1,
        onError: (error) => context.report({ type: 'error', operation: 'subscribe', error }),
      }),
      pulse:
        healthCheckIntervalMs === 0
          ? undefined
          : setInterval(() => this.#checkHealth(), healthCheckIntervalMs).unref(),
    };
    if (this.#options.connect === 'eager') connection.open();
  }

  open(space: CacheSpace): BackendStore {
    const { context, connection, topology, reclaim, leases } = this.#attachment();
    const key = this.#keys.generationOf(space);
    const known = this.#stores.get(key);
    if (known !== undefined) return known.store;
    const parts: RedisStoreParts = {
      connection,
      context,
      space,
      keys: this.#keys,
      stamp: this.#stamp,
      generation: { key, entryPrefix: entryPrefix(key), value: undefined },
      pendingSets: new PendingSets(),
      reader: new RedisReader(context, space),
      fillTimeoutMs: this.#options.fillTimeoutMs,
      maxPayloadBytes: this.#options.maxPayloadBytes,
      wait: this.#options.wait,
    };
    const store = topology.store(parts, (cleared) => reclaim.schedule(cleared), leases);
    this.#stores.set(key, { store, parts });
    return store;
  }

  invalidateTags(selection: TagSelection, options?: CallOptions): MaybePromise<void> {
    const { invalidations } = this.#attachment().topology;
    const { tags, rule } = selectedTags(selection);
    if (tags.length === 0) return undefined;
    this.#overtakeAllSets();
    return invalidations.invalidateTags(tags, rule, options);
  }

  async clearAll(options?: CallOptions): Promise<void> {
    const { topology, reclaim } = this.#attachment();
    this.#overtakeAllSets();
    const cleared = await topology.invalidations.clearAll([...this.#stores.keys()], options);
    for (const cache of cleared) reclaim.schedule(cache);
  }

  openArea(name: string): CommandArea | undefined {
    const connection = this.#attached?.connection;
    if (connection === undefined) return undefined;
    return {
      prefix: this.#keys.areaOf(name),
      call: (command, ...commandArguments) =>
        connection.call(
          command,
          (client) => client.callBuffer(command, ...commandArguments),
          (reply) => reply,
        ),
    };
  }

  ping(): Promise<void> {
    return this.#attachment().connection.call(
      'ping',
      (client) => client.ping(),
      () => undefined,
    );
  }

  health(): BackendHealth {
    return this.#attached?.connection.health() ?? { status: 'unavailable' };
  }

  /** `breaker`, and what Redis says of itself: version, role, uptime, clients, memory, commands. */
  info(): Promise<Readonly<Record<string, string | number>>> {
    const { connection } = this.#attachment();
    return connection.call(
      'info',
      (client) => client.info(),
      (text) => ({ breaker: connection.breaker ?? 'closed', ...parseRedisInfo(text) }),
    );
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#attached === undefined) return;
    const { connection, reclaim, leases, pulse } = this.#attached;
    clearInterval(pulse);
    reclaim.close();
    leases.close();
    await connection.close(timeoutMs);
  }

  #attachment(): Attached {
    if (this.#attached !== undefined) return this.#attached;
    throw new CacheConfigurationError(
      'This RedisBackend belongs to no CacheManager yet: pass it to one, or call attach.',
    );
  }

  /** A set that has to be repeated must not undo an invalidation that was issued after it. */
  #overtakeAllSets(): void {
    for (const { parts } of this.#stores.values()) parts.pendingSets.overtakeAll();
  }

  #checkHealth(): void {
    const { connection, topology } = this.#attachment();
    if (!connection.isAvailable) return;
    const caches = [...this.#stores.keys()];
    connection
      .call(
        'the health check',
        (client) => Promise.all([client.ping(), topology.pulse(client, caches)]),
        () => undefined,
      )
      // A failing connection reports itself.
      .catch(() => undefined);
  }

  #reportBackground(error: unknown): void {
    this.#attachment().context.report({
      type: 'error',
      operation: 'reclaim',
      error: isCacheError(error)
        ? error
        : new CacheBackendError('Freeing cleared entries failed.', { cause: error }),
    });
  }
}

function isCluster({ client, endpoint }: RedisTarget): boolean {
  return client?.isCluster === true || endpoint?.cluster !== undefined;
}
