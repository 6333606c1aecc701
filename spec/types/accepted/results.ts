import { Cacheable, CacheEvict, CachePut } from 'cachewell';
import { loadOrder, loadUser, type Entity, type Order, type User } from '../user-model.js';

class TracedPromise<Value> extends Promise<Value> {
  readonly traceId = '';
}

export class Results {
  @Cacheable({ unless: (found: User | Order) => found.id === 0 })
  either(isUser: boolean): Promise<User> | Promise<Order> {
    return isUser ? loadUser(1) : loadOrder(1);
  }

  @Cacheable({ unless: (user: User) => user.id === 0 })
  traced(id: number): TracedPromise<User> {
    return TracedPromise.resolve(loadUser(id)) as TracedPromise<User>;
  }

  @Cacheable({ unless: (user: Entity) => user.id === 0 })
  thenable(id: number): PromiseLike<User> {
    return loadUser(id);
  }

  @Cacheable({
    unless: (user: User) => user.id === 0,
    ttl: (user: User) => user.id,
    tagsOf: (user: User) => [user.email],
  })
  async absent(id: number): Promise<User | undefined> {
    return id === 0 ? undefined : loadUser(id);
  }

  @Cacheable({ unless: (user: User) => user.email === '' })
  async voidOr(id: number): Promise<User | void> {
    return id === 0 ? undefined : loadUser(id);
  }

  @Cacheable({ nullTtl: '10s', unless: (user: User | null) => user === null })
  async nullable(id: number): Promise<User | null> {
    return id === 0 ? null : loadUser(id);
  }

  @Cacheable({ unless: (result: string) => result === '' })
  async anything(): Promise<any> {
    return 1;
  }

  @Cacheable({ unless: (result: unknown) => result === '' })
  async unknown(): Promise<unknown> {
    return 1;
  }

  @Cacheable({ cacheErrors: [{ error: RangeError, ttl: '1s' }] })
  async never(): Promise<never> {
    throw new RangeError();
  }

  @CacheEvict({ keyOf: (result: User | undefined, id: number) => [result?.id, id] })
  async evictByResult(id: number): Promise<User | undefined> {
    return loadUser(id);
  }

  @CachePut({ keyOf: (user: User | undefined) => user?.id })
  async putByResult(id: number): Promise<User | undefined> {
    return loadUser(id);
  }

  @CacheEvict({ keyOf: (_result: void, id: number) => id })
  async evictVoid(id: number): Promise<void> {
    void id;
  }

  @Cacheable({
    ttl: (user: User, id: number) => (user.id === id ? '1h' : 0),
    nullTtl: (_: User) => 1000,
  })
  async computedTtl(id: number): Promise<User> {
    return loadUser(id);
  }
}
