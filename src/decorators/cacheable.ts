import { adviseMethod } from '../aspect/advice.js';
import type { Method } from '../aspect/method-site.js';
import type { CacheableOptions } from '../aspect/operation-options.js';
import { makeOperation } from '../aspect/operation.js';
import { methodDecorator } from './method-decorator.js';
import type { AsyncFunction, CacheableDecorator, CheckedCacheable } from './method-types.js';

/**
 * Answers calls of an asynchronous method from a cache.
 *
 * A call looks its key up; a fresh entry is the answer, and the method does not run. Otherwise the method runs,
 * once for all concurrent callers of the key in this process, and its result is stored, unless it is `undefined`,
 * vetoed by `unless`, or was invalidated while the method ran. What the method throws is rejected with, the same
 * object. A cache that fails is bypassed and reported; see `onError`.
 *
 * Works under TC39 standard decorators and under `experimentalDecorators`.
 *
 * @throws {@link InvalidOptionError} when the class is defined with an option that is unknown or has no valid value
 * @throws {@link DecoratorUsageError} when it stands on anything but a method
 *
 * @example
 * ```ts
 * import { Cacheable } from 'cachewell';
 *
 * class Users {
 *   @Cacheable({ cache: 'users', key: (id: number) => id, ttl: '10m' })
 *   async find(id: number): Promise<{ id: number; name: string }> {
 *     return { id, name: `User ${id}` };
 *   }
 * }
 * ```
 */
export function Cacheable<const Options extends CacheableOptions>(
  options?: Options,
): CacheableDecorator<Options> {
  return methodDecorator('Cacheable', (member) => [
    makeOperation('cacheable', options ?? {}, member),
  ]) as unknown as CacheableDecorator<Options>;
}

/**
 * Does for a function what {@link Cacheable} does for a method. Without `cache` the cache has the function's name.
 *
 * @example
 * ```ts
 * import { cacheable } from 'cachewell';
 *
 * const rateOf = cacheable(async (currency: string) => (currency === 'EUR' ? 1 : 1.1), {
 *   cache: 'rates',
 *   ttl: '1h',
 * });
 * ```
 */
export function cacheable<Fn extends AsyncFunction, const Options extends CacheableOptions>(
  fn: Fn,
  options?: Options & CheckedCacheable<Fn, Options>,
): Fn {
  const site = { name: fn.name, kind: 'function' } as const;
  const operation = makeOperation('cacheable', options ?? {}, fn.name);
  return adviseMethod(fn as unknown as Method, site, [operation]) as unknown as Fn;
}
