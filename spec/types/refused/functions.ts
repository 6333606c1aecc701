import { cacheable, cacheEvict, cachePut } from 'cachewell';
import { loadUser, users, type Order, type User } from '../user-model.js';

// @ts-expect-error Argument of type '(id: number) => number' is not assignable to parameter of type 'AsyncFunction'
export const synchronous = cacheable((id: number) => id);

// @ts-expect-error 'key' takes other parameter types than it is given
export const argument = cacheable(loadUser, { key: (id: string) => id });

// @ts-expect-error 'key' needs types on its parameters, as in (id: number) => id
export const untyped = cacheable(loadUser, { key: (id) => id });

// @ts-expect-error 'unless' takes other parameter types than it is given
export const result = cacheable(loadUser, { unless: (order: Order) => order.id === 0 });

// @ts-expect-error there is no option 'tll'
export const unknown = cacheable(loadUser, { key: (id: number) => id, tll: '1m' });

// @ts-expect-error 'keyOf' and 'key' exclude each other
export const keys = cachePut(loadUser, { keyOf: (user: User) => user.id, key: (id: number) => id });

export const early = cacheEvict(loadUser, {
  keyOf: (user: User) => user.id,
  // @ts-expect-error 'keyOf' and 'beforeInvocation' exclude each other
  beforeInvocation: true,
});

// @ts-expect-error it resolves to void: there is nothing to store
export const nothing = cacheable(async (id: number) => void id, { key: (id: number) => id });

// @ts-expect-error the parameters are not the cache's key: give a 'key'
export const handle = cacheable(async (email: string) => ({ id: 1, email }), { cache: users });
