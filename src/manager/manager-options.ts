import type { CacheBackend } from '../cache/backend.js';
import type { CacheDefinition, ErrorMode, SyncMode } from '../cache/cache-handle.js';
import { consoleLogger, type CacheLogger } from '../cache/cache-logger.js';
import {
  BUILT_IN_DEFAULTS,
  expectCodec,
  expectCompressor,
  overlay,
  resolveCacheSettings,
  type CacheDefaults,
} from '../cache/cache-settings.js';
import type { CacheCodec, CacheCompressor } from '../cache/codec.js';
import { expectAgreeingTimes, TIME_OPTIONS, type RefreshAhead } from '../cache/time-settings.js';
import {
  DEFAULT_COMPRESSION_THRESHOLD_BYTES,
  DEFAULT_MAX_DECOMPRESSED_BYTES,
} from '../codecs/default-framer.js';
import { systemClock, type CacheClock } from '../clock.js';
import type { Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import {
  describeValue,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectOptions,
  rejectUnknown,
} from '../options.js';

/**
 * Settings of a manager that are plain data: what `configureCaching` and the token `CacheOptions` take beside the
 * strategies.
 */
export interface CacheOptions {
  /**
   * How long entries are fresh where nothing closer says otherwise.
   * @defaultValue '1h'
   */
  readonly ttl?: Duration | undefined;
  /**
   * The same for `null`.
   * @defaultValue the `ttl`
   */
  readonly nullTtl?: Duration | undefined;
  /**
   * Upper bound of every ttl; longer ones are cut to it, an endless one too.
   * @defaultValue Infinity
   */
  readonly maxTtl?: Duration | undefined;
  /** See {@link CacheDefinition.jitter}. @defaultValue 0 */
  readonly jitter?: number | undefined;
  /** See {@link CacheDefinition.sync}. @defaultValue 'local' */
  readonly sync?: SyncMode | undefined;
  /** See {@link CacheDefinition.onError}. @defaultValue 'bypass' */
  readonly onError?: ErrorMode | undefined;
  /** See {@link CacheDefinition.staleWhileRevalidate}. @defaultValue 0 */
  readonly staleWhileRevalidate?: Duration | undefined;
  /** See {@link CacheDefinition.staleIfError}. @defaultValue 0 */
  readonly staleIfError?: Duration | undefined;
  /** See {@link CacheDefinition.staleThrottle}. @defaultValue '30s' */
  readonly staleThrottle?: Duration | undefined;
  /** See {@link CacheDefinition.softTimeout}. @defaultValue Infinity */
  readonly softTimeout?: Duration | undefined;
  /** See {@link CacheDefinition.hardTimeout}. @defaultValue Infinity */
  readonly hardTimeout?: Duration | undefined;
  /** See {@link CacheDefinition.refreshAhead}. @defaultValue false */
  readonly refreshAhead?: RefreshAhead | undefined;
  /** See {@link CacheDefinition.idleTtl}. @defaultValue Infinity */
  readonly idleTtl?: Duration | undefined;
  /**
   * From how many bytes on an encoded value is compressed; 0 = always. Only with a compressor.
   * @defaultValue 1024
   */
  readonly compressionThreshold?: number | undefined;
  /**
   * How many bytes a value may have after decompression; a stored entry that declares more is a miss.
   * @defaultValue 67108864
   */
  readonly maxDecompressedBytes?: number | undefined;
  /**
   * Off: nothing is looked up or stored, methods run, invalidations go on. A manager that was never on opens no
   * connection. Can be changed while running (`manager.enabled`).
   * @defaultValue true
   */
  readonly enabled?: boolean | undefined;
  /**
   * Refuses caches that are not in `caches` and have no `defineCache` handle.
   * @defaultValue false
   */
  readonly strictCaches?: boolean | undefined;
  /** Definitions of caches by name. */
  readonly caches?: Readonly<Record<string, CacheDefinition>> | undefined;
  /**
   * Logs every hit, miss and load at level `debug`.
   * @defaultValue false
   */
  readonly debug?: boolean | undefined;
}

/** Options of a {@link CacheManager}: its strategies and its settings. */
export interface CacheManagerOptions extends CacheOptions {
  /** Where entries are kept. @defaultValue a `MemoryBackend` */
  readonly backend?: CacheBackend | undefined;
  /** Turns values into bytes, for backends that store bytes. @defaultValue a `JsonCodec` */
  readonly codec?: CacheCodec | undefined;
  /** Makes large values smaller. @defaultValue none */
  readonly compressor?: CacheCompressor | undefined;
  /** Codecs beside the manager's own whose frames are read, such as the one used before. */
  readonly codecs?: readonly CacheCodec[] | undefined;
  /** Compressors beside the manager's own whose frames are read. */
  readonly compressors?: readonly CacheCompressor[] | undefined;
  /** Where warnings and errors go. @defaultValue the console, from `warn` on */
  readonly logger?: CacheLogger | undefined;
  /** Where the time is read. @defaultValue the system's */
  readonly clock?: CacheClock | undefined;
  /** A number from 0 to 1, 1 excluded, for `jitter` and `refreshAhead: 'xfetch'`. @defaultValue Math.random */
  readonly random?: (() => number) | undefined;
}

/** A manager's options, checked, with every default in place but the backend and the codec. */
export interface ResolvedManagerOptions {
  readonly backend: CacheBackend | undefined;
  readonly codec: CacheCodec | undefined;
  readonly compressor: CacheCompressor | undefined;
  readonly codecs: readonly CacheCodec[];
  readonly compressors: readonly CacheCompressor[];
  readonly logger: CacheLogger;
  readonly clock: CacheClock;
  readonly random: () => number;
  readonly defaults: CacheDefaults;
  readonly compressionThreshold: number;
  readonly maxDecompressedBytes: number;
  readonly isEnabled: boolean;
  readonly isStrict: boolean;
  readonly caches: Readonly<Record<string, CacheDefinition>>;
  readonly debug: boolean;
}

/** The names of the settings that are plain data. */
export const CACHE_OPTIONS: readonly (keyof CacheOptions)[] = [
  'ttl',
  'nullTtl',
  'maxTtl',
  'jitter',
  'sync',
  'onError',
  ...TIME_OPTIONS,
  'compressionThreshold',
  'maxDecompressedBytes',
  'enabled',
  'strictCaches',
  'caches',
  'debug',
];

/** The names of the strategies. */
export const CACHE_STRATEGIES: readonly (keyof CacheManagerOptions)[] = [
  'backend',
  'codec',
  'compressor',
  'codecs',
  'compressors',
  'logger',
  'clock',
  'random',
];

/**
 * Checks a manager's options and fills in the defaults.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 */
export function resolveManagerOptions(options: CacheManagerOptions): ResolvedManagerOptions {
  const owner = 'CacheManager';
  expectOptions(owner, options);
  rejectUnknown(owner, options, [...CACHE_STRATEGIES, ...CACHE_OPTIONS]);
  const { backend, codec, compressor, logger, clock, random, caches = {} } = options;
  if (backend !== undefined)
    expectMethods(`${owner}.backend`, backend, 'CacheBackend', ['open', 'attach', 'close']);
  if (codec !== undefined) expectCodec(`${owner}.codec`, codec);
  if (compressor !== undefined) expectCompressor(`${owner}.compressor`, compressor);
  if (logger !== undefined)
    expectMethods(`${owner}.logger`, logger, 'CacheLogger', ['debug', 'info', 'warn', 'error']);
  if (clock !== undefined) expectMethods(`${owner}.clock`, clock, 'CacheClock', ['now']);
  if (random !== undefined) expectFunction(`${owner}.random`, random);
  expectOptions(`${owner}.caches`, caches);
  const { ttl, nullTtl, maxTtl, jitter, sync, onError } = options;
  const { staleWhileRevalidate, staleIfError, staleThrottle, softTimeout } = options;
  const { hardTimeout, refreshAhead, idleTtl } = options;
  const defaults = overlay(
    owner,
    {
      ttl,
      nullTtl,
      maxTtl,
      jitter,
      sync,
      onError,
      staleWhileRevalidate,
      staleIfError,
      staleThrottle,
      softTimeout,
      hardTimeout,
      refreshAhead,
      idleTtl,
    },
    BUILT_IN_DEFAULTS,
  );
  expectAgreeingTimes(owner, defaults);
  for (const [name, definition] of Object.entries(caches)) {
    resolveCacheSettings(name, definition, defaults);
  }
  return Object.freeze({
    backend,
    codec,
    compressor,
    codecs: expectList(`${owner}.codecs`, options.codecs).map((each) =>
      expectCodec(`${owner}.codecs`, each),
    ),
    compressors: expectList(`${owner}.compressors`, options.compressors).map((each) =>
      expectCompressor(`${owner}.compressors`, each),
    ),
    logger: logger ?? consoleLogger('warn'),
    clock: clock ?? systemClock,
    random: random ?? Math.random,
    defaults,
    compressionThreshold: expectInteger(
      `${owner}.compressionThreshold`,
      options.compressionThreshold ?? DEFAULT_COMPRESSION_THRESHOLD_BYTES,
      0,
      Infinity,
    ),
    maxDecompressedBytes: expectInteger(
      `${owner}.maxDecompressedBytes`,
      options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES,
      1,
      2 ** 31,
    ),
    isEnabled: expectBoolean(`${owner}.enabled`, options.enabled ?? true),
    isStrict: expectBoolean(`${owner}.strictCaches`, options.strictCaches ?? false),
    caches,
    debug: expectBoolean(`${owner}.debug`, options.debug ?? false),
  });
}

function expectList(option: string, value: unknown = []): readonly unknown[] {
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new InvalidOptionError(option, `expected a list, got ${describeValue(value)}`);
}

function expectMethods(
  option: string,
  value: unknown,
  port: string,
  methods: readonly string[],
): void {
  const candidate = value as Readonly<Record<string, unknown>> | null;
  if (typeof candidate === 'object' && candidate !== null) {
    if (methods.every((method) => typeof candidate[method] === 'function')) return;
  }
  const hint = typeof value === 'function' ? '; pass an instance, not the class' : '';
  throw new InvalidOptionError(option, `expected a ${port}, got ${describeValue(value)}${hint}`);
}
