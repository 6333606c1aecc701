import type { CallOptions, ScanPage, ScanRequest } from '../../cache/backend.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import type { PendingCall } from './call-deadlines.js';
import type { RedisLike } from './redis-like.js';
import { escapeScanPattern, isBookkeeping } from './redis-keys.js';
import { chunks, type RedisStoreParts } from './redis-parts.js';
import { ARE_LIVE } from './entry-scripts.js';
import { DELETE, VOID_TOKENS } from './invalidation-scripts.js';
import { runScript } from './redis-script.js';
import { confirmOnReplicas } from './redis-wait.js';

const KEYS_PER_PAGE = 1000;
const KEYS_PER_SCRIPT = 500;
/** Pages of Redis that one page of ours may take, where few keys match. */
const MOST_PAGES = 20;

/** Work that walks over a cache's keys with `SCAN`; each step has the command timeout for itself. */
export class RedisKeyWalk {
  readonly #parts: RedisStoreParts;

  constructor(parts: RedisStoreParts) {
    this.#parts = parts;
  }

  /**
   * Voids the tokens of matching keys first: what is stored before that is there when the scan begins, so the scan
   * returns it (Redis: "SCAN", "Scan guarantees"), and what began before that is not stored any more.
   */
  async deletePattern(pattern: KeyPattern, options?: CallOptions): Promise<number> {
    const { connection, generation, keys, stamp, wait } = this.#parts;
    await connection.call(
      'deletePattern',
      (client) =>
        runScript(
          client,
          VOID_TOKENS,
          [generation.key, keys.sequence, keys.registry],
          [String(this.#parts.fillTimeoutMs), pattern.glob, String(stamp.highest)],
        ),
      () => undefined,
      options,
    );
    let cursor = '0';
    let count = 0;
    do {
      const page = await this.#page('deletePattern', cursor, KEYS_PER_PAGE, pattern, options);
      cursor = page.cursor;
      if (page.keys.length > 0) count += await this.#deletePage(page.keys, options);
    } while (cursor !== '0');
    if (wait !== undefined) {
      const confirm = (client: RedisLike, call: PendingCall): Promise<void> =>
        confirmOnReplicas(client, wait, call);
      await connection.call('deletePattern', confirm, () => undefined, options);
    }
    return count;
  }

  /** Deletes keys with their fences; answers how many of them were live. */
  delete(keys: readonly string[], options?: CallOptions): Promise<number> {
    const { connection, wait } = this.#parts;
    return connection.call(
      'delete',
      async (client, call) => {
        const count = await this.#delete(client, keys);
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
      if (keys.length > 0) found.push(...(await this.#live(keys)));
      cursor = next;
      if (cursor === '0') break;
    }
    return { keys: found, cursor };
  }

  #page(
    operation: string,
    cursor: string,
    count: number,
    pattern: KeyPattern | undefined,
    options?: CallOptions,
  ): Promise<ScanPage> {
    const { entryPrefix } = this.#parts.generation;
    const prefix = entryPrefix + (pattern?.literalPrefix ?? '');
    return this.#parts.connection.call(
      operation,
      (client) => client.scan(cursor, 'MATCH', `${escapeScanPattern(prefix)}*`, 'COUNT', count),
      ([next, names]) => ({
        cursor: String(next),
        keys: names
          .map((name) => name.slice(entryPrefix.length))
          .filter((key) => !isBookkeeping(key))
          .filter((key) => pattern === undefined || pattern.matches(key)),
      }),
      options,
    );
  }

  #live(keys: readonly string[]): Promise<readonly string[]> {
    const { connection, generation, keys: names } = this.#parts;
    return connection.call(
      'scan',
      (client) =>
        runScript(client, ARE_LIVE, [generation.key, ...this.#names(keys)], [names.tagPrefix]),
      (reply) => keys.filter((_, index) => Number((reply as unknown[])[index]) === 1),
    );
  }

  #deletePage(keys: readonly string[], options: CallOptions | undefined): Promise<number> {
    return this.#parts.connection.call(
      'deletePattern',
      (client) => this.#delete(client, keys),
      (count) => count,
      options,
    );
  }

  async #delete(client: RedisLike, keys: readonly string[]): Promise<number> {
    const { generation, keys: layout } = this.#parts;
    const counts = await Promise.all(
      chunks(keys, KEYS_PER_SCRIPT).map((part) =>
        runScript(client, DELETE, [generation.key, ...this.#names(part)], [layout.tagPrefix]),
      ),
    );
    return counts.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  #names(keys: readonly string[]): string[] {
    return keys.map((key) => this.#parts.generation.entryPrefix + key);
  }
}
