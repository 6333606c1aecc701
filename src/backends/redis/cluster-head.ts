import type { ClusterKeys } from './cluster-keys.js';
import {
  HEAD_CLEAR,
  HEAD_FOUND,
  HEAD_INVALIDATE,
  HEAD_LOGGED,
  HEAD_LOOK,
  HEAD_REGISTER,
  HEAD_TAKE,
} from './cluster-scripts.js';
import type { RedisLike } from './redis-like.js';
import { runScript, type RedisScript } from './redis-script.js';
import type { RedisStamp } from './redis-stamp.js';

/** What an invalidation of tags is told. */
export interface LoggedInvalidation {
  readonly number: number;
  /** Says which loss of the sequence all caches have yet to be cleared for; `''` when there is none. */
  readonly lost: string;
  /** The number that the first tag had in the log before; text, as scripts take it. */
  readonly before: string;
}

/**
 * The head of a prefix on a Cluster: the sequence, the log of invalidated tags, and the registry of caches, in one
 * slot of their own. Every number comes from here.
 */
export class ClusterHead {
  readonly #keys: ClusterKeys;
  readonly #stamp: RedisStamp;
  readonly #fillTimeoutMs: number;

  constructor(keys: ClusterKeys, stamp: RedisStamp, fillTimeoutMs: number) {
    this.#keys = keys;
    this.#stamp = stamp;
    this.#fillTimeoutMs = fillTimeoutMs;
  }

  /** The sequence, with the log complete from it on. */
  async look(client: RedisLike): Promise<number> {
    return this.#learn(await this.#run(client, HEAD_LOOK, [String(this.#fillTimeoutMs)]));
  }

  /**
   * A new number.
   *
   * @param cache - registered with it, when a generation is made
   */
  async take(client: RedisLike, cache = ''): Promise<number> {
    return this.#learn(await this.#run(client, HEAD_TAKE, [cache]));
  }

  async invalidate(client: RedisLike, tags: readonly string[]): Promise<LoggedInvalidation> {
    const args = [String(this.#fillTimeoutMs), ...tags];
    const reply = (await this.#run(client, HEAD_INVALIDATE, args)) as unknown[];
    return {
      number: this.#learn(reply[0]),
      lost: String(reply[1]),
      before: String(reply[2]),
    };
  }

  /** The numbers of tags in the log, as text. */
  async logged(client: RedisLike, tags: readonly string[]): Promise<string[]> {
    const args = [String(this.#fillTimeoutMs), ...tags];
    const reply = (await this.#run(client, HEAD_LOGGED, args)) as unknown[];
    return reply.map(String);
  }

  async clear(
    client: RedisLike,
    caches: readonly string[],
    areAll: boolean,
  ): Promise<{ number: number; isComplete: boolean; lost: string; caches: string[] }> {
    const args = [areAll ? '1' : '0', ...caches];
    const reply = (await this.#run(client, HEAD_CLEAR, args)) as [
      unknown,
      unknown,
      unknown,
      unknown[],
    ];
    return {
      number: this.#learn(reply[0]),
      isComplete: Number(reply[1]) === 1,
      lost: String(reply[2]),
      caches: reply[3].map(String).filter((name) => name.startsWith(this.#keys.root)),
    };
  }

  /** All caches were cleared for this loss of the sequence. */
  async forgetLoss(client: RedisLike, lost: string): Promise<void> {
    await runScript(client, HEAD_FOUND, this.#keys.head, [lost]);
  }

  async register(client: RedisLike, caches: readonly string[]): Promise<void> {
    await runScript(client, HEAD_REGISTER, this.#keys.head, caches);
  }

  #run(client: RedisLike, script: RedisScript, args: readonly string[]): Promise<unknown> {
    return runScript(client, script, this.#keys.head, [...args, String(this.#stamp.highest)]);
  }

  #learn(reply: unknown): number {
    const number = Number(reply);
    this.#stamp.sequence = number;
    this.#stamp.note(number);
    return number;
  }
}
