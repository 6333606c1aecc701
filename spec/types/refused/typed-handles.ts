import { Cacheable, CacheEvict, CachePut, Caching } from 'cachewell';
import {
  loadOrder,
  loadUser,
  texts,
  users,
  type Entity,
  type Order,
  type User,
} from '../user-model.js';

export class Typed<Row extends Entity> {
  // @ts-expect-error TypeProblem<"the parameters are not the cache's key: give a 'key'">
  @Cacheable({ cache: users })
  async otherParameter(email: string): Promise<User> {
    return loadUser(email.length);
  }

  // @ts-expect-error the parameters are not the cache's key: give a 'key'
  @Cacheable({ cache: users })
  async moreParameters(id: number, isDeep: boolean): Promise<User> {
    void isDeep;
    return loadUser(id);
  }

  // @ts-expect-error the parameters are not the cache's key: give a 'key'
  @Cacheable({ cache: users, tags: ['tagged'] })
  async tagged(email: string): Promise<User> {
    return loadUser(email.length);
  }

  // @ts-expect-error the parameters are not the cache's key: give a 'key'
  @CacheEvict({ cache: users })
  async fewerParameters(): Promise<void> {}

  // @ts-expect-error 'key' builds other keys than the cache's
  @Cacheable({ cache: users, key: (email: string) => email })
  async otherKey(email: string): Promise<User> {
    return loadUser(email.length);
  }

  // @ts-expect-error 'key' builds other keys than the cache's
  @Cacheable({ cache: users, key: (id: number) => [id, 'en'] })
  async longerKey(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' builds other keys than the cache's
  @Cacheable({ cache: texts, key: (id: number, language: string) => [language, id] as const })
  async swappedKey(id: number, language: string): Promise<string> {
    return `${id}${language}`;
  }

  // @ts-expect-error 'keyGenerator' builds other keys than the cache's
  @Cacheable({ cache: users, keyGenerator: ({ method }) => String(method) })
  async otherGenerator(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'keyOf' builds other keys than the cache's
  @CachePut({ cache: users, keyOf: (user: User) => user.email })
  async otherKeyOf(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'keys' builds other keys than the cache's
  @CacheEvict({ cache: users, keys: (emails: string[]) => emails })
  async otherKeys(emails: string[]): Promise<void> {
    void emails;
  }

  // @ts-expect-error the result is not of the type of the cache
  @Cacheable({ cache: users, key: (id: number) => id })
  async otherResult(id: number): Promise<Order> {
    return loadOrder(id);
  }

  // @ts-expect-error the result is not of the type of the cache
  @Cacheable({ cache: users })
  async nullable(id: number): Promise<User | null> {
    return loadUser(id);
  }

  // @ts-expect-error the result is not of the type of the cache
  @CachePut({ cache: ['copies', users], key: (user: User) => user.id })
  async putOther(user: User): Promise<string> {
    return user.email;
  }

  // @ts-expect-error the result is not of the type of the cache
  @Cacheable({ cache: users })
  async generic(id: number): Promise<Row | undefined> {
    void id;
    return undefined;
  }

  // @ts-expect-error 'key' builds other keys than the cache's
  @Caching({
    evict: [
      { cache: 'all', allEntries: true },
      { cache: users, key: (user: User) => user.email },
    ],
  })
  async nested(user: User): Promise<User> {
    return user;
  }

  // @ts-expect-error the parameters are not the cache's key: give a 'key'
  @Cacheable({ cache: users, each: { arg: 0 } })
  async list(emails: string[]): Promise<User[]> {
    return emails.map((email, id) => ({ id, email }));
  }

  // @ts-expect-error the result is not of the type of the cache
  @Cacheable({ cache: users, each: { arg: 0, idOf: (order: Order) => order.id } })
  async otherItems(ids: number[]): Promise<Order[]> {
    return Promise.all(ids.map(loadOrder));
  }
}
