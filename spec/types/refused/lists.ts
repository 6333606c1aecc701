import { Cacheable } from 'cachewell';
import type { Entity, Order, User } from '../user-model.js';

export class Lists<Row extends Entity> {
  // @ts-expect-error 'cacheErrors' and 'each' exclude each other
  @Cacheable({ each: { arg: 0 }, cacheErrors: [{ error: RangeError }] })
  async errors(ids: number[]): Promise<User[]> {
    void ids;
    return [];
  }

  // @ts-expect-error 'each.arg' 0 is not the position of a list
  @Cacheable({ each: { arg: 0 } })
  async single(id: number): Promise<User[]> {
    void id;
    return [];
  }

  // @ts-expect-error 'each.arg' 1 is not the position of a list
  @Cacheable({ each: { arg: 1 } })
  async absent(ids: number[]): Promise<User[]> {
    void ids;
    return [];
  }

  // @ts-expect-error 'each.arg' 0 is not the position of a list
  @Cacheable({ each: { arg: 0 } })
  async optional(ids?: number[]): Promise<User[]> {
    void ids;
    return [];
  }

  // @ts-expect-error 'each' needs a method that returns an array or a Map
  @Cacheable({ each: { arg: 0 } })
  async record(ids: number[]): Promise<Record<number, User>> {
    void ids;
    return {};
  }

  // @ts-expect-error 'each.idOf' needs a method that returns an array
  @Cacheable({ each: { arg: 0, idOf: (user: User) => user.id } })
  async map(ids: number[]): Promise<Map<number, User>> {
    void ids;
    return new Map();
  }

  // @ts-expect-error 'each.idOf' takes other parameter types than it is given
  @Cacheable({ each: { arg: 0, idOf: (order: Order) => order.id } })
  async items(ids: number[]): Promise<User[]> {
    void ids;
    return [];
  }

  // @ts-expect-error 'each.idOf' takes other parameter types than it is given
  @Cacheable({ each: { arg: 0, idOf: (order: Order) => order.id } })
  async rows(ids: number[]): Promise<Row[]> {
    void ids;
    return [];
  }

  // @ts-expect-error 'each.idOf' needs types on its parameters
  @Cacheable({ each: { arg: 0, idOf: (user) => user } })
  async untyped(ids: number[]): Promise<User[]> {
    void ids;
    return [];
  }

  // @ts-expect-error 'unless' takes other parameter types than it is given
  @Cacheable({ each: { arg: 0 }, unless: (users: User[]) => users.length === 0 })
  async wholeResult(ids: number[]): Promise<User[]> {
    void ids;
    return [];
  }
}
