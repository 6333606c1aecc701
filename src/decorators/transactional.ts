import { transactionalMethod, type TransactionalOptions } from '../aspect/transactional-method.js';
import { wrappingDecorator } from './method-decorator.js';
import type { TransactionalDecorator } from './method-types.js';

/**
 * Runs each call of an asynchronous method in a transaction: see {@link CacheManager.transaction}. What the method, and
 * all that it awaits, puts into caches or evicts becomes visible to others when the method has succeeded, so it must
 * include the commit.
 *
 * It stands above the caching decorators of the method whose puts and evicts are to wait for the commit, and opens no
 * database transaction. Inside a method that runs in its caller's database transaction, `propagation: 'join'` keeps
 * everything until the caller's transaction ends.
 *
 * @throws {@link InvalidOptionError} when the class is defined with an option that is unknown or has no valid value
 * @throws {@link DecoratorUsageError} when it stands on anything but a method; at the call, as a rejection, when the
 * method gives no promise
 *
 * @example
 * ```ts
 * import { CacheEvict, Transactional } from 'cachewell';
 *
 * class Orders {
 *   @Transactional()
 *   async cancel(id: number): Promise<void> {
 *     // begin; update … ;
 *     await this.forget(id);
 *     // commit
 *   }
 *
 *   @CacheEvict({ cache: 'orders', key: (id: number) => id })
 *   async forget(id: number): Promise<void> {}
 * }
 * ```
 */
export function Transactional(options: TransactionalOptions = {}): TransactionalDecorator {
  return wrappingDecorator('Transactional', (method, site) =>
    transactionalMethod(method, site, options),
  ) as unknown as TransactionalDecorator;
}
