import type {
  BackendStore,
  CallOptions,
  EntryWrite,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  ScanPage,
  ScanRequest,
  StoreOutcome,
  TurnHints,
} from '../../cache/backend.js';
import type { StoredEntry } from '../../cache/entry.js';
import type { KeyPattern } from '../../cache/key-pattern.js';
import type { MaybePromise } from '../../cache/maybe-promise.js';
import { CacheBackendError } from '../../errors.js';
import {
  ClusterPlaces,
  raiseAll,
  type ClusterParts,
  type ClusterWatchToken,
} from './cluster-places.js';
import { BUCKET_BEGIN, BUCKET_EXPIRE, BUCKET_READ, BUCKET_WATCH } from './cluster-scripts.js';
import { ClusterWalk } from './cluster-walk.js';
import { RELEASE } from './fill-scripts.js';
import { changeExpiry } from './redis-expiry.js';
import type { LeasedStore, RedisLeases } from './redis-leases.js';
import type { RedisLike } from './redis-like.js';
import { WATCH_MARK } from './redis-lua.js';
import { chunks, newLineage, type RedisFillToken, type RedisStoreParts } from './redis-parts.js';
import { RedisReads } from './redis-reads.js';
import { runScript, type RedisScript } from './redis-script.js';
import { confirmOnReplicas } from './redis-wait.js';
import { RedisWriter } from './redis-writer.js';
import { groupKeys } from './store-site.js';
import { isVoidBy } from './tag-marker.js';

