import { makeClassConfig } from '../aspect/operation.js';
import { setClassConfig } from '../aspect/class-config.js';
import type { CacheConfigOptions } from '../aspect/operation-options.js';
import { DecoratorUsageError } from '../errors.js';
import type { CacheConfigDecorator } from './method-types.js';

/**
 * Defaults for all caching decorators of a class and its subclasses. What stands at a method wins over the class,
 * the class over its superclass, the superclass over the cache's definition and the manager.
 *
 * @throws {@link InvalidOptionError} when the class is defined with an option that is unknown or has no valid value
 *
 * @example
 * ```ts
 * import { Cacheable, CacheConfig } from 'cachewell';
 *
 * @CacheConfig({ cache: 'users', ttl: '10m' })
 * class Users {
 *   @Cacheable()
 *   async find(id: number): Promise<{ id: number }> {
 *     return { id };
 *   }
 * }
 * ```
 */
export function CacheConfig(options: CacheConfigOptions): CacheConfigDecorator {
  return ((
    owner: unknown,
    context?: PropertyKey | { readonly kind?: string; readonly name?: PropertyKey },
  ) => {
    const isMember = typeof context === 'object' ? context.kind !== 'class' : context !== undefined;
    if (typeof owner !== 'function' || isMember) {
      const member = typeof context === 'object' ? (context.name ?? '') : (context ?? '');
      throw new DecoratorUsageError(
        'CacheConfig',
        member,
        'it decorates classes only; move it above the class',
      );
    }
    setClassConfig(owner, makeClassConfig(options, owner.name));
  }) as CacheConfigDecorator;
}
