import { ReadBatch } from './read-batch.js';
import type { RedisLike } from './redis-like.js';

/** One entry's bytes, and the value of its cache's generation key when they were read. */
export interface ReadPair {
  readonly bytes: Buffer | null;
  readonly generation: Buffer | null;
}

/**
 * Joins reads into one `MGET`, with one look at the generation for all of them. A client spends more on a command than on
 * a key, so this is what makes a checked read as cheap as an unchecked one.
 */
export class RedisGetBatch extends ReadBatch<readonly (Buffer | null)[], ReadPair> {
  readonly #generationKey: string;

  constructor(generationKey: string) {
    super();
    this.#generationKey = generationKey;
  }

  protected send(client: RedisLike, names: readonly string[]): Promise<readonly (Buffer | null)[]> {
    return client.mgetBuffer(...names, this.#generationKey);
  }

  protected answer(reply: readonly (Buffer | null)[], index: number, count: number): ReadPair {
    return { bytes: reply[index] ?? null, generation: reply[count] ?? null };
  }
}
