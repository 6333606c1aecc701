import { adviseMethod } from '../aspect/advice.js';
import type { Method } from '../aspect/method-site.js';
import type { CacheEvictOptions } from '../aspect/operation-options.js';
import { makeOperation } from '../aspect/operation.js';
import { methodDecorator } from './method-decorator.js';
import type { AsyncFunction, CacheEvictDecorator, CheckedCacheEvict } from './method-types.js';

/**
 * Makes entries void after an asynchronous method has succeeded, or, with `beforeInvocation`, before it runs.
 *
 * By key (all arguments, where nothing else is said), by `keys`, by `pattern`, by `tags`, or the whole cache with
 * `allEntries`. A load of such a key that is under way is not stored any more. When the method throws, nothing is
 * evicted, unless `beforeInvocation` did so already.
 *
 * @throws {@link InvalidOptionError} when the class is defined with an option that is unknown or has no valid value
 * @throws {@link DecoratorUsageError} when it stands on anything but a method, or two options exclude each other
 *
 * @example
 * ```ts
 * import { CacheEvict } from 'cachewell';
 *
 * class Users {
 *   @CacheEvict({ cache: 'users', key: (id: number) => id })
 *   async remove(id: number): Promise<void> {}
 * }
 * ```
 */
export function CacheEvict<const Options extends CacheEvictOptions>(
  options?: Options,
): CacheEvictDecorator<Options> {
  return methodDecorator('CacheEvict', (member) => [
    makeOperation('evict', options ?? {}, member),
  ]) as unknown as CacheEvictDecorator<Options>;
}

/**
 * Does for a function what {@link CacheEvict} does for a method. Without `cache` the cache has the function's name.
 *
 * @example
 * ```ts
 * import { cacheEvict } from 'cachewell';
 *
 * const remove = cacheEvict(async (id: number) => {}, { cache: 'users', key: (id: number) => id });
 * ```
 */
export function cacheEvict<Fn extends AsyncFunction, const Options extends CacheEvictOptions>(
  fn: Fn,
  options?: Options & CheckedCacheEvict<Fn, Options>,
): Fn {
  const site = { name: fn.name, kind: 'function' } as const;
  const operation = makeOperation('evict', options ?? {}, fn.name);
  return adviseMethod(fn as unknown as Method, site, [operation]) as unknown as Fn;
}
