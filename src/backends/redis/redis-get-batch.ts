import type { RedisLike } from './redis-like.js';

/** One entry's bytes, and the value of its cache's generation key when they were read. */
export interface ReadPair {
  readonly bytes: Buffer | null;
  readonly generation: Buffer | null;
}

interface Waiting {
  readonly resolve: (pair: ReadPair) => void;
  readonly reject: (error: unknown) => void;
}

/** Longer commands would keep other clients waiting. */
const MOST_KEYS = 100;

/**
 * Joins the reads of one cache that begin in the same turn of the event loop into one `MGET`, with one look at the
 * generation for all of them. A client spends more on a command than on a key, so this is what makes a checked read
 * as cheap as an unchecked one; a read that is alone waits for nothing but the end of the running callbacks.
 */
export class RedisGetBatch {
  readonly #generationKey: string;
  #client: RedisLike | undefined;
  #names: string[] = [];
  #waiting: Waiting[] = [];

  constructor(generationKey: string) {
    this.#generationKey = generationKey;
  }

  read(client: RedisLike, name: string): Promise<ReadPair> {
    return new Promise((resolve, reject) => {
      this.#names.push(name);
      this.#waiting.push({ resolve, reject });
      this.#client = client;
      if (this.#names.length === 1) process.nextTick(this.#sendAll);
      else if (this.#names.length === MOST_KEYS) this.#send();
    });
  }

  readonly #sendAll = (): void => {
    if (this.#names.length > 0) this.#send();
  };

  #send(): void {
    const names = this.#names;
    const waiting = this.#waiting;
    this.#names = [];
    this.#waiting = [];
    names.push(this.#generationKey);
    this.#client!.mgetBuffer(...names).then(
      (reply) => {
        const generation = reply[waiting.length] ?? null;
        for (let index = 0; index < waiting.length; index++) {
          waiting[index]!.resolve({ bytes: reply[index] ?? null, generation });
        }
      },
      (error: unknown) => {
        for (const { reject } of waiting) reject(error);
      },
    );
  }
}
