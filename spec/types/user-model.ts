import { defineCache } from 'cachewell';

export interface Entity {
  readonly id: number;
}

export interface User extends Entity {
  readonly email: string;
}

export interface Order extends Entity {
  readonly total: bigint;
}

export const users = defineCache<[id: number], User>('users', { ttl: '10m' });
export const maybeUsers = defineCache<[id: number], User | null>('maybe-users');
export const texts = defineCache<[id: number, language?: string], string>('texts');
export const untyped = defineCache('untyped');

export declare function loadUser(id: number): Promise<User>;
export declare function loadOrder(id: number): Promise<Order>;
