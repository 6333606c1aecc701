import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { RedisBus } from '#internal/backends/redis/redis-bus.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { cacheSubject } from '#internal/testing/consistency/cache-subject.js';
import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';

/** What the specs tell the processes. */
export interface ClusterSubjectOptions {
  readonly nodes: readonly string[];
  /** Whether each process has memory over the Cluster, kept in step by a bus. @defaultValue false */
  readonly isTiered?: boolean;
  readonly maxStalenessMs?: number;
  /** @defaultValue 5000 */
  readonly commandTimeoutMs?: number;
  /** How many replicas must have an invalidation before it counts as acknowledged. @defaultValue 0 */
  readonly replicas?: number;
}

export const openSubject: OpenSubject = ({ options }) => {
  const { commandTimeoutMs = 5_000, replicas = 0, ...tiers } = options as ClusterSubjectOptions;
  const place = { cluster: { nodes: tiers.nodes }, commandTimeout: commandTimeoutMs };
  const redis = new RedisBackend({
    ...place,
    ...(replicas > 0 && { wait: { replicas, timeout: '100ms' } }),
  });
  const { maxStalenessMs } = tiers;
  const backend: CacheBackend =
    tiers.isTiered === true
      ? new TieredBackend({
          l2: redis,
          bus: new RedisBus(place),
          ...(maxStalenessMs !== undefined && { maxStaleness: maxStalenessMs }),
        })
      : redis;
  return cacheSubject(new CacheManager({ backend, logger: silentLogger }));
};
