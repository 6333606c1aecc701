import type { CallOptions, ScanPage, ScanRequest } from '../../cache/backend.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import { isBookkeeping } from './redis-keys.js';
import type { RedisLike } from './redis-like.js';
import type { RedisStoreParts } from './redis-parts.js';
import { confirmOnReplicas } from './redis-wait.js';

const KEYS_PER_PAGE = 1000;
/** Pages of Redis that one page of ours may take, where few keys match. */
const MOST_PAGES = 20;

/** Keys that one script looks at, so that it does not keep other clients waiting. */
export const KEYS_PER_WALK_SCRIPT = 500;

/** Work that walks over a cache's keys with `SCAN`; each step has the command timeout for itself. */
export abstract class KeyWalk {
  protected readonly parts: RedisStoreParts;

  constructor(parts: RedisStoreParts) {
    this.parts = parts;
  }

  /**
   * Voids the tokens of matching keys first: what is stored before that is there when the scan begins, so the scan
   * returns it (Redis: "SCAN", "Scan guarantees"), and what began before that is not stored any more.
   */
  async deletePattern(pattern: KeyPattern, options?: CallOptions): Promise<number> {
    const { connection, wait } = this.parts;
    await connection.call(
      'deletePattern',
      (client) => this.voidTokens(client, pattern),
      () => undefined,
      options,
    );
    let cursor = '0';
    let count = 0;
    do {
      const page = await this.#page('deletePattern', cursor, KEYS_PER_PAGE, pattern, options);
      cursor = page.cursor;
      if (page.keys.length === 0) continue;
      count += await connection.call(
        'deletePattern',
        (client) => this.deleteIn(client, page.keys),
        (deleted) => deleted,
        options,
      );
    } while (cursor !== '0');
    if (wait !== undefined) {
      await connection.call(
        'deletePattern',
        (client, call) => confirmOnReplicas(client, wait, call),
        () => undefined,
        options,
      );
    }
    return count;
  }

  /** Deletes keys with their fences; answers how many of them were live. */
  delete(keys: readonly string[], options?: CallOptions): Promise<number> {
    const { connection, wait } = this.parts;
    return connection.call(
      'delete',
      async (client, call) => {
        const count = await this.deleteIn(client, keys);
        await confirmOnReplicas(client, wait, call);
        return count;
      },
      (count) => count,
      options,
    );
  }

  async scan(request: ScanRequest): Promise<ScanPage> {
    let cursor = request.cursor ?? '0';
    const found: string[] = [];
    for (let page = 0; page < MOST_PAGES && found.length < request.count; page++) {
      const { keys, cursor: next } = await this.#page(
        'scan',
        cursor,
        request.count,
        request.pattern,
      );
      if (keys.length > 0) {
        const live = await this.parts.connection.call(
          'scan',
          (client) => this.liveAmong(client, keys),
          (names) => names,
        );
        found.push(...live);
      }
      cursor = next;
      if (cursor === '0') break;
    }
    return { keys: found, cursor };
  }

  /** Makes the tokens void whose keys match. */
  protected abstract voidTokens(client: RedisLike, pattern: KeyPattern): Promise<unknown>;

  /** Deletes keys; answers how many of them were live. */
  protected abstract deleteIn(client: RedisLike, keys: readonly string[]): Promise<number>;

  /** Those of the keys that are live. */
  protected abstract liveAmong(
    client: RedisLike,
    keys: readonly string[],
  ): Promise<readonly string[]>;

  /** Some of the cache's keys whose text begins so, by their names in Redis. */
  protected abstract find(
    client: RedisLike,
    cursor: string,
    literalPrefix: string,
    count: number,
  ): Promise<ScanPage>;

  #page(
    operation: string,
    cursor: string,
    count: number,
    pattern: KeyPattern | undefined,
    options?: CallOptions,
  ): Promise<ScanPage> {
    const { connection, generation } = this.parts;
    return connection.call(
      operation,
      (client) => this.find(client, cursor, pattern?.literalPrefix ?? '', count),
      ({ cursor: next, keys: names }) => ({
        cursor: next,
        keys: names
          .map((name) => name.slice(generation.entryPrefix.length))
          .filter((key) => !isBookkeeping(key))
          .filter((key) => pattern === undefined || pattern.matches(key)),
      }),
      options,
    );
  }
}
