import type { InjectionToken } from 'tsyringe';
import type { CacheBackend as CacheBackendPort } from '../cache/backend.js';
import type { CacheLogger as CacheLoggerPort } from '../cache/cache-logger.js';
import type {
  CacheCodec as CacheCodecPort,
  CacheCompressor as CacheCompressorPort,
} from '../cache/codec.js';
import type { CacheClock as CacheClockPort } from '../clock.js';
import type { CacheOptions as CacheOptionsPort } from '../manager/manager-options.js';

/*
 * Tokens that are type names at once, so that `container.register(CacheBackend, RedisBackend)` and
 * `@inject(CacheBackend) backend: CacheBackend` both read as they should. They are symbols of the global registry:
 * two copies of this package agree, and no class can be constructed by mistake.
 */

/** Where entries are kept. Register a class with a parameterless constructor, or a factory. */
export interface CacheBackend extends CacheBackendPort {}
/** The token of {@link CacheBackend}. */
export const CacheBackend: InjectionToken<CacheBackend> = Symbol.for('cachewell.CacheBackend');

/** Turns values into bytes. */
export interface CacheCodec extends CacheCodecPort {}
/** The token of {@link CacheCodec}. */
export const CacheCodec: InjectionToken<CacheCodec> = Symbol.for('cachewell.CacheCodec');

/** Makes large values smaller. */
export interface CacheCompressor extends CacheCompressorPort {}
/** The token of {@link CacheCompressor}. */
export const CacheCompressor: InjectionToken<CacheCompressor> = Symbol.for(
  'cachewell.CacheCompressor',
);

/** Settings of the manager: plain data. */
export interface CacheOptions extends CacheOptionsPort {}
/** The token of {@link CacheOptions}. */
export const CacheOptions: InjectionToken<CacheOptions> = Symbol.for('cachewell.CacheOptions');

/** Where the library reports to people. */
export interface CacheLogger extends CacheLoggerPort {}
/** The token of {@link CacheLogger}. */
export const CacheLogger: InjectionToken<CacheLogger> = Symbol.for('cachewell.CacheLogger');

/** Where the library reads the time. */
export interface CacheClock extends CacheClockPort {}
/** The token of {@link CacheClock}. */
export const CacheClock: InjectionToken<CacheClock> = Symbol.for('cachewell.CacheClock');
