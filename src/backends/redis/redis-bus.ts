import { randomBytes } from 'node:crypto';
import { CacheConfigurationError, type CacheError } from '../../errors.js';
import type { BackendHealth, CallOptions } from '../../cache/backend.js';
import type { BusContext, CacheBus } from '../../cache/cache-bus.js';
import { BusEcho } from './bus-echo.js';
import { resolveRedisBusOptions, type RedisBusOptions } from './redis-bus-options.js';
import { preloadClient } from './redis-client-factory.js';
import { sharedClient } from './redis-client-provider.js';
import { RedisConnection } from './redis-connection.js';
import { isReplyError } from './redis-errors.js';
import type { RedisLike } from './redis-like.js';
import type { ResolvedRedisBackendOptions } from './redis-options.js';
import { defineScript, runScript } from './redis-script.js';
import { RedisSubscriber } from './redis-subscriber.js';
import { findRedis } from './redis-target.js';

/** What exists once somebody has taken the bus. */
interface Attached {
  readonly context: BusContext;
  readonly channel: string;
  readonly connection: RedisConnection;
  readonly subscriber: RedisSubscriber;
  readonly echo: BusEcho;
}

/** Publishes on the node that serves the channel's slot, so that messages of one sender keep their order. */
const PUBLISH = defineScript(`return redis.call('PUBLISH', KEYS[1], ARGV[1])`);
const UNKNOWN_COMMAND = /unknown command/i;

/**
 * Carries messages between processes by pub/sub of Redis or Valkey: directly, through Sentinels, or on a Cluster,
 * where the messages stay within one shard if the servers are of version 7 or later.
 *
 * It publishes on one connection and receives on a second one, which it makes and closes itself. Messages of one
 * process arrive in the order in which they were published, or not at all: Redis keeps nothing for those who are not
 * connected. An interruption is told at once, a silent connection within about a second; so is one on which this
 * process does not hear itself, as after a fail-over that left the two connections with different servers.
 *
 * @example
 * ```ts
 * const backend = new TieredBackend({
 *   l2: new RedisBackend({ url: 'redis://localhost:6379' }),
 *   bus: new RedisBus({ url: 'redis://localhost:6379' }),
 * });
 * ```
 */
export class RedisBus implements CacheBus {
  readonly name = 'redis';
  readonly #options: ResolvedRedisBackendOptions;
  #attached: Attached | undefined;
  #lastError: CacheError | undefined;
  #hasSharded = true;
  #closing: Promise<void> | undefined;

  /** @throws {@link InvalidOptionError} for an unknown, wrong or contradictory option */
  constructor(options: RedisBusOptions = {}) {
    this.#options = resolveRedisBusOptions(options);
    if (this.#options.client === undefined) preloadClient();
  }

  attach(context: BusContext): void {
    if (this.#attached !== undefined) {
      throw new CacheConfigurationError(
        'This RedisBus belongs to a backend already; make one bus for each backend.',
      );
    }
    const target = findRedis(this.#options, context.resolve, process.env);
    const channel = `${context.prefix ?? this.#options.prefix}:~bus`;
    const provide = sharedClient(target);
    const connection = new RedisConnection({
      place: target.place,
      commandTimeoutMs: target.commandTimeoutMs,
      greetingTimeoutMs: target.connectTimeoutMs,
      provide,
      ownsClient: target.client === undefined,
      onDegraded: (error) => {
        context.logger.warn(`Messages cannot be published. ${error.message}`);
      },
      onRecovered: () => context.logger.info(`Messages are published at ${target.place} again.`),
    });
    const echo = new BusEcho(randomBytes(9).toString('base64url'), () => {
      subscriber.renew('what this process publishes does not come back');
    });
    const subscriber = new RedisSubscriber({
      place: target.place,
      channel,
      prefersSharded: true,
      provide,
      onMessage: (text) => context.receive(echo.unwrap(text)),
      onSubscribed: () => {
        this.#lastError = undefined;
        context.subscribed();
      },
      onInterrupted: (error) => {
        this.#lastError = error;
        context.report({ type: 'error', operation: 'subscribe', error });
        context.interrupted();
      },
    });
    this.#attached = { context, channel, connection, subscriber, echo };
    connection.open();
    subscriber.open();
  }

  /**
   * @throws {@link CacheTimeoutError} when Redis has not answered in time, {@link CacheConnectionError} at once when it
   * is out of reach: the message may have been sent all the same
   */
  publish(message: string, options?: CallOptions): Promise<void> {
    const { connection, subscriber, echo, channel } = this.#attachment();
    const { text, number } = echo.wrap(message);
    // An echo is due only if the subscription that stands when Redis confirms stood when the message was sent.
    let activations: number | undefined;
    return connection.call(
      'publish',
      (client) => {
        activations = subscriber.isActive ? subscriber.activations : undefined;
        return this.#publish(client, channel, text);
      },
      () =>
        echo.expect(number, () => subscriber.isActive && subscriber.activations === activations),
      options,
    );
  }

  health(): BackendHealth {
    if (this.#attached === undefined) return { status: 'unavailable' };
    const { connection, subscriber } = this.#attached;
    const health = connection.health();
    if (health.status !== 'healthy' || subscriber.isActive) return health;
    if (this.#lastError === undefined) return { status: 'unavailable' };
    return { status: 'degraded', errorCode: this.#lastError.code };
  }

  close(timeoutMs: number): Promise<void> {
    this.#closing ??= this.#close(timeoutMs);
    return this.#closing;
  }

  async #close(timeoutMs: number): Promise<void> {
    if (this.#attached === undefined) return;
    const { connection, subscriber, echo } = this.#attached;
    echo.close();
    subscriber.close();
    await connection.close(timeoutMs);
  }

  async #publish(client: RedisLike, channel: string, text: string): Promise<unknown> {
    if (client.isCluster !== true) return client.callBuffer('publish', channel, text);
    if (this.#hasSharded) {
      try {
        return await client.callBuffer('spublish', channel, text);
      } catch (error) {
        const isUnknown = isReplyError(error) && UNKNOWN_COMMAND.test((error as Error).message);
        if (!isUnknown) throw error;
        this.#hasSharded = false;
      }
    }
    return runScript(client, PUBLISH, [channel], [text]);
  }

  #attachment(): Attached {
    if (this.#attached !== undefined) return this.#attached;
    throw new CacheConfigurationError(
      'This RedisBus belongs to no backend yet: pass it to a TieredBackend, or call attach.',
    );
  }
}
