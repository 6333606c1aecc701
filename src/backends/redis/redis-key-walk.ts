import type { ScanPage } from '../../cache/backend.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import { ARE_LIVE } from './entry-scripts.js';
import { DELETE, VOID_TOKENS } from './invalidation-scripts.js';
import { KEYS_PER_WALK_SCRIPT, KeyWalk } from './key-walk.js';
import { escapeScanPattern } from './redis-keys.js';
import type { RedisLike } from './redis-like.js';
import { chunks } from './redis-parts.js';
import { runScript } from './redis-script.js';

/** Walks over the keys of one server. */
export class RedisKeyWalk extends KeyWalk {
  protected voidTokens(client: RedisLike, pattern: KeyPattern): Promise<unknown> {
    const { generation, keys, stamp, fillTimeoutMs } = this.parts;
    return runScript(
      client,
      VOID_TOKENS,
      [generation.key, keys.sequence, keys.registry],
      [String(fillTimeoutMs), pattern.glob, String(stamp.highest)],
    );
  }

  protected async deleteIn(client: RedisLike, keys: readonly string[]): Promise<number> {
    const { generation, keys: layout } = this.parts;
    const counts = await Promise.all(
      chunks(keys, KEYS_PER_WALK_SCRIPT).map((part) =>
        runScript(
          client,
          DELETE,
          [generation.key, ...this.#names(part)],
          [layout.tagPrefix, layout.wakeChannels],
        ),
      ),
    );
    return counts.reduce<number>((sum, count) => sum + Number(count), 0);
  }

  protected async liveAmong(
    client: RedisLike,
    keys: readonly string[],
  ): Promise<readonly string[]> {
    const { generation, keys: layout } = this.parts;
    const names = [generation.key, ...this.#names(keys)];
    const reply = (await runScript(client, ARE_LIVE, names, [layout.tagPrefix])) as unknown[];
    return keys.filter((_, index) => Number(reply[index]) === 1);
  }

  protected async find(
    client: RedisLike,
    cursor: string,
    literalPrefix: string,
    count: number,
  ): Promise<ScanPage> {
    const match = `${escapeScanPattern(this.parts.generation.entryPrefix + literalPrefix)}*`;
    const [next, keys] = await client.scan(cursor, 'MATCH', match, 'COUNT', count);
    return { cursor: String(next), keys };
  }

  #names(keys: readonly string[]): string[] {
    return keys.map((key) => this.parts.generation.entryPrefix + key);
  }
}
