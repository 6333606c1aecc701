import { Cacheable, CacheEvict, CachePut } from 'cachewell';
import { loadUser, type Entity, type Order, type User } from '../user-model.js';

export class Results {
  // @ts-expect-error TypeProblem<"'unless' takes other parameter types than it is given">
  @Cacheable({ unless: (result: string) => result === '' })
  async unless(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'unless' takes other parameter types than it is given
  @Cacheable({ unless: (user: User) => user.id === 0 })
  async nullable(id: number): Promise<User | null> {
    return loadUser(id);
  }

  // @ts-expect-error 'unless' takes other parameter types than it is given
  @Cacheable({ unless: (user: Promise<User>) => user instanceof Promise })
  async promised(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'unless' takes other parameter types than it is given
  @Cacheable({ unless: (_user: User, id: string) => id === '' })
  async argument(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'unless' takes more parameters than it is given
  @Cacheable({ unless: (_user: User, id: number, language: string) => id === language.length })
  async more(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'ttl' takes other parameter types than it is given
  @Cacheable({ ttl: (id: number) => id })
  async ttl(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'nullTtl' takes other parameter types than it is given
  @CachePut({ nullTtl: (id: number) => id })
  async nullTtl(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'tagsOf' takes other parameter types than it is given
  @Cacheable({ tagsOf: (order: Order) => [String(order.total)] })
  async tagsOf(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'keyOf' takes other parameter types than it is given
  @CachePut({ keyOf: (user: User) => user.id })
  async keyOf(id: number): Promise<User | undefined> {
    return loadUser(id);
  }

  // @ts-expect-error 'keyOf' takes other parameter types than it is given
  @CacheEvict({ keyOf: (id: number) => id })
  async evictByResult(id: number): Promise<void> {
    void id;
  }

  // @ts-expect-error 'unless' takes other parameter types than it is given
  @Cacheable({ unless: (user: User) => user.id === 0 })
  either(isUser: boolean): Promise<User> | Promise<Order> {
    return isUser ? loadUser(1) : Promise.resolve({ id: 1, total: 1n });
  }

  overloaded(id: number): Promise<User>;
  overloaded(id: string): Promise<Order>;
  // @ts-expect-error 'unless' takes other parameter types than it is given
  @Cacheable({ unless: (order: Order) => order.id === 0 })
  async overloaded(id: number | string): Promise<unknown> {
    return id;
  }

  // @ts-expect-error 'unless' takes other parameter types than it is given
  @Cacheable({ unless: (user: User) => user.id === 0 })
  async generic<Row extends Entity>(row: Row): Promise<Row> {
    return row;
  }
}

export class GenericResults<Row extends Entity> {
  // @ts-expect-error 'unless' takes other parameter types than it is given
  @Cacheable({ unless: (user: User) => user.id === 0 })
  async find(row: Row): Promise<Row> {
    return row;
  }

  // @ts-expect-error 'tagsOf' takes other parameter types than it is given
  @Cacheable({ tagsOf: (rows: Row[]) => rows.map(String) })
  async one(row: Row): Promise<Row> {
    return row;
  }
}
