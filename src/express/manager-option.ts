import { InvalidOptionError } from '../errors.js';
import { CacheManager } from '../manager/cache-manager.js';
import { describeValue } from '../options.js';

/** Which manager a middleware uses: this one, the one that is given at each request, or the container's. */
export type ManagerOption = CacheManager | (() => CacheManager) | undefined;

/**
 * Checks the option `manager` of a middleware when it is made: what a wrong one does is then seen by whoever wrote it,
 * and not by the first client.
 *
 * @param owner - whose option it is, such as `httpCache`
 * @throws {@link InvalidOptionError} when it is neither a manager nor a function
 */
export function expectManagerOption(owner: string, given: ManagerOption): ManagerOption {
  if (given === undefined || typeof given === 'function' || given instanceof CacheManager) {
    return given;
  }
  throw new InvalidOptionError(
    `${owner}.manager`,
    `expected a CacheManager, or a function that gives one, got ${describeValue(given)}`,
  );
}
