import { Cacheable, CacheConfig, CacheEvict, CachePut, Caching } from 'cachewell';
import { loadUser, type User } from '../user-model.js';

// @ts-expect-error only a method can be decorated, not this class
@Cacheable()
export class Positions {
  // @ts-expect-error only a method can be decorated, not this field
  @Cacheable({ ttl: '1m' })
  field = async (id: number): Promise<User> => loadUser(id);

  // @ts-expect-error only a method can be decorated, not this getter / only a method can be decorated, not this accessor
  @CachePut()
  get value(): string {
    return '';
  }

  // @ts-expect-error only a method can be decorated, not this setter / only a method can be decorated, not this accessor
  @CacheEvict()
  set text(_value: string) {
    void _value;
  }

  // @ts-expect-error only a method can be decorated, not this accessor
  @Caching({ evict: { allEntries: true } })
  accessor count = 1;

  // @ts-expect-error @CacheConfig stands above a class
  @CacheConfig({ ttl: '1m' })
  async method(): Promise<void> {}

  // @ts-expect-error @CacheConfig stands above a class
  @CacheConfig({ ttl: '1m' })
  other = 1;
}
