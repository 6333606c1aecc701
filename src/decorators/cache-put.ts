import { adviseMethod } from '../aspect/advice.js';
import type { Method } from '../aspect/method-site.js';
import type { CachePutOptions } from '../aspect/operation-options.js';
import { makeOperation } from '../aspect/operation.js';
import { methodDecorator } from './method-decorator.js';
import type { AsyncFunction, CachePutDecorator, CheckedCachePut } from './method-types.js';

/**
 * Runs an asynchronous method in every call and stores its result.
 *
 * The store's token is taken before the method runs. When the key was invalidated or put by someone else since,
 * nobody can know which value is newer: nothing is stored, and the key is made void. A result of `undefined`
 * deletes the key; `unless` leaves what is there. When the method throws, nothing changes.
 *
 * @throws {@link InvalidOptionError} when the class is defined with an option that is unknown or has no valid value
 * @throws {@link DecoratorUsageError} when it stands on anything but a method
 *
 * @example
 * ```ts
 * import { CachePut } from 'cachewell';
 *
 * interface User {
 *   id: number;
 *   name: string;
 * }
 *
 * class Users {
 *   @CachePut({ cache: 'users', key: (user: User) => user.id })
 *   async save(user: User): Promise<User> {
 *     return { ...user };
 *   }
 * }
 * ```
 */
export function CachePut<const Options extends CachePutOptions>(
  options?: Options,
): CachePutDecorator<Options> {
  return methodDecorator('CachePut', (member) => [
    makeOperation('put', options ?? {}, member),
  ]) as unknown as CachePutDecorator<Options>;
}

/**
 * Does for a function what {@link CachePut} does for a method. Without `cache` the cache has the function's name.
 *
 * @example
 * ```ts
 * import { cachePut } from 'cachewell';
 *
 * const save = cachePut(async (user: { id: number }) => user, {
 *   cache: 'users',
 *   key: (user: { id: number }) => user.id,
 * });
 * ```
 */
export function cachePut<Fn extends AsyncFunction, const Options extends CachePutOptions>(
  fn: Fn,
  options?: Options & CheckedCachePut<Fn, Options>,
): Fn {
  const site = { name: fn.name, kind: 'function' } as const;
  const operation = makeOperation('put', options ?? {}, fn.name);
  return adviseMethod(fn as unknown as Method, site, [operation]) as unknown as Fn;
}
