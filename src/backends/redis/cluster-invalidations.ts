import type { CallOptions } from '../../cache/backend.js';
import type { PendingCall } from './call-deadlines.js';
import { bucketKey, BUCKETS, type ClusterKeys } from './cluster-keys.js';
import { raiseAll, type ClusterParts } from './cluster-places.js';
import { scanMasters } from './cluster-walk.js';
import type { InvalidationParts, RedisInvalidations } from './redis-invalidations.js';
import { escapeScanPattern } from './redis-keys.js';
import type { RedisLike } from './redis-like.js';
import { confirmOnReplicas } from './redis-wait.js';

const KEYS_PER_PAGE = 1000;

/** What a step of clearing all has found. */
interface Cleared {
  readonly isComplete: boolean;
  readonly lost: string;
  readonly caches: readonly string[];
}

/** Invalidations on a Cluster: a number from the head, then each marker or bucket, acknowledged by all of them. */
export class ClusterInvalidations implements RedisInvalidations {
  readonly #parts: InvalidationParts<ClusterKeys>;
  readonly #cluster: ClusterParts;

  constructor(parts: InvalidationParts<ClusterKeys>, cluster: ClusterParts) {
    this.#parts = parts;
    this.#cluster = cluster;
  }

  /**
   * When the sequence was lost, entries may carry higher numbers than it hands out now, and would withstand an
   * invalidation: it is not done before all caches were cleared.
   */
  async invalidateTags(
    tags: readonly string[],
    rule: string,
    options?: CallOptions,
  ): Promise<void> {
    const lost = await this.#call(
      'invalidateTags',
      (client) => {
        const markers = this.#cluster.tags;
        if (rule === '') return markers.invalidateEach(client, tags);
        return markers.invalidateByRule(client, tags[0]!, rule);
      },
      options,
    );
    if (lost !== '') await this.clearAll([], options);
  }

  async clearAll(known: readonly string[], options?: CallOptions): Promise<readonly string[]> {
    const first = await this.#clear(known, false, options);
    const { lost, caches } = first.isComplete
      ? first
      : await this.#clear([...known, ...(await this.#walk(options))], true, options);
    if (lost !== '') {
      await this.#call(
        'clearAll',
        (client) => this.#cluster.head.forgetLoss(client, lost),
        options,
      );
    }
    return caches;
  }

  #clear(
    caches: readonly string[],
    areAll: boolean,
    options: CallOptions | undefined,
  ): Promise<Cleared> {
    return this.#call(
      'clearAll',
      async (client) => {
        const found = await this.#cluster.head.clear(client, caches, areAll);
        const keys = found.caches.flatMap((cache) =>
          Array.from({ length: BUCKETS }, (_, bucket) => bucketKey(cache, bucket)),
        );
        await raiseAll(client, this.#cluster, keys, found.number);
        return found;
      },
      options,
    );
  }

  async #walk(options: CallOptions | undefined): Promise<readonly string[]> {
    const { connection, keys } = this.#parts;
    const match = `${escapeScanPattern(`{${keys.root}`)}*}`;
    const found = new Set<string>();
    let cursor = '0';
    do {
      const page = await connection.call(
        'clearAll',
        (client) => scanMasters(client, cursor, match, KEYS_PER_PAGE),
        (reply) => reply,
        options,
      );
      for (const key of page.keys) {
        const cache = keys.cacheOfGeneration(key);
        if (cache !== undefined) found.add(cache);
      }
      cursor = page.cursor;
    } while (cursor !== '0');
    return [...found];
  }

  #call<Result>(
    operation: string,
    work: (client: RedisLike) => Promise<Result>,
    options: CallOptions | undefined,
  ): Promise<Result> {
    const { connection, wait } = this.#parts;
    const send = async (client: RedisLike, call: PendingCall): Promise<Result> => {
      const result = await work(client);
      await confirmOnReplicas(client, wait, call);
      return result;
    };
    return connection.call(operation, send, (result) => result, options) as Promise<Result>;
  }
}
