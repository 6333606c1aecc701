import type { ScanPage } from '../../cache/backend.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import { CacheBackendError } from '../../errors.js';
import { allMasters, nodeName } from './cluster-masters.js';
import type { ClusterPlaces, ClusterParts } from './cluster-places.js';
import { BUCKET_DELETE, BUCKET_STATES, BUCKET_VOID_TOKENS } from './cluster-scripts.js';
import { KEYS_PER_WALK_SCRIPT, KeyWalk } from './key-walk.js';
import { escapeScanPattern } from './redis-keys.js';
import type { RedisLike } from './redis-like.js';
import { chunks, type RedisStoreParts } from './redis-parts.js';
import { runScript, type RedisScript } from './redis-script.js';
import { groupKeys } from './store-site.js';
import { isVoidBy } from './tag-marker.js';

/** Each time at least one other deletion by pattern got through. */
const MOST_FLOORS = 64;
/** Between the number of a master and its own cursor. */
const CURSOR_MARK = '-';

/** Walks over the keys of a cache on all masters. */
export class ClusterWalk extends KeyWalk {
  readonly #places: ClusterPlaces;
  readonly #cluster: ClusterParts;

  constructor(parts: RedisStoreParts, places: ClusterPlaces, cluster: ClusterParts) {
    super(parts);
    this.#places = places;
    this.#cluster = cluster;
  }

  protected async deleteIn(client: RedisLike, keys: readonly string[]): Promise<number> {
    return (await this.#liveBy(client, BUCKET_DELETE, keys)).length;
  }

  protected liveAmong(client: RedisLike, keys: readonly string[]): Promise<readonly string[]> {
    return this.#liveBy(client, BUCKET_STATES, keys);
  }

  protected find(
    client: RedisLike,
    cursor: string,
    literalPrefix: string,
    count: number,
  ): Promise<ScanPage> {
    const match = `${bucketsPattern(this.#places.cache)}${escapeScanPattern(literalPrefix)}*`;
    return scanMasters(client, cursor, match, count);
  }

  /** Bucket by bucket. */
  protected async voidTokens(client: RedisLike, pattern: KeyPattern): Promise<void> {
    const { head, stamp } = this.#cluster;
    let open = this.#places.buckets;
    for (let attempt = 0; attempt < MOST_FLOORS && open.length > 0; attempt++) {
      const number = await head.take(client);
      const args = [String(this.parts.fillTimeoutMs), pattern.glob, String(number)];
      const replies = await Promise.all(
        open.map(({ generation }) => runScript(client, BUCKET_VOID_TOKENS, [generation.key], args)),
      );
      const floors = replies.map(String);
      for (const floor of floors) stamp.note(Number(floor));
      open = open.filter((_, index) => floors[index] !== '');
    }
    if (open.length > 0) {
      throw new CacheBackendError('deletePattern: others delete by pattern without a pause.');
    }
  }

  /** The keys that were live, by what the script says of them and the markers of their tags. */
  async #liveBy(
    client: RedisLike,
    script: RedisScript,
    keys: readonly string[],
  ): Promise<readonly string[]> {
    const states = new Map<string, unknown>();
    await Promise.all(
      groupKeys(this.#places, keys).flatMap(({ parts: { generation }, keys: names }) =>
        chunks(names, KEYS_PER_WALK_SCRIPT).map(async (part) => {
          const reply = (await runScript(
            client,
            script,
            [generation.key, ...part.map((key) => generation.entryPrefix + key)],
            [this.parts.keys.wakeChannels],
          )) as unknown[];
          // A key that is given twice was live once.
          part.forEach((key, index) => {
            if (!states.has(key)) states.set(key, reply[index]);
          });
        }),
      ),
    );
    const tagged = [...states.values()].filter(Array.isArray) as unknown[][];
    const tags = new Set(tagged.flatMap((state) => state.slice(1).map(String)));
    const markers = tags.size === 0 ? undefined : await this.#cluster.tags.read(client, [...tags]);
    return [...states.keys()].filter((key) => {
      const state = states.get(key);
      if (!Array.isArray(state)) return Number(state) === 1;
      const carried = state.slice(1).map(String);
      return !carried.some((tag) => isVoidBy(markers!.get(tag)!, Number(state[0]), carried));
    });
  }
}

/** The pattern of `SCAN` for what stands before the key texts of a cache. */
export function bucketsPattern(cache: string): string {
  return `${escapeScanPattern(`{${cache}:`)}?${escapeScanPattern('}:')}`;
}

/**
 * A page of the keys on all masters, one master after the other, in the order of their addresses. A walk that was
 * under way on a master that is gone begins again: keys may come twice, none is left out.
 *
 * @throws {@link CacheConnectionError} while a master is out of reach
 */
export async function scanMasters(
  client: RedisLike,
  cursor: string,
  match: string,
  count: number,
): Promise<ScanPage> {
  const masters = allMasters(client).map((node) => ({ node, name: nodeName(node) }));
  const split = cursor.indexOf(CURSOR_MARK);
  const name = cursor.slice(split + 1);
  const place = split < 0 ? 0 : masters.findIndex((master) => master.name === name);
  const [at, own] = place < 0 || split < 0 ? [0, '0'] : [place, cursor.slice(0, split)];
  const master = masters[at]!;
  const [next, keys] = await master.node.scan(own, 'MATCH', match, 'COUNT', count);
  if (String(next) !== '0') return { keys, cursor: `${next}${CURSOR_MARK}${master.name}` };
  const following = masters[at + 1];
  return { keys, cursor: following === undefined ? '0' : `0${CURSOR_MARK}${following.name}` };
}
