import type { RedisLike } from './redis-like.js';

/** What the watch needs to know, and whom it tells. */
export interface RedisWatchSettings {
  /** Whether the client is ours, and may be made to connect anew. */
  readonly ownsClient: boolean;
  /** How long nothing may happen before a connection of ours is given up. */
  readonly patienceMs: number;
  /** Whether the connection stands and is silent, so that a probe tells more. */
  readonly isSilent: () => boolean;
  /** Sends a probe; never rejects. */
  readonly probe: (client: RedisLike) => Promise<void>;
  /** Told of failing attempts to connect. */
  readonly onError: (error: unknown) => void;
}

/** How often a server that does not answer is tried. In milliseconds. */
const INTERVAL_MS = 500;

/**
 * What ioredis does not do by itself while Redis is out of reach: notice that a silent server answers again, leave a
 * socket whose other end is gone without a word, and begin again after it has given up.
 */
export class RedisWatch {
  readonly #settings: RedisWatchSettings;
  #timer: NodeJS.Timeout | undefined;
  #isProbing = false;
  /** When the last sign of progress was seen, by `performance.now()`. */
  #progressAt = 0;

  constructor(settings: RedisWatchSettings) {
    this.#settings = settings;
  }

  /** Begins to look after a client, once it is there. */
  start(client: () => RedisLike | undefined): void {
    this.noteProgress();
    this.#timer ??= setInterval(() => {
      const current = client();
      if (current !== undefined) this.#look(current);
    }, INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  noteProgress(): void {
    this.#progressAt = performance.now();
  }

  #look(client: RedisLike): void {
    const { ownsClient, patienceMs, isSilent, probe, onError } = this.#settings;
    if (isSilent() && !this.#isProbing) {
      this.#isProbing = true;
      void probe(client).finally(() => {
        this.#isProbing = false;
      });
    }
    if (!ownsClient) return;
    if (client.status === 'end') {
      client.connect().catch(onError);
      return;
    }
    // `connect`: the socket is open and the greeting is awaited, for which ioredis has no limit.
    const isOpen = client.status === 'ready' || client.status === 'connect';
    if (!isOpen || performance.now() - this.#progressAt < patienceMs) return;
    this.noteProgress();
    client.disconnect(true);
  }
}
