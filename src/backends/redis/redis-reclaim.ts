import type { RedisConnection } from './redis-connection.js';
import type { RedisTopology } from './redis-topology.js';

/** Small steps far apart: what calls wait for goes first. */
const KEYS_PER_STEP = 200;
const PAUSE_MS = 10;
const OPERATION = 'reclaim';

/**
 * Frees, in the background, what clears left behind: entries of earlier generations, of which those without expiry
 * would stay for ever. The script looks at the generation again, so it cannot free what is live.
 */
export class RedisReclaim {
  readonly #connection: RedisConnection;
  readonly #free: RedisTopology['free'];
  readonly #onError: (error: unknown) => void;
  /** Caches that are to be walked. */
  readonly #queue = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    connection: RedisConnection,
    free: RedisTopology['free'],
    onError: (error: unknown) => void,
  ) {
    this.#connection = connection;
    this.#free = free;
    this.#onError = onError;
  }

  /** Walks over a cache's entries, later. */
  schedule(cache: string): void {
    this.#queue.delete(cache);
    this.#queue.add(cache);
    if (this.#timer === undefined) this.#next(undefined, '0');
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.clear();
    clearTimeout(this.#timer);
  }

  /** @param current - the cache that is being walked */
  #next(current: string | undefined, cursor: string): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => {
      const cache = current ?? this.#take();
      if (cache === undefined) {
        this.#timer = undefined;
        return;
      }
      this.#step(cache, cursor).then(
        (next) => this.#next(next === '0' ? undefined : cache, next),
        (error: unknown) => {
          this.#timer = undefined;
          if (!this.#isClosed) this.#onError(error);
        },
      );
    }, PAUSE_MS).unref();
  }

  #take(): string | undefined {
    const [first] = this.#queue;
    if (first !== undefined) this.#queue.delete(first);
    return first;
  }

  #step(cache: string, cursor: string): Promise<string> {
    return this.#connection.call(
      OPERATION,
      (client) => this.#free(client, cache, cursor, KEYS_PER_STEP),
      (next) => next,
    );
  }
}
