import type { Cache } from '#internal/cache/cache.js';
import { cachePut } from '#internal/decorators/cache-put.js';
import type { CacheManager } from '#internal/manager/cache-manager.js';
import type { StaleWatch } from './stale-watch.js';

/** The ways to say that an origin has changed. Their number shares no factor with that of the keys of a pair. */
export const WRITE_KINDS = [
  'delete',
  'tag',
  'delete many',
  'set',
  'expire',
  'tags, all of them',
  'clear',
  'clear all',
  'pattern',
  'put',
  'transaction',
] as const;

export type WriteKind = (typeof WRITE_KINDS)[number];

/** The tag of every entry of a pair, beside one of its own that reads as its key. */
export const COMMON_TAG = 'all';

/** Clears leave nothing to read; of those that are due, so many become one. */
const CLEARS_TO_ONE = 8;

/** Changes the origin of a pair of nodes, and tells its cache so in each way in turn. */
export class PairWriter {
  readonly #manager: CacheManager;
  readonly #cache: Cache<readonly [key: string], number>;
  readonly #watch: StaleWatch;
  readonly #put: (key: string) => Promise<number>;
  #step = 0;
  #deferred = 0;

  /** @param name - of the cache, which is made to throw, so that what is deferred does not count as acknowledged */
  constructor(manager: CacheManager, name: string, watch: StaleWatch) {
    this.#manager = manager;
    this.#watch = watch;
    this.#cache = manager.cache(name, { onError: 'throw' });
    this.#put = cachePut(async (key: string) => watch.current(key), {
      cache: name,
      key: (key: string) => key,
      tagsOf: (_value: number, key: string) => [key, COMMON_TAG],
      manager,
    });
    manager.on('deferred', () => this.#deferred++);
  }

  /**
   * Changes what is under the next of the keys, and resolves with the way in which that was told once it is
   * acknowledged.
   *
   * @throws what the cache throws when it was not acknowledged: then there is no promise yet for the other node
   */
  async write(keys: readonly string[]): Promise<WriteKind> {
    const step = this.#step++;
    const key = keys[step % keys.length]!;
    const due = WRITE_KINDS[step % WRITE_KINDS.length]!;
    const isClear = due === 'clear' || due === 'clear all';
    const isRare = Math.floor(step / WRITE_KINDS.length) % CLEARS_TO_ONE === 0;
    const kind = isClear && !isRare ? 'delete' : due;
    const acknowledge = this.#watch.write(key);
    await this.#tell(kind, key);
    acknowledge();
    return kind;
  }

  async #tell(kind: WriteKind, key: string): Promise<void> {
    const cache = this.#cache;
    switch (kind) {
      case 'delete':
        await cache.delete(key);
        break;
      case 'tag':
        await this.#manager.invalidateTags(key);
        break;
      case 'delete many':
        await cache.deleteMany([key, 'another']);
        break;
      case 'set':
        await this.#set(key);
        break;
      case 'expire':
        await cache.expire(key, 0);
        break;
      case 'tags, all of them':
        await cache.invalidateTags({ all: [key, COMMON_TAG] });
        break;
      case 'clear':
        await cache.clear();
        break;
      case 'clear all':
        await this.#manager.clearAll();
        break;
      case 'pattern':
        await cache.deletePattern(key);
        break;
      case 'put':
        await this.#put(key);
        break;
      case 'transaction':
        await this.#commit(key);
    }
  }

  #set(key: string): Promise<unknown> {
    return this.#cache.set(key, this.#watch.current(key), { tags: [key, COMMON_TAG] });
  }

  /** An eviction and a put of one key that become visible together, and to the one who made them before. */
  async #commit(key: string): Promise<void> {
    const deferredBefore = this.#deferred;
    await this.#manager.transaction(async () => {
      await this.#cache.delete(key);
      const absent = await this.#cache.get(key);
      if (absent !== undefined) this.#watch.ownWritesMissed++;
      const value = this.#watch.current(key);
      await this.#set(key);
      if ((await this.#cache.get(key)) !== value) this.#watch.ownWritesMissed++;
    });
    // A commit never fails for the cache's sake; that its invalidations were kept is an event.
    if (this.#deferred > deferredBefore) throw new Error(`The commit of '${key}' was deferred.`);
  }
}