const KEYS_PER_SCRIPT = 250;
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
export class ClusterStore implements BackendStore {
  readonly #parts: RedisStoreParts;
  readonly #cluster: ClusterParts;
  readonly #places: ClusterPlaces;
  readonly #reads: RedisReads;
  readonly #writer: RedisWriter;
  readonly #walk: ClusterWalk;
  readonly #onClear: (cache: string) => void;
  readonly #leases: RedisLeases;
  /** Readers compare tags themselves, so the scripts of leases get no prefix of markers. */
  readonly #leased: LeasedStore = {
    groupsOf: (keys) =>
      groupKeys(this.#places, keys).flatMap(({ parts: { generation }, keys: names }) =>
        chunks(names, KEYS_PER_SCRIPT).map((part) => ({
          generationKey: generation.key,
          tagPrefix: '',
          keys: part,
        })),
      ),
    nameOf: (key) => this.#places.partsOf(key).generation.entryPrefix + key,
    begin: (client, keys, hints) => this.#begin(client, keys, hints),
    release: (tokens) => this.release(tokens),
  };

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
    this.#cluster = cluster;
    this.#places = new ClusterPlaces(cache, parts, cluster);
    this.#parts = this.#places.buckets[0]!;
    this.#reads = new RedisReads(this.#parts, this.#places);
    this.#writer = new RedisWriter(this.#parts, this.#places);
    this.#walk = new ClusterWalk(this.#parts, this.#places, cluster);
    this.#onClear = onClear;
    this.#leases = leases;
  }

  get(key: string, hints?: ReadHints): Promise<StoredEntry | undefined> {
    return this.#reads.get(key, hints);
  }

  getMany(
    keys: readonly string[],
    hints?: ReadHints,
  ): MaybePromise<readonly (StoredEntry | undefined)[]> {
    return keys.length === 0 ? [] : this.#reads.getMany(keys, hints);
  }

  begin(keys: readonly string[], hints?: ReadHints): MaybePromise<readonly FillStart[]> {
    if (keys.length === 0) return [];
    return this.#parts.connection.call(
      'begin',
      (client) => this.#begin(client, keys, hints),
      (starts) => starts,
      hints,
    );
  }

  beginTurns(
    keys: readonly string[],
    hints?: TurnHints,
  ): MaybePromise<readonly (FillStart | LoadTurn)[]> {
    return keys.length === 0 ? [] : this.#leases.begin(this.#leased, keys, hints);
  }

  watch(options?: CallOptions): Promise<FillToken> {
    const { connection, fillTimeoutMs } = this.#parts;
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

  /** Sent without waiting; a token that is not given back is forgotten after `fillTimeout`. */
  release(tokens: readonly FillToken[]): void {
    const { connection } = this.#parts;
    const ours = (tokens as readonly RedisFillToken[]).filter(
      ({ lineage }) => lineage !== undefined && !lineage.startsWith(WATCH_MARK),
    );
    if (ours.length === 0) return;
    if (!connection.isAvailable) return this.#leases.free(ours);
    const tokenKeys = ours.map(({ key }) => key);
    connection
      .call(
        'release',
        (client) =>
          Promise.all(
            groupKeys(this.#places, tokenKeys).flatMap(({ parts, indexes }) =>
              chunks(indexes, KEYS_PER_SCRIPT).map((part) =>
                runScript(
                  client,
                  RELEASE,
                  part.map((index) => parts.generation.entryPrefix + ours[index]!.key),
                  part.map((index) => ours[index]!.lineage),
                ),
              ),
            ),
          ),
        () => undefined,
      )
      .catch(() => undefined);
    this.#leases.free(ours);
  }

  store(
    writes: readonly EntryWrite[],
    options?: CallOptions,
  ): MaybePromise<readonly StoreOutcome[]> {
    if (writes.length === 0) return [];
    const tokens = writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token]));
    return this.#leases.freeAfter(tokens, this.#writer.store(writes, options));
  }

  delete(keys: readonly string[], options?: CallOptions): MaybePromise<number> {
    if (keys.length === 0) return 0;
    for (const key of keys) this.#parts.pendingSets.overtake(key);
    return this.#walk.delete(keys, options);
  }

  deletePattern(pattern: KeyPattern, options?: CallOptions): Promise<number> {
    this.#parts.pendingSets.overtakeAll();
    return this.#walk.deletePattern(pattern, options);
  }

  async clear(options?: CallOptions): Promise<void> {
    const { connection, pendingSets, wait } = this.#parts;
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

  touch(key: string, retainMs: number): void {
    const { connection, generation } = this.#places.partsOf(key);
    if (!connection.isAvailable) return;
    connection
      .call(
        'touch',
        (client) => client.pexpire(generation.entryPrefix + key, Math.ceil(retainMs)),
        () => undefined,
      )
      .catch(() => undefined);
  }

  scan(request: ScanRequest): Promise<ScanPage> {
    return this.#walk.scan(request);
  }

  async #begin(
    client: RedisLike,
    keys: readonly string[],
    hints: ReadHints | undefined,
  ): Promise<readonly FillStart[]> {
    const look = this.#cluster.head.look(client);
    const tags = hints?.tags ?? [];
    const markers = tags.length === 0 ? undefined : this.#cluster.tags.read(client, tags);
    const begun = new Array<Begun>(keys.length);
    const groups = groupKeys(this.#places, keys).flatMap(({ parts, keys: names, indexes }) =>
      chunks(names, KEYS_PER_SCRIPT).map(async (part, chunk) => {
        const lineages = part.map(() => String(newLineage()));
        const args = [String(this.#parts.fillTimeoutMs), ...lineages];
        const reply = await this.#inBucket(client, parts, BUCKET_BEGIN, part, args);
        part.forEach((_, index) => {
          begun[indexes[chunk * KEYS_PER_SCRIPT + index]!] = {
            generation: Number(reply[0]),
            floor: Number(reply[2]),
            value: reply[REPLY_HEAD + 2 * index] as Buffer | null,
            lineage: String(reply[REPLY_HEAD + 2 * index + 1]),
          };
        });
      }),
    );
    const times = this.#reads.times(client, keys, hints);
    const [sequence, read] = await Promise.all([look, markers, ...groups]);
    const values = begun.map(({ value }) => value);
    const entries = await this.#reads.liveEntries(client, keys, values, hints, times, read);
    return keys.map((key, index): FillStart => {
      const { generation, floor, lineage } = begun[index]!;
      // Both numbers were handed out before the load starts, so it sees what either of them invalidated.
      const token = { key, sequence: Math.max(sequence, floor), generation, lineage };
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
