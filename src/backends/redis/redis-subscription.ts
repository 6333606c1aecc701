import type { RedisLike } from './redis-like.js';

/** What a client needs beyond {@link RedisLike} to make connections that subscribe. Those of ioredis have it. */
export interface SubscribingRedis extends RedisLike {
  duplicate(overrides: Readonly<Record<string, unknown>>): SubscribingRedis;
  subscribe(channel: string): Promise<unknown>;
  ssubscribe(channel: string): Promise<unknown>;
}

/** What one attempt to subscribe needs to know, and whom it tells. */
export interface RedisSubscriptionSettings {
  readonly client: SubscribingRedis;
  readonly command: 'subscribe' | 'ssubscribe';
  readonly channel: string;
  /** The server has taken the subscription: what is sent from now on arrives, or `onEnd` is called. */
  readonly onActive: () => void;
  readonly onMessage: (text: string) => void;
  /** Told once, unless `close` came first: it never became active, or is active no more. */
  readonly onEnd: (error: unknown) => void;
}

/** How often the connection is looked at. In milliseconds. */
const TICK_MS = 250;
/** Ticks without a step forward after which connecting is given up. */
const TICKS_TO_CONNECT = 4;
/** Ticks without a sign of life, after a `PING` was sent, after which the connection counts as dead. */
const TICKS_TO_SILENCE = 3;

/** A Cluster's node says that it does not serve the channel's slot. */
export class ChannelMovedError extends Error {
  override readonly name = 'ChannelMovedError';
}

/**
 * How a connection that subscribes differs from the client that it is duplicated from: it is used once and never
 * reconnects, for its owner has to know of every gap.
 */
export function subscriptionOptions(): Readonly<Record<string, unknown>> {
  return {
    lazyConnect: true,
    retryStrategy: null,
    sentinelRetryStrategy: null,
    reconnectOnError: null,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    enableOfflineQueue: false,
    enableReadyCheck: true,
    maxRetriesPerRequest: null,
    connectTimeout: TICK_MS * TICKS_TO_CONNECT,
    disconnectTimeout: TICK_MS,
    commandTimeout: undefined,
    socketTimeout: undefined,
    connectionName: `cachewell:${process.pid}:subscriber`,
  };
}

/**
 * One subscription on one connection, from connecting to its end. It ends when the socket does, when the server
 * answers with an error, and when the server says nothing for about a second: a socket whose other end is gone
 * without a word looks like one on which nothing is published, so the server is asked for a sign of life.
 *
 * Ticks are counted instead of time: while the own event loop stands still no tick is counted, and between two ticks
 * sockets are read. A busy process does not take its own silence for the server's.
 */
export class RedisSubscription {
  readonly #settings: RedisSubscriptionSettings;
  readonly #client: SubscribingRedis;
  readonly #messages: 'message' | 'smessage';
  readonly #timer: NodeJS.Timeout;
  /** Ticks since the last sign of life, or the last step towards being active. */
  #silentTicks = 0;
  #isPinging = false;
  #isActive = false;
  #isOver = false;
  #lastError: unknown;

  constructor(settings: RedisSubscriptionSettings) {
    this.#settings = settings;
    this.#client = settings.client;
    this.#messages = settings.command === 'subscribe' ? 'message' : 'smessage';
    this.#client.on('error', this.#onError);
    this.#client.on('connect', this.#onProgress);
    this.#client.on('ready', this.#onReady);
    this.#client.on('moved', this.#onMoved);
    this.#client.on('end', this.#onEnd);
    this.#client.on(this.#messages, this.#onMessage);
    this.#timer = setInterval(() => this.#tick(), TICK_MS).unref();
    this.#client.connect().catch((error: unknown) => this.end(error));
  }

  /** Lets the connection go without telling anybody. */
  close(): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    this.#client.removeListener('connect', this.#onProgress);
    this.#client.removeListener('ready', this.#onReady);
    this.#client.removeListener('moved', this.#onMoved);
    this.#client.removeListener('end', this.#onEnd);
    this.#client.removeListener(this.#messages, this.#onMessage);
    // The listener of errors stays: what a dying connection still has to say must not be thrown.
    this.#client.disconnect();
  }

  /** Gives the connection up. */
  end(error: unknown): void {
    if (this.#isOver) return;
    this.close();
    this.#settings.onEnd(error);
  }

  readonly #onReady = (): void => {
    this.#silentTicks = 0;
    const { command, channel } = this.#settings;
    this.#client[command](channel).then(this.#activate, (error: unknown) => {
      this.end(isMoved(error) ? movedError(channel) : error);
    });
  };

  readonly #activate = (): void => {
    if (this.#isOver || this.#isActive) return;
    this.#isActive = true;
    this.#silentTicks = 0;
    this.#settings.onActive();
  };

  readonly #onProgress = (): void => {
    this.#silentTicks = 0;
  };

  readonly #onMessage = (channel: unknown, text: unknown): void => {
    if (this.#isOver || channel !== this.#settings.channel) return;
    this.#silentTicks = 0;
    // The promise of the subscription resolves later than a message behind it in the same packet arrives.
    this.#activate();
    this.#settings.onMessage(String(text));
  };

  /** ioredis 5 leaves the promise of such a subscription pending. */
  readonly #onMoved = (): void => this.end(movedError(this.#settings.channel));

  readonly #onError = (error: unknown): void => {
    this.#lastError ??= error;
    // An active subscription has no reason for errors but that the server ended it, as when a slot moves away.
    if (this.#isActive) this.end(error);
  };

  readonly #onEnd = (): void => this.end(this.#lastError ?? 'the connection was closed');

  #tick(): void {
    this.#silentTicks++;
    if (!this.#isActive) {
      if (this.#silentTicks >= TICKS_TO_CONNECT) {
        this.end(this.#lastError ?? 'nothing was answered while subscribing');
      }
      return;
    }
    if (!this.#isPinging) {
      this.#silentTicks = 0;
      this.#isPinging = true;
      this.#client.ping().then(this.#onPong, (error: unknown) => this.end(error));
    } else if (this.#silentTicks >= TICKS_TO_SILENCE) {
      this.end('the connection gives no sign of life');
    }
  }

  readonly #onPong = (): void => {
    this.#isPinging = false;
    this.#silentTicks = 0;
  };
}

function isMoved(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('MOVED');
}

function movedError(channel: string): ChannelMovedError {
  return new ChannelMovedError(`The node does not serve the channel ${channel}.`);
}
