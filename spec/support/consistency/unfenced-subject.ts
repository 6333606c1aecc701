import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { RedisBackend } from '#internal/backends/redis/redis-backend.js';
import type { BackendStore, CacheSpace } from '#internal/cache/backend.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { cacheSubject } from '#internal/testing/consistency/cache-subject.js';
import type { OpenSubject } from '#internal/testing/consistency/consistency-subject.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';

/** Stores loaded values whatever has happened since their loads began, as if there were no fences. */
class UnfencedBackend extends FaultyBackend {
  override open(space: CacheSpace): BackendStore {
    const store = super.open(space);
    return {
      ...store,
      store: (writes, options) =>
        store.store(
          writes.map((write) => ({ ...write, fence: { kind: 'set' } })),
          options,
        ),
    };
  }
}

/** The whole library but for its fences; in Redis where there is a `url`. */
export const openSubject: OpenSubject = ({ options }) => {
  const { url } = options as { readonly url?: string };
  const backend =
    url === undefined ? new MemoryBackend() : new RedisBackend({ url, commandTimeout: '5s' });
  return cacheSubject(new CacheManager({ backend: new UnfencedBackend(backend) }));
};
