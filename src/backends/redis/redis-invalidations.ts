import type { CallOptions, TagSelection } from '../../cache/backend.js';
import { CLEAR_ALL, INVALIDATE_TAGS } from './invalidation-scripts.js';
import type { RedisConnection } from './redis-connection.js';
import { escapeScanPattern, type RedisKeys } from './redis-keys.js';
import type { RedisLike } from './redis-like.js';
import { runScript } from './redis-script.js';
import type { RedisStamp } from './redis-stamp.js';
import { confirmOnReplicas, type ResolvedRedisWait } from './redis-wait.js';
import { ruleText } from './tag-marker.js';

/** What reaches beyond one cache. */
export interface RedisInvalidations {
  /**
   * @param tags - at least one
   * @param rule - see {@link selectedTags}; `''` where each of the tags is hit by itself
   */
  invalidateTags(tags: readonly string[], rule: string, options?: CallOptions): Promise<void>;
  /**
   * Resolves with the caches that were cleared, for freeing what they left behind.
   *
   * @param known - the generation keys of caches that this process has opened
   */
  clearAll(known: readonly string[], options?: CallOptions): Promise<readonly string[]>;
}

/** What invalidations share with the backend. */
export interface InvalidationParts<Keys> {
  readonly connection: RedisConnection;
  readonly keys: Keys;
  readonly stamp: RedisStamp;
  readonly fillTimeoutMs: number;
  readonly wait: ResolvedRedisWait | undefined;
}

const KEYS_PER_PAGE = 1000;

/** The tags that a selection names, each once, and the rule that they make when an entry must carry several. */
export function selectedTags(selection: TagSelection): {
  readonly tags: readonly string[];
  readonly rule: string;
} {
  if ('anyOf' in selection) return { tags: [...new Set(selection.anyOf)], rule: '' };
  const tags = [...new Set(selection.allOf)].sort();
  // The rule stands at the first tag: whoever reads an entry with all of them looks at each tag's marker.
  return tags.length < 2 ? { tags, rule: '' } : { tags: tags.slice(0, 1), rule: ruleText(tags) };
}

/** Invalidations on one server: one script each, but for a registry that was lost. */
export class ServerInvalidations implements RedisInvalidations {
  readonly #parts: InvalidationParts<RedisKeys>;

  constructor(parts: InvalidationParts<RedisKeys>) {
    this.#parts = parts;
  }

  invalidateTags(tags: readonly string[], rule: string, options?: CallOptions): Promise<void> {
    const { connection, keys, stamp, fillTimeoutMs, wait } = this.#parts;
    return connection.call(
      'invalidateTags',
      async (client, call) => {
        const args = [keys.tagPrefix, String(fillTimeoutMs), rule, ...tags, String(stamp.highest)];
        const number = await runScript(
          client,
          INVALIDATE_TAGS,
          [keys.sequence, keys.registry],
          args,
        );
        stamp.note(Number(number));
        await confirmOnReplicas(client, wait, call);
      },
      () => undefined,
      options,
    );
  }

  /**
   * A registry without its sentinel may have forgotten caches that no process has open: then a walk finds their
   * generations, and only with them the registry counts as complete. A cache that is opened during the walk registers
   * itself.
   */
  async clearAll(known: readonly string[], options?: CallOptions): Promise<readonly string[]> {
    const first = await this.#clear(known, false, options);
    if (first.isComplete) return first.cleared;
    const found = await this.#walk(options);
    const { cleared } = await this.#clear([...known, ...found], true, options);
    return cleared;
  }

  #clear(
    generations: readonly string[],
    areAll: boolean,
    options: CallOptions | undefined,
  ): Promise<{ readonly isComplete: boolean; readonly cleared: readonly string[] }> {
    const { connection, keys, stamp, wait } = this.#parts;
    return connection.call(
      'clearAll',
      async (client, call) => {
        const reply = (await runScript(
          client,
          CLEAR_ALL,
          [keys.sequence, keys.registry, ...generations],
          [keys.root, areAll ? '1' : '0', String(stamp.highest)],
        )) as [number, unknown[]];
        await confirmOnReplicas(client, wait, call);
        return { isComplete: Number(reply[0]) === 1, cleared: reply[1].map(String) };
      },
      (result) => result,
      options,
    );
  }

  async #walk(options: CallOptions | undefined): Promise<string[]> {
    const { connection, keys } = this.#parts;
    const pattern = `${escapeScanPattern(keys.root)}*`;
    const found = new Set<string>();
    let cursor = '0';
    do {
      const [next, names] = await connection.call(
        'clearAll',
        (client: RedisLike) => client.scan(cursor, 'MATCH', pattern, 'COUNT', KEYS_PER_PAGE),
        (page) => page,
        options,
      );
      for (const name of names) if (keys.isGeneration(name)) found.add(name);
      cursor = String(next);
    } while (cursor !== '0');
    return [...found];
  }
}
