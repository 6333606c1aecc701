import { LOOK } from './lease-scripts.js';
import { ReadBatch } from './read-batch.js';
import type { RedisLike } from './redis-like.js';
import { runScript } from './redis-script.js';

/** One entry's bytes, `null` for one that is void or absent, and what `PTTL` says of it. */
export interface LookedUp {
  readonly bytes: Buffer | null;
  readonly remainingMs: number;
}

/** Joins lookups of callers who may have to wait for other processes: many of one key cost what one costs. */
export class RedisLookBatch extends ReadBatch<readonly LookedUp[], LookedUp> {
  readonly #generationKey: string;
  readonly #tagPrefix: string;

  /** @param tagPrefix - `''` where readers compare tags */
  constructor(generationKey: string, tagPrefix: string) {
    super();
    this.#generationKey = generationKey;
    this.#tagPrefix = tagPrefix;
  }

  /** What is known of each name, in the order of the names. */
  async send(client: RedisLike, names: readonly string[]): Promise<readonly LookedUp[]> {
    const places = new Map<string, number>();
    for (const name of names) if (!places.has(name)) places.set(name, places.size);
    const keys = [this.#generationKey, ...places.keys()];
    const reply = (await runScript(client, LOOK, keys, [this.#tagPrefix])) as readonly unknown[];
    const found = [...places.values()].map((place): LookedUp => {
      const bytes = reply[2 * place] as Buffer | null;
      return { bytes, remainingMs: Number(reply[2 * place + 1]) };
    });
    return names.map((name) => found[places.get(name)!]!);
  }

  protected answer(reply: readonly LookedUp[], index: number): LookedUp {
    return reply[index]!;
  }
}
