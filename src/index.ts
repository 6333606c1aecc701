// tsyringe throws at import unless Reflect has metadata, so the polyfill comes first.
import 'reflect-metadata';

// Decorators
export { Cacheable, cacheable } from './decorators/cacheable.js';
export { CachePut, cachePut } from './decorators/cache-put.js';
export { CacheEvict, cacheEvict } from './decorators/cache-evict.js';
export { Caching } from './decorators/caching.js';
export { CacheConfig } from './decorators/cache-config.js';
export { Transactional } from './decorators/transactional.js';
export type {
  CacheableOptions,
  CacheConfigOptions,
  CacheEvictOptions,
  CachePutOptions,
  CachingOptions,
  Callback,
  EachOptions,
  KeyGenerator,
  KeyGeneratorContext,
  OperationOptions,
  StoringOptions,
} from './aspect/operation-options.js';

export type {
  AsyncFunction,
  CacheableDecorator,
  CacheConfigDecorator,
  CacheEvictDecorator,
  CacheMethodDecorator,
  CachePutDecorator,
  CachingDecorator,
  TransactionalDecorator,
} from './decorators/method-types.js';
export type { TransactionalOptions } from './aspect/transactional-method.js';
export type { TypeProblem } from './decorators/type-problem.js';

// Caches
export type { CachedErrorRule, StoredError } from './cache/cached-errors.js';
export { defineCache } from './cache/define-cache.js';
export {
  currentLoad,
  type LoadContext,
  type LoadTags,
  type StaleValue,
} from './cache/load-context.js';
export type { RefreshAhead } from './cache/time-settings.js';
export type {
  Cache,
  GetOrSetOptions,
  KeyInput,
  KeysOptions,
  KeysPage,
  SetOptions,
  WarmEntries,
  WarmOptions,
  WarmResult,
} from './cache/cache.js';
export type {
  CacheDefinition,
  CacheHandle,
  CacheReference,
  ErrorMode,
  ModelClass,
  SyncMode,
} from './cache/cache-handle.js';
export { keyText, type KeyPart } from './cache/cache-key.js';
export { escapeGlob } from './cache/key-pattern.js';
export type { EntryKind, EntrySource, Lookup } from './cache/entry.js';
export type { Duration, DurationUnit } from './duration.js';

// Manager
export {
  CacheManager,
  type CacheHealth,
  type CloseOptions,
  type ManagerStatistics,
} from './manager/cache-manager.js';
export type { Propagation, TransactionOptions } from './cache/transaction/transaction-options.js';
export type { CacheManagerOptions } from './manager/manager-options.js';
export { bindCacheManager } from './manager/manager-locator.js';
export {
  mergeStatistics,
  type CacheCounts,
  type CacheStatistics,
} from './cache/cache-statistics.js';
export type { LatencySummary } from './cache/latency-histogram.js';
export type {
  CacheEventListener,
  CacheEventMap,
  CacheEventName,
  InvalidateEvent,
  KeyedEvent,
  LoadOutcome,
} from './cache/cache-events.js';

// Container
export {
  CacheBackend,
  CacheClock,
  CacheCodec,
  CacheCompressor,
  CacheLogger,
  CacheOptions,
} from './injection/tokens.js';
export {
  configureCaching,
  type CachingConfiguration,
  type Strategy,
} from './injection/configure-caching.js';
export { resetCaching } from './injection/container-manager.js';

// Strategies
export { MemoryBackend } from './backends/memory/memory-backend.js';
export type { MemoryBackendOptions } from './backends/memory/memory-backend-options.js';
export type { MemoryIsolation } from './backends/memory/isolation.js';
export type {
  EvictionLimits,
  EvictionNode,
  EvictionPolicy,
  EvictionPolicyFactory,
} from './backends/memory/eviction-policy.js';
export { NullBackend } from './backends/null-backend.js';
export { TieredBackend } from './backends/tiered/tiered-backend.js';
export type { TieredBackendOptions } from './backends/tiered/tiered-backend-options.js';
export { JsonCodec } from './codecs/json-codec.js';
export {
  fromSerializer,
  type BytesSerializer,
  type TextSerializer,
} from './codecs/from-serializer.js';
export { GzipCompressor, type GzipCompressorOptions } from './codecs/gzip-compressor.js';
export { BrotliCompressor, type BrotliCompressorOptions } from './codecs/brotli-compressor.js';
export { ZstdCompressor, type ZstdCompressorOptions } from './codecs/zstd-compressor.js';
export { consoleLogger, silentLogger, type CacheLogLevel } from './cache/cache-logger.js';
export { systemClock } from './clock.js';

// Ports for new strategies
export type {
  BackendCapabilities,
  BackendContext,
  BackendEvent,
  BackendHealth,
  BackendStore,
  BreakerState,
  CacheSpace,
  CacheTiers,
  CallOptions,
  CommandArea,
  EntryOutline,
  EntryWrite,
  Fence,
  FillStart,
  FillToken,
  LoadTurn,
  ReadHints,
  ReleaseOptions,
  ScanPage,
  ScanRequest,
  StoreOutcome,
  TagSelection,
  TurnHints,
  ValueSizes,
} from './cache/backend.js';
export type { BusContext, CacheBus } from './cache/cache-bus.js';
export type { EntryFraming, ValueModel } from './cache/entry-framer.js';
export type { CacheEntry, StoredEntry } from './cache/entry.js';
export type { EncodedValue, EntryFramer, FrameRecord, OpenedFrame } from './cache/entry-framer.js';
export type { KeyPattern } from './cache/key-pattern.js';
export type { MaybePromise } from './cache/maybe-promise.js';

// Errors
export {
  CacheBackendError,
  CacheClosedError,
  CacheCompressionError,
  CacheConfigurationError,
  CacheConnectionError,
  CacheDecompressionError,
  CacheDeserializationError,
  CacheError,
  CacheKeyError,
  CacheSerializationError,
  CacheTimeoutError,
  DecoratorUsageError,
  InvalidOptionError,
  isCacheError,
  LoadTimeoutError,
  MissingPeerError,
  RateLimitError,
  UnknownCacheError,
  type CacheDeserializationErrorOptions,
  type CacheDeserializationReason,
  type CacheErrorCode,
  type CacheErrorJson,
} from './errors.js';
