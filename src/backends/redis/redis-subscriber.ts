import { CacheConfigurationError, CacheConnectionError, type CacheError } from '../../errors.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { reconnectDelay } from './redis-client-factory.js';
import { isReplyError, redisError } from './redis-errors.js';
import type { RedisLike } from './redis-like.js';
import {
  ChannelMovedError,
  RedisSubscription,
  subscriptionOptions,
  type SubscribingRedis,
} from './redis-subscription.js';

/** What a subscriber needs to know, and whom it tells. */
export interface RedisSubscriberSettings {
  /** Where Redis is, for messages. */
  readonly place: string;
  readonly channel: string;
  /** Whether to use sharded pub/sub on a Cluster that has it. Whoever publishes must do the same. */
  readonly prefersSharded: boolean;
  /** Gives the client whose settings the subscribing connection takes. It is not subscribed itself, and not closed. */
  readonly provide: () => MaybePromise<RedisLike>;
  /** Takes a message, in the order of arrival. */
  readonly onMessage: (text: string) => void;
  /** The subscription is active, for the first time or again: what was sent before may not have arrived. */
  readonly onSubscribed: () => void;
  /** The subscription is interrupted, or the first attempt has failed. Told once until it is active. */
  readonly onInterrupted: (error: CacheError) => void;
}

/**
 * - `idle`: nobody has asked for it yet
 * - `trying`: the first attempt, or the first after an interruption, is under way
 * - `active`: what is published arrives
 * - `down`: the last attempt failed, and another one follows
 * - `closed`: for good
 */
type SubscriberState = 'idle' | 'trying' | 'active' | 'down' | 'closed';

/** So that what heals is noticed soon: a connection's own longest wait would be too long (promise P3). */
const LONGEST_RETRY_MS = 500;
const UNKNOWN_COMMAND = /unknown command/i;

/**
 * Keeps one channel subscribed, on a connection of its own that it makes at the first need.
 *
 * Each interruption is told at once, and a connection that is silent counts as interrupted within about a second.
 * Then it connects anew, at most half a second apart, for as long as it takes. On a Cluster a sharded channel is
 * asked for at one master after the other until one takes it, for that one serves the channel's slot. After a fail-over
 * that is one of which the client may not know yet, so each failure makes it look.
 */
export class RedisSubscriber {
  readonly #settings: RedisSubscriberSettings;
  #state: SubscriberState = 'idle';
  #subscription: RedisSubscription | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  /** Which of a Cluster's masters is asked; grows with every attempt that failed. */
  #turn = 0;
  #masters = 0;
  /** Masters in a row that do not serve the channel. */
  #refusals = 0;
  #hasSharded = true;
  #wasTold = false;
  #waiting: (() => void)[] = [];
  #activations = 0;
  /** The client that was asked last, if it is one of a Cluster. */
  #cluster: RedisLike | undefined;

  constructor(settings: RedisSubscriberSettings) {
    this.#settings = settings;
  }

  /** Whether what is published now arrives, as far as is known. */
  get isActive(): boolean {
    return this.#state === 'active';
  }

  /** How often the subscription became active: two equal numbers mean that nothing was missed in between. */
  get activations(): number {
    return this.#activations;
  }

  /** Subscribes, if that has not begun. */
  open(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'trying';
    this.#attempt();
  }

  /**
   * Resolves when the subscription is active, when it is known not to become so soon, or when the time is up. Nobody
   * waits twice for a server that refuses.
   */
  settled(withinMs: number): Promise<void> | undefined {
    this.open();
    if (this.#state !== 'trying') return undefined;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, withinMs).unref();
      this.#waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Gives the connection up and makes another one, for something shows that it does not hear what it should. */
  renew(reason: string): void {
    this.#subscription?.end(reason);
  }

  close(): void {
    this.#state = 'closed';
    clearTimeout(this.#timer);
    this.#subscription?.close();
    this.#subscription = undefined;
    this.#settle();
  }

  #attempt(): void {
    try {
      const client = this.#settings.provide();
      if (client instanceof Promise) client.then(this.#subscribe, this.#fail);
      else this.#subscribe(client);
    } catch (error) {
      this.#fail(error);
    }
  }

  readonly #subscribe = (client: RedisLike): void => {
    if (this.#state === 'closed') return;
    const { channel, prefersSharded, onMessage } = this.#settings;
    this.#cluster = client.isCluster === true ? client : undefined;
    try {
      const origin = this.#originOf(client as SubscribingRedis);
      const isSharded = client.isCluster === true && prefersSharded && this.#hasSharded;
      this.#subscription = new RedisSubscription({
        client: origin.duplicate(subscriptionOptions()),
        command: isSharded ? 'ssubscribe' : 'subscribe',
        channel,
        onActive: this.#activate,
        onMessage,
        onEnd: this.#fail,
      });
    } catch (error) {
      this.#fail(error);
    }
  };

  /** The client to duplicate: the given one, or that of one of its masters. */
  #originOf(client: SubscribingRedis): SubscribingRedis {
    if (client.isCluster === true) {
      const masters = client.nodes?.('master') ?? [];
      this.#masters = masters.length;
      const master = masters[this.#turn % Math.max(masters.length, 1)];
      if (master !== undefined) return master as SubscribingRedis;
      throw new CacheConnectionError('No master of the Redis Cluster is known yet.');
    }
    if (typeof client.duplicate === 'function') return client;
    throw new CacheConfigurationError(
      'The Redis client has no method duplicate, so it cannot be subscribed beside its other work: pass a client of ioredis.',
    );
  }

  readonly #activate = (): void => {
    this.#state = 'active';
    this.#failures = 0;
    this.#refusals = 0;
    this.#wasTold = false;
    this.#activations++;
    this.#settings.onSubscribed();
    this.#settle();
  };

  readonly #fail = (error: unknown): void => {
    this.#subscription = undefined;
    if (this.#state === 'closed') return;
    if (this.#isNextStep(error)) {
      this.#attempt();
      return;
    }
    this.#turn++;
    const wasActive = this.#state === 'active';
    this.#state = wasActive ? 'trying' : 'down';
    if (!this.#wasTold) {
      this.#wasTold = true;
      this.#settings.onInterrupted(redisError(error, 'subscribing', this.#settings.place));
    }
    if (!wasActive) this.#settle();
    if ((this.#state as SubscriberState) === 'closed') return;
    this.#learnMasters();
    const delayMs = Math.min(reconnectDelay(++this.#failures), LONGEST_RETRY_MS);
    this.#timer = setTimeout(() => this.#attempt(), delayMs).unref();
  };

  /**
   * A Cluster client learns of a new master by a command for one of its slots. It may be that nobody sends one: who does
   * not hear the others does not speak, either.
   */
  #learnMasters(): void {
    this.#cluster?.callBuffer('exists', this.#settings.channel).catch(() => undefined);
  }

  /** Whether the answer only tells what to try at once: another master, or pub/sub without shards. */
  #isNextStep(error: unknown): boolean {
    if (this.#state === 'active') return false;
    if (error instanceof ChannelMovedError) {
      this.#turn++;
      this.#refusals++;
      // Asked round in vain, the slot is on its way from one to another.
      return this.#refusals % Math.max(this.#masters, 1) !== 0;
    }
    if (!this.#hasSharded || !isReplyError(error)) return false;
    if (!UNKNOWN_COMMAND.test((error as Error).message)) return false;
    this.#hasSharded = false;
    return true;
  }

  #settle(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
