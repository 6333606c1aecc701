import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { cacheSubject } from '#internal/testing/consistency/cache-subject.js';
import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';

export const openSubject: OpenSubject = ({ options }) => {
  const { nodes } = options as { readonly nodes: readonly string[] };
  const backend = new RedisBackend({ cluster: { nodes }, commandTimeout: '5s' });
  return cacheSubject(new CacheManager({ backend, logger: silentLogger }));
};
