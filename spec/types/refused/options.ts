import { Cacheable, CacheConfig, CacheEvict, CachePut, Caching } from 'cachewell';
import { loadUser, type User } from '../user-model.js';

// @ts-expect-error 'refresh' does not exist in type 'CacheConfigOptions'
@CacheConfig({ ttl: '1m', refresh: true })
export class Options {
  // @ts-expect-error there is no option 'tll'
  @Cacheable({ key: (id: number) => id, tll: '10m' })
  async unknown(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error no properties in common with type 'CacheableOptions' / 'tll' does not exist in type 'CacheableOptions'
  @Cacheable({ tll: '10m' })
  async nothingElse(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error there is no option 'sync'
  @CachePut({ ttl: 1, sync: false })
  async ofAnother(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error there is no option 'unless'
  @CacheEvict({ cache: 'users', unless: () => true })
  async ofStoring(id: number): Promise<void> {
    void id;
  }

  // @ts-expect-error there is no option 'puts'
  @Caching({ evict: {}, puts: [] })
  async unknownOperation(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error there is no option 'keyOf'
  @Caching({ cacheable: { cache: 'a', keyOf: (user: User) => user.id } })
  async nested(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' and 'each' exclude each other
  @Cacheable({ each: { arg: 0 }, key: (ids: number[]) => ids })
  async keyedList(ids: number[]): Promise<User[]> {
    return Promise.all(ids.map(loadUser));
  }

  // @ts-expect-error 'key' and 'keyGenerator' exclude each other
  @Cacheable({ key: (id: number) => id, keyGenerator: ({ args }) => args.length })
  async twoKeys(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'keyOf' and 'key' exclude each other
  @CachePut({ key: (id: number) => id, keyOf: (user: User) => user.id })
  async keyWithKeyOf(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'keyOf' and 'keyGenerator' exclude each other
  @CachePut({ keyGenerator: ({ args }) => args.length, keyOf: (user: User) => user.id })
  async generatorWithKeyOf(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'keyOf' and 'beforeInvocation' exclude each other
  @CacheEvict({ keyOf: (user: User) => user.id, beforeInvocation: true })
  async keyOfBefore(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'allEntries' and 'key' exclude each other
  @CacheEvict({ allEntries: true, key: (id: number) => id })
  async allWithKey(id: number): Promise<void> {
    void id;
  }

  // @ts-expect-error 'key' and 'keys' exclude each other
  @CacheEvict({ keys: (id: number) => [id], key: (id: number) => id })
  async keyWithKeys(id: number): Promise<void> {
    void id;
  }

  // @ts-expect-error 'allEntries' and 'pattern' exclude each other
  @CacheEvict({ allEntries: true, pattern: 'a*' })
  async allWithPattern(): Promise<void> {}

  // @ts-expect-error 'keyOf' and 'key' exclude each other
  @Caching({ evict: [{ key: (id: number) => id, keyOf: (user: User) => user.id }] })
  async nestedExclusion(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'staleIfError' and 'idleTtl' exclude each other
  @Cacheable({ idleTtl: '1m', staleIfError: '1h' })
  async idleAndStale(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'staleWhileRevalidate' and 'idleTtl' exclude each other
  @CachePut({ idleTtl: '1m', staleWhileRevalidate: '1h' })
  async idleAndStalePut(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'refreshAhead' does not exist in type 'CachePutOptions'
  @CachePut({ refreshAhead: 0.8 })
  async aheadOfPut(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error Type '"often"' is not assignable to type 'RefreshAhead | undefined'
  @Cacheable({ refreshAhead: 'often' })
  async aheadOften(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error Type '"global"' is not assignable to type 'SyncMode | undefined'
  @Cacheable({ sync: 'global' })
  async global(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error Type '"10 minutes"' is not assignable to type
  @Cacheable({ ttl: '10 minutes' })
  async duration(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error Type '(id: number) => { id: number; }' is not assignable to type 'Callback<
  @Cacheable({ key: (id: number) => ({ id }) })
  async objectKey(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error Type '(id: number) => Promise<number>' is not assignable to type 'Callback<
  @Cacheable({ key: async (id: number) => id })
  async promisedKey(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error Type '(user: User) => number' is not assignable to type 'Callback<boolean>'
  @Cacheable({ unless: (user: User) => user.id })
  async countAsTruth(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error Type '(id: number) => string' is not assignable to type
  @Cacheable({ tags: (id: number) => `user:${id}` })
  async singleTag(id: number): Promise<User> {
    return loadUser(id);
  }
}
