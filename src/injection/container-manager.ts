import {
  container as globalContainer,
  type DependencyContainer,
  type InjectionToken,
} from 'tsyringe';
import { consoleLogger } from '../cache/cache-logger.js';
import { CacheConfigurationError, isCacheError } from '../errors.js';
import { CacheManager } from '../manager/cache-manager.js';
import type { CacheManagerOptions } from '../manager/manager-options.js';
import { forgetManagers, setDefaultManager } from '../manager/manager-locator.js';
import {
  CacheBackend,
  CacheClock,
  CacheCodec,
  CacheCompressor,
  CacheLogger,
  CacheOptions,
} from './tokens.js';

/**
 * Registers the manager of a container: a factory that closes over that container and one instance, so that child
 * containers, such as one per request, share it. The manager has no `dispose` method: disposing of a child
 * container cannot end it.
 */
export function registerManager(owner: DependencyContainer): void {
  let manager: CacheManager | undefined;
  let builtWithBackend = false;
  let isWarned = false;
  owner.register(CacheManager, {
    useFactory: (requester) => {
      if (hasBackendBelow(owner, requester)) {
        throw new CacheConfigurationError(
          'A CacheBackend is registered in a child container that has no manager of its own, so it would be ignored. Call configureCaching(child, { backend }) to give that container its own caches.',
        );
      }
      if (manager === undefined || manager.isClosed) {
        builtWithBackend = owner.isRegistered(CacheBackend, true);
        manager = build(owner, manager);
      } else if (!builtWithBackend && !isWarned && owner.isRegistered(CacheBackend, true)) {
        isWarned = true;
        const logger = resolveOptional<CacheLogger>(owner, CacheLogger) ?? consoleLogger();
        logger.warn(
          'A CacheBackend was registered after the CacheManager had been built, and is not used. Register it before the first cached call.',
        );
      }
      return manager;
    },
  });
}

/** Whether a backend is registered in the requesting container or in one between it and the owner. */
function hasBackendBelow(owner: DependencyContainer, requester: DependencyContainer): boolean {
  let each: ContainerInTree | undefined = requester as ContainerInTree;
  for (; each !== undefined && each !== owner; each = each.parent) {
    if (each.isRegistered(CacheBackend)) return true;
  }
  return false;
}

/** What tsyringe's containers have beside their interface: the one that they were made from. */
type ContainerInTree = DependencyContainer & { readonly parent?: ContainerInTree };

/**
 * Undoes what caching has kept: closes the managers that decorated methods found in containers, forgets those
 * lookups, and restores the default registration of `CacheManager` in the global container. For tests, after
 * `container.reset()` or `container.clearInstances()`.
 *
 * @example
 * ```ts
 * import { resetCaching } from 'cachewell';
 * import { container } from 'tsyringe';
 *
 * async function resetEverything(): Promise<void> {
 *   container.reset();
 *   await resetCaching();
 * }
 * ```
 */
export async function resetCaching(): Promise<void> {
  const forgotten = forgetManagers();
  registerManager(globalContainer);
  await forgotten;
}

/**
 * A new manager. Where one was closed whose backend is registered as an instance, that backend is closed with it:
 * the closed manager stays, or a closed one takes its place, and methods go on without a cache.
 */
function build(owner: DependencyContainer, closed: CacheManager | undefined): CacheManager {
  const options = optionsFrom(owner);
  try {
    return new CacheManager(options, (token) =>
      resolveOptional(owner, token as InjectionToken<unknown>),
    );
  } catch (error) {
    if (isCacheError(error, 'ERR_CACHE_CLOSED')) return closed ?? closedManager(options);
    throw error;
  }
}

function closedManager(options: CacheManagerOptions): CacheManager {
  // A manager that is off does not attach its backend, which would refuse.
  const manager = new CacheManager({ ...options, enabled: false });
  // Whoever closed the backend has been told how that went.
  manager.close().catch(() => undefined);
  return manager;
}

/** What the container has for a token; `undefined` when nothing is registered. */
export function resolveOptional<Value>(
  container: DependencyContainer,
  token: InjectionToken<Value>,
): Value | undefined {
  return container.isRegistered(token, true) ? container.resolve(token) : undefined;
}

function optionsFrom(owner: DependencyContainer): CacheManagerOptions {
  return {
    ...resolveOptional<CacheOptions>(owner, CacheOptions),
    backend: resolveOptional<CacheBackend>(owner, CacheBackend),
    codec: resolveOptional<CacheCodec>(owner, CacheCodec),
    compressor: resolveOptional<CacheCompressor>(owner, CacheCompressor),
    logger: resolveOptional<CacheLogger>(owner, CacheLogger),
    clock: resolveOptional<CacheClock>(owner, CacheClock),
  };
}

/** The global container's manager; registered anew where `container.reset()` has removed it. */
function findGlobalManager(): CacheManager {
  if (!globalContainer.isRegistered(CacheManager)) registerManager(globalContainer);
  return globalContainer.resolve(CacheManager);
}

setDefaultManager(findGlobalManager);
registerManager(globalContainer);
