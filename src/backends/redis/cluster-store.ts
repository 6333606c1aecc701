import type { CallOptions, FillStart, FillToken, ReadHints } from '../../cache/backend.js';
import { CacheBackendError } from '../../errors.js';
import {
  ClusterPlaces,
  raiseAll,
  type ClusterParts,
  type ClusterWatchToken,
} from './cluster-places.js';
import { BUCKET_BEGIN, BUCKET_EXPIRE, BUCKET_READ, BUCKET_WATCH } from './cluster-scripts.js';
import { ClusterWalk } from './cluster-walk.js';
import { changeExpiry } from './redis-expiry.js';
import type { RedisLeases } from './redis-leases.js';
import type { RedisLike } from './redis-like.js';
import { WATCH_MARK } from './redis-lua.js';
import { chunks, newLineage, type RedisFillToken, type RedisStoreParts } from './redis-parts.js';
import { runScript, type RedisScript } from './redis-script.js';
import { confirmOnReplicas } from './redis-wait.js';
import { groupKeys } from './store-site.js';
import { KEYS_PER_FILL_SCRIPT, StoredOnRedis } from './stored-on-redis.js';
import { isVoidBy } from './tag-marker.js';

/** A generation may be evicted again right behind its making. */
const MOST_RECOVERIES = 3;
/** Generation, time and floor stand before the entries in what `begin` answers. */
const REPLY_HEAD = 3;

/** What a bucket answered to `begin` for one key. */
interface Begun {
  readonly generation: number;
  readonly floor: number;
  readonly value: Buffer | null;
  readonly lineage: string;
}

/**
 * One cache's entries in a Redis Cluster.
 *
 * A fill takes its token in the key's bucket and, side by side with that, its number in the head; both have answered
 * before the load starts. The bucket's script is atomic against clears, deletions and puts. Tags are compared when the
 * entry is stored, and by every reader: an entry with a lower number than a marker is void, whenever it was stored.
 */
export class ClusterStore extends StoredOnRedis {
  readonly #cluster: ClusterParts;
  readonly #places: ClusterPlaces;
  readonly #onClear: (cache: string) => void;

  /**
   * @param parts - what all buckets share
   * @param onClear - told when the entries of the cache have become void and can be freed
   */
  constructor(
    cache: string,
    parts: RedisStoreParts,
    cluster: ClusterParts,
    onClear: (cache: string) => void,
    leases: RedisLeases,
  ) {
    const places = new ClusterPlaces(cache, parts, cluster);
    const first = places.buckets[0]!;
    super(first, places, new ClusterWalk(first, places, cluster), leases);
    this.#cluster = cluster;
    this.#places = places;
    this.#onClear = onClear;
  }

  watch(options?: CallOptions): Promise<FillToken> {
    const { connection, fillTimeoutMs } = this.parts;
    return connection.call(
      'watch',
      async (client): Promise<ClusterWatchToken> => {
        const look = this.#cluster.head.look(client);
        const watches = this.#places.buckets.map(async (parts) => {
          const reply = await this.#inBucket(
            client,
            parts,
            BUCKET_WATCH,
            [],
            [String(fillTimeoutMs)],
          );
          const lineage = `${WATCH_MARK}${String(reply[3])}`;
          return { generation: Number(reply[0]), floor: Number(reply[2]), lineage };
        });
        const [sequence, ...buckets] = await Promise.all([look, ...watches]);
        const { generation, lineage } = buckets[0]!;
        const highest = Math.max(sequence, ...buckets.map(({ floor }) => floor));
        return { key: '', sequence: highest, generation, lineage, buckets };
      },
      (token) => token,
      options,
    );
  }

  async clear(options?: CallOptions): Promise<void> {
    const { connection, pendingSets, wait } = this.parts;
    pendingSets.overtakeAll();
    await connection.call(
      'clear',
      async (client, call) => {
        const number = await this.#cluster.head.take(client, this.#places.cache);
        const keys = this.#places.buckets.map(({ generation }) => generation.key);
        await raiseAll(client, this.#cluster, keys, number);
        await confirmOnReplicas(client, wait, call);
      },
      () => undefined,
      options,
    );
    this.#onClear(this.#places.cache);
  }

  /** A marker is kept first: an entry that outlives it is void. */
  expire(key: string, ttlMs: number, retainMs: number, options?: CallOptions): Promise<boolean> {
    return changeExpiry(this.#places.partsOf(key), key, ttlMs, retainMs, options, {
      read: BUCKET_READ,
      expire: BUCKET_EXPIRE,
      isLive: async (client, { tags, sequence }, lifetime) => {
        const markers = await this.#cluster.tags.keep(client, tags, lifetime);
        return !tags.some((tag) => isVoidBy(markers.get(tag)!, sequence, tags));
      },
    });
  }

  protected async beginIn(
    client: RedisLike,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly FillStart[]> {
    const look = this.#cluster.head.look(client);
    const tags = hints?.tags ?? [];
    const markers = tags.length === 0 ? undefined : this.#cluster.tags.read(client, tags);
    const begun = new Array<Begun>(keys.length);
    const groups = groupKeys(this.#places, keys).flatMap(({ parts, keys: names, indexes }) =>
      chunks(names, KEYS_PER_FILL_SCRIPT).map(async (part, chunk) => {
        const lineages = part.map(() => String(newLineage()));
        const args = [String(this.parts.fillTimeoutMs), ...lineages];
        const reply = await this.#inBucket(client, parts, BUCKET_BEGIN, part, args);
        part.forEach((_, index) => {
          begun[indexes[chunk * KEYS_PER_FILL_SCRIPT + index]!] = {
            generation: Number(reply[0]),
            floor: Number(reply[2]),
            value: reply[REPLY_HEAD + 2 * index] as Buffer | null,
            lineage: String(reply[REPLY_HEAD + 2 * index + 1]),
          };
        });
      }),
    );
    const times = this.reads.times(client, keys, hints);
    const [sequence, read] = await Promise.all([look, markers, ...groups]);
    const values = begun.map(({ value }) => value);
    const entries = await this.reads.liveEntries(client, keys, values, hints, times, read);
    return keys.map((key, index): FillStart => {
      const { generation, floor, lineage } = begun[index]!;
      // Both numbers were handed out before the load starts, so it sees what either of them invalidated.
      const token: RedisFillToken = {
        key,
        sequence: Math.max(sequence, floor),
        generation,
        lineage,
        // Whatever voids an entry takes a number of the head, ends the fence, or makes a generation anew.
        claim: `${generation} ${lineage}`,
      };
      return { token, entry: entries[index] };
    });
  }

  /** Runs a script that answers nothing where the generation is lost; then that is made anew. */
  async #inBucket(
    client: RedisLike,
    parts: RedisStoreParts,
    script: RedisScript,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<readonly unknown[]> {
    const { generation, stamp } = parts;
    const names = [generation.key, ...keys.map((key) => generation.entryPrefix + key)];
    for (let attempt = 1; ; attempt++) {
      const reply = (await runScript(client, script, names, args)) as unknown[] | null;
      if (reply !== null) {
        generation.value = Number(reply[0]);
        stamp.compare(Number(reply[1]));
        return reply;
      }
      if (attempt > MOST_RECOVERIES) {
        throw new CacheBackendError(
          `The generation of ${this.#places.cache} is lost as often as it is made: look at the memory of the Cluster.`,
        );
      }
      await this.#places.recover(client, parts);
    }
  }
}
