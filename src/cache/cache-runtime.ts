import type { CacheClock } from '../clock.js';
import type { CacheError } from '../errors.js';
import type { BackendStore, CacheSpace, TagSelection } from './backend.js';
import type { EntryFraming } from './entry-framer.js';
import type { CacheCompressor } from './codec.js';
import type { CacheEvents } from './cache-events.js';
import type { CacheLogger } from './cache-logger.js';
import type { ErrorMode } from './cache-handle.js';
import type { CacheSettings } from './cache-settings.js';
import type { CallBudget } from './call-budget.js';

/** What a cache needs of its manager. */
export interface CacheRuntime {
  readonly clock: CacheClock;
  readonly events: CacheEvents;
  /** Where what is no failure of the cache is told. */
  readonly logger?: CacheLogger | undefined;
  /** A number from 0 to 1, 1 excluded. */
  readonly random: () => number;
  /** Off: no lookups, no stores; invalidations go on. */
  readonly isEnabled: boolean;
  /** Whether the manager was closed, which switches it off for good. */
  readonly isClosed: boolean;
  /** Whether other processes see what is stored. */
  readonly isShared: boolean;
  /** Whether values are kept as bytes, so that hints and framing matter. */
  readonly storesBytes: boolean;
  /** Whether the store lets processes take turns. */
  readonly hasLeases: boolean;
  /** Whether the store goes on by itself while what is behind it is out of reach. */
  readonly goesOnAlone?: boolean | undefined;
  /** The most that one call may wait for the store, over all its steps; absent where answers come at once. */
  readonly callTimeoutMs?: number | undefined;
  /** @throws {@link CacheClosedError} after the manager was closed */
  openStore(space: CacheSpace): BackendStore;
  /** `undefined` while the manager was never enabled, so that nothing can have been stored. */
  openStoreToInvalidate(space: CacheSpace): BackendStore | undefined;
  framingOf(settings: CacheSettings): EntryFraming;
  /** What a `compress` option means: a compressor, or `null` for none. */
  compressorFor(compress: boolean | CacheCompressor): CacheCompressor | null;
  invalidateTags(selection: TagSelection, mode: ErrorMode, budget?: CallBudget): Promise<void>;
  /** Makes void every entry of every cache below the backend's prefix. */
  clearAll(mode: ErrorMode, budget?: CallBudget): Promise<void>;
  /** Counts, emits and logs a failure of the cache itself. */
  reportError(operation: string, error: CacheError, cache: string | undefined, key?: string): void;
}
