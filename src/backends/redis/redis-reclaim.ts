import type { RedisConnection } from './redis-connection.js';
import { entryPrefix, escapeScanPattern, isBookkeeping } from './redis-keys.js';
import { RECLAIM } from './invalidation-scripts.js';
import { runScript } from './redis-script.js';

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
  readonly #onError: (error: unknown) => void;
  /** Generation keys whose caches are to be walked. */
  readonly #queue = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(connection: RedisConnection, onError: (error: unknown) => void) {
    this.#connection = connection;
    this.#onError = onError;
  }

  /** Walks over a cache's entries, later. */
  schedule(generationKey: string): void {
    this.#queue.delete(generationKey);
    this.#queue.add(generationKey);
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
      const generationKey = current ?? this.#take();
      if (generationKey === undefined) {
        this.#timer = undefined;
        return;
      }
      this.#step(generationKey, cursor).then(
        (next) => this.#next(next === '0' ? undefined : generationKey, next),
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

  #step(generationKey: string, cursor: string): Promise<string> {
    const prefix = entryPrefix(generationKey);
    const pattern = `${escapeScanPattern(prefix)}*`;
    return this.#connection.call(
      OPERATION,
      async (client) => {
        const [next, names] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', KEYS_PER_STEP);
        const entries = names.filter((name) => !isBookkeeping(name.slice(prefix.length)));
        if (entries.length > 0) await runScript(client, RECLAIM, [generationKey, ...entries], []);
        return String(next);
      },
      (next) => next,
    );
  }
}
