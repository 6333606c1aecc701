import { isPromiseLike } from '../cache/maybe-promise.js';
import {
  resolveTransactionOptions,
  type TransactionOptions,
} from '../cache/transaction/transaction-options.js';
import { DecoratorUsageError } from '../errors.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { locateManager } from '../manager/manager-locator.js';
import { copyFunction, ownerOf } from './advice.js';
import { classConfigOf } from './class-config.js';
import { noteWrapper, type Method, type MethodSite } from './method-site.js';
import { expectManagerOption } from './operation.js';

/** Options of `@Transactional`. */
export interface TransactionalOptions extends TransactionOptions {
  /** The manager, or a function that gives it. @defaultValue the instance's, else the container's */
  readonly manager?: CacheManager | (() => CacheManager) | undefined;
}

/**
 * Puts a wrapper in a method's place that runs each call in a transaction. It keeps `name`, `length` and the function's
 * own properties and metadata, reads `this` at the call, and rejects where the method would throw.
 */
export function transactionalMethod(
  given: Method,
  site: Pick<MethodSite, 'name' | 'kind'>,
  options: TransactionalOptions,
): Method {
  const owner = `@Transactional on '${String(site.name)}'`;
  const { propagation } = resolveTransactionOptions(options, owner, ['manager']);
  if (options.manager !== undefined) expectManagerOption(`${owner}.manager`, options.manager);
  const wrapper = async function (this: unknown, ...args: unknown[]): Promise<unknown> {
    const config = classConfigOf(ownerOf(site, this));
    const manager = locateManager(this, options.manager ?? config.manager);
    return manager.transaction(
      () => {
        const result = given.apply(this, args);
        if (isPromiseLike(result)) return result;
        throw new DecoratorUsageError(
          'Transactional',
          site.name,
          'it returned no promise; a transaction ends when the promise settles, so make it async',
        );
      },
      { propagation },
    );
  } as Method;
  copyFunction(given, wrapper);
  noteWrapper(wrapper, given);
  return wrapper;
}
