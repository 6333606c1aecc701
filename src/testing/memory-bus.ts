import { performance } from 'node:perf_hooks';
import type { BackendHealth, CallOptions } from '../cache/backend.js';
import type { BusContext, CacheBus } from '../cache/cache-bus.js';
import {
  CacheClosedError,
  CacheConfigurationError,
  CacheConnectionError,
  CacheTimeoutError,
} from '../errors.js';

/**
 * A channel within one process, for tests of what several nodes tell each other. Each node gets a bus of its own, with
 * faults on demand: messages that are held, lost, doubled or put in another order, and connections that are cut or
 * swallow everything.
 *
 * Without faults a message reaches every bus of the same prefix, the sender's included, in the order of sending, and
 * soon after `publish` was called: never within the call.
 *
 * @example
 * ```ts
 * import { TieredBackend } from 'cachewell';
 * import { RedisBackend } from 'cachewell/redis';
 * import { MemoryBusHub } from 'cachewell/testing';
 *
 * const hub = new MemoryBusHub();
 * const busOfA = hub.connect();
 * const a = new TieredBackend({ l2: new RedisBackend(), bus: busOfA });
 * const b = new TieredBackend({ l2: new RedisBackend(), bus: hub.connect() });
 * busOfA.dropNext();                         // A misses the next message
 * ```
 */
export class MemoryBusHub {
  readonly #buses = new Set<MemoryBus>();
  readonly #messages: string[] = [];

  /** A bus for one more node. */
  connect(): MemoryBus {
    const bus: MemoryBus = new MemoryBus({
      join: () => this.#buses.add(bus),
      leave: () => this.#buses.delete(bus),
      send: (message) => {
        this.#messages.push(message);
        for (const each of this.#buses) if (each.prefix === bus.prefix) each.arrive(message);
      },
    });
    return bus;
  }

  /** Every message that the hub has taken since the start or the last `forgetMessages`, in the order of sending. */
  get messages(): readonly string[] {
    return this.#messages;
  }

  /** Forgets what was sent so far. */
  forgetMessages(): void {
    this.#messages.length = 0;
  }
}

/** How a bus reaches its hub. */
interface HubLink {
  readonly join: () => void;
  readonly leave: () => void;
  readonly send: (message: string) => void;
}

/** A node's bus, made by {@link MemoryBusHub.connect}. */
export class MemoryBus implements CacheBus {
  readonly name = 'memory';
  readonly #link: HubLink;
  readonly #inbox: string[] = [];
  #context: BusContext | undefined = undefined;
  #state: 'working' | 'cut' | 'swallowing' | 'closed' = 'working';
  #isHeld = false;
  #isRefusing = false;
  #drops = 0;
  #isSubscribed = false;

  /** @internal */
  constructor(link: HubLink) {
    this.#link = link;
  }

  /** Of the backend that the bus belongs to. */
  get prefix(): string | undefined {
    return this.#context?.prefix;
  }

  /** What has arrived and is held, in the order of arrival. */
  get held(): readonly string[] {
    return this.#inbox;
  }

  attach(context: BusContext): void {
    if (this.#context !== undefined) {
      throw new CacheConfigurationError('This MemoryBus already belongs to another backend.');
    }
    this.#context = context;
    this.#link.join();
    queueMicrotask(() => {
      if (this.#state === 'working') this.#subscribe();
    });
  }

  async publish(message: string, options: CallOptions = {}): Promise<void> {
    if (this.#state === 'closed') throw new CacheClosedError('MemoryBus was closed');
    if (options.dueAt !== undefined && options.dueAt <= performance.now()) {
      throw new CacheTimeoutError("'publish' on a MemoryBus", 0);
    }
    if (this.#state === 'swallowing') throw new CacheTimeoutError("'publish' on a MemoryBus", 0);
    if (this.#state === 'cut' || this.#isRefusing) {
      throw new CacheConnectionError("'publish' failed because MemoryBus was told to fail it");
    }
    this.#link.send(message);
  }

  health(): BackendHealth {
    if (this.#state === 'closed' || this.#context === undefined) return { status: 'unavailable' };
    if (this.#state === 'cut') return { status: 'unhealthy', errorCode: 'ERR_CACHE_CONNECTION' };
    return { status: 'healthy' };
  }

  close(_timeoutMs: number): Promise<void> {
    this.#state = 'closed';
    this.#inbox.length = 0;
    this.#link.leave();
    return Promise.resolve();
  }

  /** Keeps what arrives from now on, until `release` or `deliver`. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Delivers all that is held, in its order, and holds nothing more. */
  release(): void {
    this.#isHeld = false;
    this.#drain();
  }

  /** Delivers one held message now. */
  deliver(index = 0): void {
    const [message] = this.#inbox.splice(index, 1);
    if (message !== undefined) this.#context?.receive(message);
  }

  /** Loses one held message. */
  drop(index = 0): void {
    this.#inbox.splice(index, 1);
  }

  /** Makes two of one held message, one behind the other. */
  duplicate(index = 0): void {
    const message = this.#inbox[index];
    if (message !== undefined) this.#inbox.splice(index, 0, message);
  }

  /** Puts a held message in another place of the order. */
  move(from: number, to: number): void {
    this.#inbox.splice(to, 0, ...this.#inbox.splice(from, 1));
  }

  /** Loses the next messages that arrive, without a word. */
  dropNext(count = 1): void {
    this.#drops += count;
  }

  /** Makes every `publish` reject, while messages go on arriving. */
  refuse(): void {
    this.#isRefusing = true;
  }

  /** Ends the connection, noticed at once: nothing arrives, what is held is lost, and every `publish` rejects. */
  cut(): void {
    if (this.#state === 'closed') return;
    this.#state = 'cut';
    this.#inbox.length = 0;
    if (!this.#isSubscribed) return;
    this.#isSubscribed = false;
    this.#context?.interrupted();
  }

  /** Turns the connection into a black hole, unnoticed: nothing arrives, and every `publish` rejects. */
  swallow(): void {
    if (this.#state === 'closed') return;
    this.#state = 'swallowing';
    this.#inbox.length = 0;
  }

  /** Ends `cut`, `swallow` and `refuse`. Only after a cut there is a new subscription. What was lost stays lost. */
  heal(): void {
    if (this.#state === 'closed') return;
    this.#state = 'working';
    this.#isRefusing = false;
    if (this.#context !== undefined && !this.#isSubscribed) this.#subscribe();
  }

  /** @internal A message comes in from the hub. */
  arrive(message: string): void {
    if (this.#state !== 'working' || !this.#isSubscribed) return;
    if (this.#drops > 0) {
      this.#drops -= 1;
      return;
    }
    this.#inbox.push(message);
    queueMicrotask(() => this.#drain());
  }

  #subscribe(): void {
    if (this.#isSubscribed) return;
    this.#isSubscribed = true;
    this.#context?.subscribed();
  }

  #drain(): void {
    while (!this.#isHeld && this.#inbox.length > 0) this.#context?.receive(this.#inbox.shift()!);
  }
}
