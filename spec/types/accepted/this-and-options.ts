import {
  Cacheable,
  CacheEvict,
  CachePut,
  JsonCodec,
  type CacheableOptions,
  type CacheManager,
  type KeyGenerator,
} from 'cachewell';
import { loadUser, type User } from '../user-model.js';

declare const manager: CacheManager;
declare const isCold: boolean;

const byMethod: KeyGenerator = ({ method, args }) => [String(method), args.length];
const shared = { ttl: '5m', jitter: 0.1 } as const;
const wide: CacheableOptions = { ttl: 5 };

export class Tenants {
  readonly tenant = 'a';
  readonly #secret = 1;

  @Cacheable({
    key(this: Tenants, id: number) {
      return [this.tenant, id];
    },
  })
  async shorthand(id: number): Promise<User> {
    return loadUser(id + this.#secret);
  }

  @Cacheable({
    key: function (this: { readonly tenant: string }, id: number) {
      return [this.tenant, id];
    },
    unless(this: Tenants, user: User) {
      return user.email === this.tenant;
    },
  })
  async structural(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({
    key(this: typeof Tenants, id: number) {
      return [this.name, id];
    },
  })
  static async fixed(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({ key: (id: number) => id })
  async ownThis(this: Tenants, id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({
    ...shared,
    cache: ['first', 'second'],
    key: (id: number) => id,
    condition: (id: number) => id > 0,
    refresh: (_id: number, isForced?: boolean) => isForced === true,
    unless: (user: User, id: number, isForced?: boolean) => user.id !== id && isForced !== true,
    ttl: '1.5h',
    nullTtl: 500,
    sync: 'local',
    tags: (id: number) => [`user:${id}`],
    tagsOf: (user: User) => [`email:${user.email}`],
    onError: 'throw',
    codec: new JsonCodec(),
    compress: true,
    manager: () => manager,
    cacheErrors: [
      { error: RangeError, ttl: '10s', revive: ({ message }) => new RangeError(message) },
    ],
  })
  async all(id: number, isForced?: boolean): Promise<User> {
    void isForced;
    return loadUser(id);
  }

  @Cacheable({
    key: (id: number) => id,
    sync: 'cluster',
    staleWhileRevalidate: '10s',
    staleIfError: '1h',
    staleThrottle: 5_000,
    softTimeout: '100ms',
    hardTimeout: '2s',
    refreshAhead: 'xfetch',
  })
  async inTime(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({ idleTtl: '5m', staleIfError: 0, refreshAhead: false })
  async idle(id: number): Promise<User> {
    return loadUser(id);
  }

  @CachePut({ key: (id: number) => id, staleIfError: '1h' })
  async staleAfterPut(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({ keyGenerator: byMethod, sync: false, manager, tags: ['a', 'b'] })
  async generated(user: User): Promise<User> {
    return user;
  }

  @Cacheable({ key: undefined, ttl: undefined, tags: undefined })
  async explicitUndefined(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({ key: isCold ? (id: number) => id : undefined })
  async sometimes(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable(wide)
  async unknownOptions(id: number): Promise<User> {
    return loadUser(id);
  }

  @CachePut({ key: (id: number) => [id] as const, ttl: 0 })
  async put(id: number): Promise<User> {
    return loadUser(id);
  }

  @CacheEvict({ keys: (ids: readonly number[]) => ids.map((id) => [id]), beforeInvocation: true })
  async keys(ids: number[]): Promise<void> {
    void ids;
  }

  @CacheEvict({
    key: (id: number) => id,
    pattern: (id: number) => `${id}:*`,
    tags: (id: number) => [String(id)],
  })
  async byPattern(id: number): Promise<void> {
    void id;
  }

  @CacheEvict({ keyOf: (result: number) => result, beforeInvocation: false, allEntries: false })
  async switchedOff(): Promise<number> {
    return 1;
  }

  @CacheEvict({ allEntries: true, beforeInvocation: true, tags: ['all'] })
  async clear(): Promise<void> {}
}
