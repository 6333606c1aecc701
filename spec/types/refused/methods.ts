import { Cacheable, CacheEvict, CachePut, Caching } from 'cachewell';
import { loadUser, type User } from '../user-model.js';

export class Methods {
  // @ts-expect-error it must be async: a cached method returns a promise
  @Cacheable({ key: (id: number) => id })
  synchronous(id: number): number {
    return id;
  }

  // @ts-expect-error it must be async: a cached method returns a promise
  @CachePut()
  sometimes(id: number): User | Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error it must be async: a cached method returns a promise
  @CacheEvict()
  nothing(): void {}

  // @ts-expect-error it must be async: a cached method returns a promise
  @Cacheable()
  static generator(): Generator<number> {
    return [1].values() as unknown as Generator<number>;
  }

  // @ts-expect-error it must be async: a cached method returns a promise
  @Cacheable()
  async *stream(): AsyncGenerator<number> {
    yield 1;
  }

  // @ts-expect-error it must be async: a cached method returns a promise
  @Caching({ evict: [{ key: (id: number) => id }] })
  several(id: number): number {
    return id;
  }

  half(id: number): Promise<User>;
  half(id: string): User;
  // @ts-expect-error it must be async: a cached method returns a promise
  @Cacheable()
  half(id: number | string): Promise<User> | User {
    return loadUser(Number(id));
  }

  // @ts-expect-error it resolves to void: there is nothing to store
  @Cacheable()
  async resolvesVoid(): Promise<void> {}

  // @ts-expect-error it resolves to void: there is nothing to store
  @CachePut({ key: (id: number) => id })
  async resolvesUndefined(id: number): Promise<undefined> {
    void id;
  }

  // @ts-expect-error it resolves to void: there is nothing to store
  @Caching({ put: [{ key: (id: number) => id }], evict: { allEntries: true } })
  async putsVoid(id: number): Promise<void> {
    void id;
  }
}

export class GenericMethods<Row extends User> {
  // @ts-expect-error it must be async: a cached method returns a promise
  @Cacheable()
  synchronous(row: Row): Row {
    return row;
  }

  // @ts-expect-error it must be async: a cached method returns a promise
  @Cacheable()
  maybe(row: Row): Row | Promise<Row> {
    return row;
  }
}
