import { Cacheable, CacheEvict, CachePut, Caching } from 'cachewell';
import { loadUser, type Entity, type User } from '../user-model.js';

export class Arguments {
  // @ts-expect-error TypeProblem<"'key' takes other parameter types than it is given">
  @Cacheable({ key: (id: string) => id })
  async type(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (id: 5) => id })
  async literal(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @CachePut({ key: (user: User) => user.id })
  async subtype(entity: Entity): Promise<Entity> {
    return entity;
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (id: number, language: number) => [id, language] })
  async second(id: number, language: string): Promise<string> {
    return `${id}${language}`;
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (...ids: number[]) => ids })
  async restOfOtherType(id: number, language: string): Promise<string> {
    return `${id}${language}`;
  }

  // @ts-expect-error 'key' takes more parameters than it is given
  @Cacheable({ key: (id: number, language: string) => [id, language] })
  async more(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' takes more parameters than it is given
  @CacheEvict({ key: (id: number) => id })
  async none(): Promise<void> {}

  // @ts-expect-error 'key' needs a parameter that the method may not get
  @Cacheable({ key: (id: number, language: string) => [id, language] })
  async optional(id: number, language?: string): Promise<string> {
    return `${id}${language ?? ''}`;
  }

  // @ts-expect-error 'key' needs a parameter that the method may not get
  @Cacheable({ key: (language: string) => language })
  async byDefault(language = 'en'): Promise<string> {
    return language;
  }

  // @ts-expect-error 'key' needs a parameter that the method may not get
  @Cacheable({ key: (first: string) => first })
  async rest(...path: string[]): Promise<string> {
    return path.join();
  }

  // @ts-expect-error 'key' needs types on its parameters, as in (id: number) => id
  @Cacheable({ key: (id) => id })
  async untyped(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' needs types on its parameters, as in (id: number) => id
  @Cacheable({ key: (...args) => args.length })
  async untypedRest(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'unless' needs types on its parameters, as in (id: number) => id
  @Cacheable({ key: (id: number) => id, unless: (user) => user !== null })
  async untypedResult(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' needs types on its parameters, as in (id: number) => id
  @Cacheable({ key: <Id extends number>(id: Id) => id })
  async genericCallback(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' needs types on its parameters, as in (id: number) => id
  @Cacheable({
    // @ts-expect-error Property 'email' does not exist on type 'never'
    key: (user) => user.email,
  })
  async usedUntyped(user: User): Promise<User> {
    return user;
  }

  // @ts-expect-error 'condition' takes other parameter types than it is given
  @Cacheable({ key: (id: number) => id, condition: (id: string) => id !== '' })
  async condition(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'refresh' takes more parameters than it is given
  @Cacheable({ refresh: (_id: number, isForced: boolean) => isForced })
  async refresh(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'tags' takes other parameter types than it is given
  @Cacheable({ tags: (id: string) => [id] })
  async tags(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'pattern' takes other parameter types than it is given
  @CacheEvict({ pattern: (id: string) => id })
  async pattern(id: number): Promise<void> {
    void id;
  }

  // @ts-expect-error 'keys' takes other parameter types than it is given
  @CacheEvict({ keys: (ids: string[]) => ids })
  async keys(ids: number[]): Promise<void> {
    void ids;
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Caching({ evict: [{ allEntries: true }, { cache: 'b', key: (id: string) => id }] })
  async several(id: number): Promise<void> {
    void id;
  }

  // @ts-expect-error 'key' needs types on its parameters, as in (id: number) => id
  @Caching({ evict: [{ cache: 'b', key: (id) => id }] })
  async untypedNested(id: number): Promise<void> {
    void id;
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (id: string) => id })
  static async fixed(id: number): Promise<User> {
    return loadUser(id);
  }

  overloaded(id: number): Promise<User>;
  overloaded(email: string): Promise<User>;
  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (email: string) => email })
  async overloaded(idOrEmail: number | string): Promise<User> {
    return loadUser(Number(idOrEmail));
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (value: string) => value })
  async generic<Value>(value: Value): Promise<Value> {
    return value;
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (user: User) => user.id })
  async constrained<Value extends Entity>(value: Value): Promise<Value> {
    return value;
  }

  // @ts-expect-error 'key' expects a 'this' that is not the method's class
  @Cacheable({
    key(this: { readonly tenant: string }, id: number) {
      return [this.tenant, id];
    },
  })
  async otherThis(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' expects a 'this' that is not the method's class
  @Cacheable({
    key(this: Arguments, id: number) {
      return id;
    },
  })
  static async staticThis(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (id: string) => id, unless: (user: User) => user.id === 0 })
  async besideRight(id: number): Promise<User> {
    return loadUser(id);
  }

  // @ts-expect-error 'condition' takes more parameters than it is given
  @Cacheable({
    key: (id: number) => id,
    condition: (id: number, other: string) => id > other.length,
  })
  async longerCondition(id: number): Promise<User> {
    return loadUser(id);
  }
}

/** In a generic class too: the constraint decides. */
export class GenericArguments<Row extends Entity> {
  // @ts-expect-error 'key' takes other parameter types than it is given
  @CachePut({ key: (row: User) => row.id })
  async save(row: Row): Promise<Row> {
    return row;
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (row: string) => row })
  async find(row: Row): Promise<Row> {
    return row;
  }

  // @ts-expect-error 'key' takes more parameters than it is given
  @Cacheable({ key: (row: Entity, id: number) => [row.id, id] })
  async more(row: Row): Promise<Row> {
    return row;
  }

  // @ts-expect-error 'key' takes other parameter types than it is given
  @Cacheable({ key: (rows: Row[]) => rows.length })
  async list(row: Row): Promise<Row> {
    return row;
  }
}
