import { Cacheable, CacheConfig, CacheEvict, CachePut, Caching } from 'cachewell';
import { loadOrder, loadUser, type Entity, type Order, type User } from '../user-model.js';

const search = Symbol('search');

interface Finder {
  find(id: number): Promise<User>;
}

abstract class Source {
  abstract load(id: number): Promise<User>;

  @Cacheable({ key: (id: number) => id })
  async find(id: number): Promise<User> {
    return this.load(id);
  }
}

@CacheConfig({ cache: 'users', ttl: '10m', tags: ['users'] })
export class Users extends Source implements Finder {
  readonly prefix = 'user';

  @Cacheable()
  async load(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({
    key: (id: number) => ['user', id],
    unless: (user: User, id: number) => user.id !== id,
  })
  override async find(id: number): Promise<User> {
    return super.find(id);
  }

  @Cacheable({ cache: 'count' })
  static async count(): Promise<number> {
    return 0;
  }

  @Cacheable({ key: (text: string) => text })
  async [search](text: string): Promise<readonly string[]> {
    return [text];
  }

  @Cacheable({ key: (id: number) => id, tags: ['fixed'] })
  async ['quoted name'](id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({ key: (id: number, language?: string) => [id, language] })
  async optional(id: number, language?: string): Promise<string> {
    return `${id}${language ?? ''}`;
  }

  @Cacheable({ key: (id: number) => id })
  async fewerParameters(id: number, log: (text: string) => void): Promise<string> {
    log('run');
    return String(id);
  }

  @Cacheable({ key: (language: string | undefined) => language })
  async byDefault(language = 'en'): Promise<string> {
    return language;
  }

  @Cacheable({ key: (...path: string[]) => path.join('/') })
  async rest(...path: string[]): Promise<string> {
    return path.join();
  }

  @Cacheable({ key: (root: string, ...path: (string | number)[]) => [root, ...path] })
  async restAfter(root: string, ...path: string[]): Promise<string> {
    return root + path.join();
  }

  @Cacheable({ key: (id: number | string, extra?: Date) => [id, extra] })
  async wider(id: number): Promise<string> {
    return String(id);
  }

  @Cacheable({ key: (entity: Entity) => entity.id, unless: (order: Entity) => order.id === 0 })
  async subtype(user: User): Promise<Order> {
    return loadOrder(user.id);
  }

  @Cacheable({ key: ({ id }: { id: number }) => id })
  async destructured({ id }: User): Promise<number> {
    return id;
  }

  @CacheEvict()
  async remove(id: number): Promise<void> {
    void id;
  }

  @CachePut({ key: (user: User) => user.id, unless: (result: User) => result.email === '' })
  async save(user: User): Promise<User> {
    return user;
  }

  @CachePut({ keyOf: (result: User) => result.id })
  async create(email: string): Promise<User> {
    return { id: 1, email };
  }

  @Caching({
    cacheable: { cache: 'by-id', key: (id: number) => id },
    put: [{ cache: 'by-email', keyOf: (user: User) => user.email }],
    evict: [
      { cache: 'lists', allEntries: true },
      { cache: 'names', key: (id: number) => id, beforeInvocation: true },
    ],
  })
  async several(id: number): Promise<User> {
    return loadUser(id);
  }
}

@CacheConfig({ sync: false })
export abstract class AbstractUsers {
  abstract find(id: number): Promise<User>;
}

@CacheConfig({ cache: ['first', 'second'] })
export class Single {
  static readonly only = new Single();

  private constructor() {}
}
