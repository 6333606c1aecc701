import type { ApplicationSettings } from './application-settings.js';

/** The options of a `CacheManager` that settings decide. Times in milliseconds, sizes in bytes. */
export interface ManagerSettings {
  readonly enabled: boolean;
  readonly ttl: number;
  /** Absent: no clamp. */
  readonly maxTtl?: number;
  /** Absent: as any other value. */
  readonly nullTtl?: number;
  readonly compressionThreshold: number;
  /** Whether hits, misses and loads are logged, at level `debug`. */
  readonly debug: boolean;
}

/**
 * The options of a `CacheManager` that settings decide, as plain data to be spread. Codec and compression are names in
 * the settings (`settings.cache.codec`), for which the application picks the object: this entry loads no codec.
 *
 * @example
 * ```ts
 * new CacheManager({ ...toManagerOptions(settings), compressor: new GzipCompressor() });
 * ```
 */
export function toManagerOptions({ cache, debug }: ApplicationSettings): ManagerSettings {
  return {
    enabled: cache.enabled,
    ttl: cache.defaultTtlMs,
    ...(cache.maxTtlMs !== Infinity && { maxTtl: cache.maxTtlMs }),
    ...(cache.nullTtlMs !== undefined && { nullTtl: cache.nullTtlMs }),
    compressionThreshold: cache.compressionThresholdBytes,
    debug,
  };
}
