import type { BackendStore } from '../../cache/backend.js';
import { InvalidOptionError } from '../../errors.js';
import { ClusterHead } from './cluster-head.js';
import { ClusterInvalidations } from './cluster-invalidations.js';
import { ClusterKeys } from './cluster-keys.js';
import { ClusterStore } from './cluster-store.js';
import { ClusterTags } from './cluster-tags.js';
import { bucketsPattern, scanMasters } from './cluster-walk.js';
import { PULSE, RECLAIM } from './invalidation-scripts.js';
import {
  ServerInvalidations,
  type InvalidationParts,
  type RedisInvalidations,
} from './redis-invalidations.js';
import { entryPrefix, escapeScanPattern, isBookkeeping, type RedisKeys } from './redis-keys.js';
import type { RedisLeases } from './redis-leases.js';
import type { RedisLike } from './redis-like.js';
import type { RedisStoreParts } from './redis-parts.js';
import { runScript } from './redis-script.js';
import { RedisStore } from './redis-store.js';

/** What differs between one server and a Cluster. Caches are named by what stands before their keys. */
export interface RedisTopology {
  readonly invalidations: RedisInvalidations;
  /** @param onClear - told which cache's entries have become void and can be freed */
  store(
    parts: RedisStoreParts,
    onClear: (cache: string) => void,
    leases: RedisLeases,
  ): BackendStore;
  /** Frees a page of void entries of a cache; resolves with the next cursor. */
  readonly free: (
    client: RedisLike,
    cache: string,
    cursor: string,
    count: number,
  ) => Promise<string>;
  /** Registers caches again, should the registry have been lost, and compares clocks. */
  pulse(client: RedisLike, caches: readonly string[]): Promise<void>;
}

/** One server, or the master of Sentinels. */
export function serverTopology(parts: InvalidationParts<RedisKeys>): RedisTopology {
  const { keys, stamp } = parts;
  return {
    invalidations: new ServerInvalidations(parts),
    store: (storeParts, onClear, leases) => new RedisStore(storeParts, onClear, leases),
    free: async (client, cache, cursor, count) => {
      const pattern = `${escapeScanPattern(entryPrefix(cache))}*`;
      const [next, names] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', count);
      const start = entryPrefix(cache).length;
      const entries = names.filter((name) => !isBookkeeping(name.slice(start)));
      if (entries.length > 0) await runScript(client, RECLAIM, [cache, ...entries], []);
      return String(next);
    },
    async pulse(client, caches) {
      stamp.compare(Number(await runScript(client, PULSE, [keys.registry, ...caches], [])));
    },
  };
}

/**
 * A Cluster.
 *
 * @throws {@link InvalidOptionError} for a prefix that would set hash tags of its own
 */
export function clusterTopology({
  keys: { root },
  ...parts
}: InvalidationParts<RedisKeys>): RedisTopology {
  const prefix = root.slice(0, -1);
  if (/[{}]/.test(prefix)) {
    throw new InvalidOptionError(
      'RedisBackend.prefix',
      `expected a text without braces on a Cluster, where they would decide about slots, got '${prefix}'`,
    );
  }
  const keys = new ClusterKeys(prefix);
  const { stamp, fillTimeoutMs } = parts;
  const head = new ClusterHead(keys, stamp, fillTimeoutMs);
  const tags = new ClusterTags(keys, head, stamp, fillTimeoutMs);
  const cluster = { head, tags, stamp };
  return {
    invalidations: new ClusterInvalidations({ ...parts, keys }, cluster),
    store: (storeParts, onClear, leases) =>
      new ClusterStore(storeParts.generation.key, storeParts, cluster, onClear, leases),
    free: async (client, cache, cursor, count) => {
      const page = await scanMasters(client, cursor, `${bucketsPattern(cache)}*`, count);
      const buckets = new Map<string, string[]>();
      for (const name of page.keys) {
        const bucket = name.slice(0, name.indexOf('}') + 1);
        if (isBookkeeping(name.slice(entryPrefix(bucket).length))) continue;
        buckets.set(bucket, [...(buckets.get(bucket) ?? []), name]);
      }
      await Promise.all(
        [...buckets].map(([bucket, names]) => runScript(client, RECLAIM, [bucket, ...names], [])),
      );
      return page.cursor;
    },
    pulse: (client, caches) => head.register(client, caches),
  };
}
