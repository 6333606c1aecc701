import { Cacheable, CacheEvict, CachePut, Caching } from 'cachewell';
import type { Entity, User } from '../user-model.js';

export class Generic {
  @Cacheable({ key: (id: string) => id, unless: (result: unknown) => result === null })
  async method<Value>(id: string, load: () => Promise<Value>): Promise<Value> {
    void id;
    return load();
  }

  @Cacheable({ key: (entity: Entity) => entity.id, unless: (result: Entity) => result.id === 0 })
  async constrained<Value extends Entity>(entity: Value): Promise<Value> {
    return entity;
  }

  @Cacheable({ key: (name: string, options: unknown) => [name, String(options)] })
  async keyed<Name extends keyof Entity, Options = undefined>(
    name: Name,
    options: Options,
  ): Promise<Entity[Name]> {
    void options;
    return { id: 1 }[name];
  }
}

/** Inside a generic class the class' type parameters are not known yet, only their constraints. */
export abstract class Repository<Row extends Entity, Id extends string | number = number> {
  abstract load(id: Id): Promise<Row>;

  @Cacheable({ key: (id: string | number) => id, unless: (row: Entity) => row.id === 0 })
  async find(id: Id): Promise<Row> {
    return this.load(id);
  }

  @Cacheable({ key: (id: Id) => id, unless: (row: Row, id: Id) => row.id === id })
  async byOwnParameters(id: Id): Promise<Row> {
    return this.load(id);
  }

  @Cacheable({
    unless: (row: Entity | null) => row === null,
    ttl: (row: Entity) => row.id,
    tagsOf: (row: Entity) => [String(row.id)],
  })
  async maybe(id: Id): Promise<Row | undefined> {
    return this.load(id);
  }

  @Cacheable({ unless: (rows: readonly Entity[]) => rows.length === 0 })
  async list(): Promise<Row[]> {
    return [];
  }

  @Cacheable({ key: (row: Partial<Entity>) => row.id })
  async like(row: Partial<Row>, ...more: Row[]): Promise<Map<Id, Row>> {
    void [row, more];
    return new Map();
  }

  @Cacheable()
  async without(id: Id): Promise<Row> {
    return this.load(id);
  }

  @CachePut({ key: (row: Entity) => row.id })
  async save(row: Row): Promise<Row> {
    return row;
  }

  @CachePut({ keyOf: (row: Entity, first: Entity) => [row.id, first.id] })
  async create(row: Row): Promise<Row> {
    return row;
  }

  @CacheEvict({ key: (row: Entity) => row.id })
  async remove(row: Row): Promise<void> {
    void row;
  }

  @Caching({
    evict: [
      { cache: 'a', key: (id: Id) => id },
      { cache: 'b', keys: (id: Id) => [[id, 1], id] },
    ],
  })
  async removeAll(id: Id): Promise<void> {
    void id;
  }

  @Cacheable({ each: { arg: 0, idOf: (row: Entity) => row.id } })
  async findMany(ids: readonly Id[]): Promise<Row[]> {
    return Promise.all(ids.map((id) => this.load(id)));
  }

  @Cacheable({
    key: (id: number) => id,
    condition: (id: number, deep?: boolean) => id > 0 && deep === true,
  })
  async fluent(id: number, deep?: boolean): Promise<this> {
    void [id, deep];
    return this;
  }
}

export class Users extends Repository<User> {
  async load(id: number): Promise<User> {
    return { id, email: '' };
  }

  @Cacheable({ key: (id: number) => id, unless: (user: User) => user.email === '' })
  override async find(id: number): Promise<User> {
    return super.find(id);
  }
}

export class Overloaded<Row extends Entity> {
  find(id: number): Promise<User>;
  find(email: string, strict?: boolean): Promise<User | null>;
  @Cacheable({
    key: (idOrEmail: number | string) => idOrEmail,
    unless: (user: User | null) => user === null,
    condition: (idOrEmail: number | string, strict?: boolean) =>
      idOrEmail !== '' && strict !== false,
  })
  async find(idOrEmail: number | string, strict?: boolean): Promise<User | null> {
    void [idOrEmail, strict];
    return null;
  }

  load(): Promise<Row[]>;
  load(id: number): Promise<Row>;
  load<Key extends keyof Row>(id: number, key: Key): Promise<Row[Key]>;
  @Cacheable({ key: (id?: number, key?: PropertyKey) => [id, String(key)] })
  async load(...args: [id?: number, key?: keyof Row]): Promise<unknown> {
    return args;
  }
}
