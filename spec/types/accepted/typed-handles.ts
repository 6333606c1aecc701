import {
  Cacheable,
  CacheEvict,
  CachePut,
  cacheable,
  type CacheHandle,
  type CacheReference,
  type KeyGenerator,
} from 'cachewell';
import {
  loadUser,
  maybeUsers,
  texts,
  untyped,
  users,
  type Entity,
  type User,
} from '../user-model.js';

interface Admin extends User {
  readonly isAdmin: true;
}

declare const anyHandle: CacheHandle;
declare const reference: CacheReference;
declare const anyKey: KeyGenerator;

export class Typed {
  @Cacheable({ cache: users })
  async byArguments(id: number): Promise<User> {
    return loadUser(id);
  }

  @Cacheable({ cache: users, key: (name: string) => name.length })
  async byPart(name: string): Promise<User> {
    return loadUser(name.length);
  }

  @Cacheable({ cache: users, key: (name: string) => [name.length] })
  async byTuple(name: string): Promise<User | undefined> {
    return loadUser(name.length);
  }

  @Cacheable({ cache: users, key: (entity: Entity) => entity.id })
  async subtype(entity: Entity): Promise<Admin> {
    return { ...(await loadUser(entity.id)), isAdmin: true };
  }

  @Cacheable({ cache: [maybeUsers, 'by-name'], key: (id: number) => id })
  async nullable(id: number): Promise<User | null> {
    return id === 0 ? null : loadUser(id);
  }

  @Cacheable({ cache: texts })
  async optionalPart(id: number, language?: string): Promise<string> {
    return `${id}${language ?? ''}`;
  }

  @Cacheable({ cache: texts })
  async withoutOptionalPart(id: number): Promise<string> {
    return String(id);
  }

  @Cacheable({ cache: texts, key: (id: number, language: string) => [id, language] as const })
  async literalTuple(id: number, language: string): Promise<string> {
    return `${id}${language}`;
  }

  @Cacheable({ cache: users, keyGenerator: ({ args }) => [args.length] })
  async generated(text: string): Promise<User> {
    return loadUser(text.length);
  }

  @Cacheable({ cache: users, each: { arg: 0, idOf: (user: User) => user.id } })
  async list(ids: readonly number[]): Promise<User[]> {
    return Promise.all(ids.map(loadUser));
  }

  @Cacheable({ cache: users, keyGenerator: anyKey })
  async generatedSomehow(text: string): Promise<User> {
    return loadUser(text.length);
  }

  @Cacheable({ cache: users, key: undefined })
  async explicitUndefined(id: number): Promise<User> {
    return loadUser(id);
  }

  @CachePut({ cache: users, keyOf: (user: User) => user.id })
  async create(email: string): Promise<User> {
    return { id: 1, email };
  }

  @CacheEvict({ cache: users })
  async remove(id: number): Promise<void> {
    void id;
  }

  @CacheEvict({ cache: users, keys: (ids: number[]) => ids })
  async removeAll(ids: number[]): Promise<void> {
    void ids;
  }

  @CacheEvict({ cache: users, allEntries: true })
  async clear(reason: string): Promise<string> {
    return reason;
  }

  @CacheEvict({ cache: users, tags: (reason: string) => [reason] })
  async byTag(reason: string): Promise<void> {
    void reason;
  }

  @Cacheable({ cache: reference })
  async byReference(text: string): Promise<Date> {
    return new Date(text);
  }

  @Cacheable({ cache: [untyped, anyHandle] })
  async untyped(user: User): Promise<User> {
    return user;
  }
}

export class TypedRepository<Row extends User> {
  @Cacheable({ cache: users })
  async find(id: number): Promise<Row | undefined> {
    void id;
    return undefined;
  }
}

export const find = cacheable(loadUser, { cache: users });
