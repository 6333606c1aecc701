import type { DependencyContainer, InjectionToken } from 'tsyringe';
import type { CacheBackend as CacheBackendPort } from '../cache/backend.js';
import type { CacheLogger as CacheLoggerPort } from '../cache/cache-logger.js';
import type {
  CacheCodec as CacheCodecPort,
  CacheCompressor as CacheCompressorPort,
} from '../cache/codec.js';
import type { CacheClock as CacheClockPort } from '../clock.js';
import { CacheManager } from '../manager/cache-manager.js';
import {
  CACHE_OPTIONS,
  type CacheOptions as CacheOptionsPort,
} from '../manager/manager-options.js';
import { rejectUnknown } from '../options.js';
import { forgetLookups } from '../manager/manager-locator.js';
import { registerManager } from './container-manager.js';
import {
  CacheBackend,
  CacheClock,
  CacheCodec,
  CacheCompressor,
  CacheLogger,
  CacheOptions,
} from './tokens.js';

/** A strategy: an instance, a class with a parameterless constructor, or a function that makes one. */
export type Strategy<Port extends object> = Port | (new () => Port) | (() => Port);

/** What {@link configureCaching} registers: the strategies, and the manager's settings. */
export interface CachingConfiguration extends CacheOptionsPort {
  readonly backend?: Strategy<CacheBackendPort> | undefined;
  readonly codec?: Strategy<CacheCodecPort> | undefined;
  readonly compressor?: Strategy<CacheCompressorPort> | undefined;
  readonly logger?: Strategy<CacheLoggerPort> | undefined;
  readonly clock?: Strategy<CacheClockPort> | undefined;
}

/**
 * Gives a container its own cache manager, with the given strategies, in one call. Child containers share it.
 * Everything is registered by factories, because `clearInstances()` deletes registered values.
 *
 * @returns the manager
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 *
 * @example
 * ```ts
 * import { configureCaching, GzipCompressor, MemoryBackend } from 'cachewell';
 * import { container } from 'tsyringe';
 *
 * const manager = configureCaching(container, {
 *   backend: new MemoryBackend({ maxEntries: 50_000 }),
 *   compressor: GzipCompressor,
 *   ttl: '10m',
 * });
 * ```
 */
export function configureCaching(
  container: DependencyContainer,
  configuration: CachingConfiguration = {},
): CacheManager {
  const { backend, codec, compressor, logger, clock, ...options } = configuration;
  rejectUnknown('configureCaching', options, CACHE_OPTIONS);
  provide(container, CacheBackend, backend);
  provide(container, CacheCodec, codec);
  provide(container, CacheCompressor, compressor);
  provide(container, CacheLogger, logger);
  provide(container, CacheClock, clock);
  container.register(CacheOptions, { useFactory: () => options });
  registerManager(container);
  forgetLookups();
  return container.resolve(CacheManager);
}

function provide<Port extends object>(
  container: DependencyContainer,
  token: InjectionToken<Port>,
  strategy: Strategy<Port> | undefined,
): void {
  if (strategy === undefined) return;
  // Made anew for each manager: the one before may have been closed, and its backend with it.
  container.register(token, { useFactory: () => make(strategy) });
}

function make<Port extends object>(strategy: Strategy<Port>): Port {
  if (typeof strategy !== 'function') return strategy;
  return isClass(strategy) ? new strategy() : (strategy as () => Port)();
}

function isClass(strategy: object): strategy is new () => never {
  return /^class[\s{]/.test(Function.prototype.toString.call(strategy));
}
