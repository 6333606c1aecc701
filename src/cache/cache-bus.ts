import type { CacheClock } from '../clock.js';
import type { BackendContext, BackendEvent, BackendHealth, CallOptions } from './backend.js';
import type { CacheLogger } from './cache-logger.js';
import type { MaybePromise } from './maybe-promise.js';

/**
 * The port of a channel by which the processes that share a store tell each other what they have invalidated.
 *
 * A bus carries texts from every process to every process, the sender included. It need not be reliable: who uses it
 * numbers its messages and notices what is missing. What it must do is tell when its subscription was interrupted.
 */
export interface CacheBus {
  /** For messages and events, such as `redis`. */
  readonly name: string;
  /**
   * Takes what the bus needs, and begins to connect in the background. Called once, before `publish`.
   *
   * @throws {@link CacheConfigurationError} when the bus already belongs to another backend
   */
  attach(context: BusContext): void;
  /**
   * Sends a text to all who listen. Resolves when the channel has taken it.
   *
   * @throws {@link CacheBackendError} when it has not, as far as is known
   */
  publish(message: string, options?: CallOptions): MaybePromise<void>;
  /** How the bus is, from what is known without asking. */
  health(): BackendHealth;
  /** Lets go of sockets and timers. Calling it again gives the same promise. Clients passed in stay open. */
  close(timeoutMs: number): Promise<void>;
}

/** What a bus gets from its user. */
export interface BusContext {
  readonly clock: CacheClock;
  readonly logger: CacheLogger;
  /** Of the shared store's keys; two applications with different prefixes must not hear each other. */
  readonly prefix: string | undefined;
  /** See `BackendContext.resolve`. */
  readonly resolve?: BackendContext['resolve'];
  /** Tells about failures that no caller waits for. Never throws. */
  report(event: BackendEvent): void;
  /** Takes a message, in the order of arrival. Never throws. */
  receive(message: string): void;
  /** The subscription is active, for the first time or again: what was sent before may not have arrived. */
  subscribed(): void;
  /** The subscription is interrupted. */
  interrupted(): void;
}
