import { InvalidOptionError } from '../errors.js';
import { describeValue } from '../options.js';
import { CacheManager } from './cache-manager.js';

/**
 * How a decorated method finds its manager: the operation's `manager` option, else the manager bound to the
 * instance, else the container's.
 */

const bound = new WeakMap<object, CacheManager>();
const kept = new Set<CacheManager>();
let findDefault: (() => CacheManager) | undefined;
let currentEpoch = 0;

/**
 * Makes the decorated methods of one instance use a manager, such as a tenant's.
 *
 * @throws {@link InvalidOptionError} when the instance or the manager is none
 */
export function bindCacheManager(instance: object, manager: CacheManager): void {
  if (typeof instance !== 'function' && (typeof instance !== 'object' || instance === null)) {
    throw new InvalidOptionError(
      'bindCacheManager',
      `expected an instance or a class, got ${describeValue(instance)}`,
    );
  }
  expectManager('bindCacheManager', manager);
  bound.set(instance, manager);
  currentEpoch++;
}

/** Says where the manager of last resort comes from. Called once, by the container's integration. */
export function setDefaultManager(find: () => CacheManager): void {
  findDefault = find;
}

/** Changes whenever a manager that was found before may no longer be the right one. */
export function managerEpoch(): number {
  return currentEpoch;
}

/**
 * The manager of a call.
 *
 * @param self - the instance, or the class for static methods
 * @param explicit - the operation's or the class' `manager` option
 */
export function locateManager(
  self: unknown,
  explicit: CacheManager | (() => CacheManager) | undefined,
): CacheManager {
  if (explicit !== undefined) {
    return expectManager('manager', typeof explicit === 'function' ? explicit() : explicit);
  }
  const own = typeof self === 'object' || typeof self === 'function' ? ownManager(self) : undefined;
  if (own !== undefined) return own;
  if (findDefault === undefined) {
    throw new InvalidOptionError(
      'manager',
      "there is no CacheManager to use; import 'cachewell' once, or pass a manager to the decorator",
    );
  }
  const manager = findDefault();
  kept.add(manager);
  return manager;
}

/** Makes decorated methods look for their managers again: a container was given another one. */
export function forgetLookups(): void {
  currentEpoch++;
}

/** Forgets every manager found by default, and closes them. Rejects when one cannot be closed, after all have been. */
export async function forgetManagers(): Promise<void> {
  currentEpoch++;
  const closings = [...kept].map((manager) => manager.close());
  kept.clear();
  await Promise.allSettled(closings);
  await Promise.all(closings);
}

function ownManager(self: object | null): CacheManager | undefined {
  if (self === null) return undefined;
  const explicit = bound.get(self);
  if (explicit !== undefined) return explicit;
  const property = (self as { readonly cacheManager?: unknown }).cacheManager;
  return property instanceof CacheManager ? property : undefined;
}

/** @throws {@link InvalidOptionError} when it is none */
export function expectManager(option: string, manager: unknown): CacheManager {
  if (manager instanceof CacheManager) return manager;
  throw new InvalidOptionError(option, `expected a CacheManager, got ${describeValue(manager)}`);
}
