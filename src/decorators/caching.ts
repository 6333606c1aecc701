import type { CachingOptions } from '../aspect/operation-options.js';
import { makeOperation, type Operation } from '../aspect/operation.js';
import { expectOptions, rejectUnknown } from '../options.js';
import { methodDecorator } from './method-decorator.js';
import type { CachingDecorator } from './method-types.js';

/**
 * Several operations on one asynchronous method, such as two evicts. They run in Spring's order: early evicts,
 * lookups, the method, puts, late evicts. Stacking the single decorators does the same.
 *
 * @throws {@link InvalidOptionError} when the class is defined with an option that is unknown or has no valid value
 * @throws {@link DecoratorUsageError} when it stands on anything but a method
 *
 * @example
 * ```ts
 * import { Caching } from 'cachewell';
 *
 * interface User {
 *   id: number;
 *   email: string;
 * }
 *
 * class Users {
 *   @Caching({
 *     put: { cache: 'users', key: (user: User) => user.id },
 *     evict: [{ cache: 'users-by-email', key: (user: User) => user.email }],
 *   })
 *   async save(user: User): Promise<User> {
 *     return user;
 *   }
 * }
 * ```
 */
export function Caching<const Options extends CachingOptions>(
  options: Options,
): CachingDecorator<Options> {
  return methodDecorator('Caching', (member) => {
    const owner = `@Caching on '${String(member)}'`;
    expectOptions(owner, options);
    rejectUnknown(owner, options, ['cacheable', 'put', 'evict']);
    return [
      ...operationsOf('cacheable', options.cacheable, member),
      ...operationsOf('put', options.put, member),
      ...operationsOf('evict', options.evict, member),
    ];
  }) as unknown as CachingDecorator<Options>;
}

function operationsOf(
  kind: Operation['kind'],
  given: object | readonly object[] | undefined,
  member: PropertyKey,
): readonly Operation[] {
  if (given === undefined) return [];
  const all = (Array.isArray(given) ? given : [given]) as readonly object[];
  return all.map((options) => makeOperation(kind, options, member));
}
