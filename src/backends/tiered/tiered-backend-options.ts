import type { CacheBackend } from '../../cache/backend.js';
import type { CacheBus } from '../../cache/cache-bus.js';
import { toMilliseconds, type Duration } from '../../duration.js';
import { InvalidOptionError } from '../../errors.js';
import { describeValue, expectOptions, rejectUnknown } from '../../options.js';
import { MemoryBackend } from '../memory/memory-backend.js';

export const DEFAULT_MAX_STALENESS: Duration = '3s';
export const DEFAULT_HEARTBEAT: Duration = '500ms';

/** A proof takes up to two heartbeats, and its messages some time; below this trust would end between them. */
const LEAST_BEATS_PER_STALENESS = 4;
const LEAST_HEARTBEAT_MS = 10;
/** The longest delay that a timer of Node takes. */
const MOST_HEARTBEAT_MS = 2_147_483_647;

/** How a `TieredBackend` is built. */
export interface TieredBackendOptions {
  /**
   * The process' own tier: a backend that is not shared, has conditional stores and generations, and belongs to this
   * one only. Its bounds (`maxEntries`, `maxBytes`) and its isolation are its own.
   *
   * @defaultValue new MemoryBackend()
   */
  readonly l1?: CacheBackend | undefined;
  /** The tier that processes share, such as a `RedisBackend`. It is the truth: the first tier holds copies of it. */
  readonly l2: CacheBackend;
  /**
   * How processes tell each other what they have invalidated, such as a `RedisBus`. Without one, a copy in the first
   * tier lives at most `maxStaleness`.
   */
  readonly bus?: CacheBus | undefined;
  /**
   * How long an entry of the first tier may be served after it was loaded, read from the shared tier, or proved by the
   * bus to be still true: the longest that another process' invalidation can go unseen, whatever fails. Above 0, and
   * with a bus at least 4 heartbeats. `Infinity` = no bound: without a bus, only the ttl ends a copy then.
   *
   * @defaultValue '3s'
   */
  readonly maxStaleness?: Duration | undefined;
  /**
   * How often this process tells the others by the bus that it is there, from 10 ms: a lost message is noticed within
   * one heartbeat, a silent process within three. Absent: 500 ms, or a sixth of `maxStaleness` where that is less.
   * Processes may differ. Of no meaning without a bus.
   *
   * @defaultValue '500ms'
   */
  readonly heartbeat?: Duration | undefined;
}

/** Options with every default filled in. */
export interface ResolvedTieredBackendOptions {
  readonly l1: CacheBackend;
  readonly l2: CacheBackend;
  readonly bus: CacheBus | undefined;
  readonly maxStalenessMs: number;
  readonly heartbeatMs: number;
}

const OWNER = 'TieredBackend';
const KNOWN = ['l1', 'l2', 'bus', 'maxStaleness', 'heartbeat'] as const;

/** Checks the options and fills in the defaults. @throws {@link InvalidOptionError} */
export function resolveTieredBackendOptions(
  options: TieredBackendOptions,
): ResolvedTieredBackendOptions {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, KNOWN);
  const { l2, bus, maxStaleness = DEFAULT_MAX_STALENESS, heartbeat } = options;
  expectPort(`${OWNER}.l2`, l2, 'open', 'a backend, such as a RedisBackend');
  if (!l2.capabilities.isShared) {
    throw new InvalidOptionError(
      `${OWNER}.l2`,
      `expected a backend that processes share, got '${l2.name}', which is not; use it alone, or as l1`,
    );
  }
  if (bus !== undefined) expectPort(`${OWNER}.bus`, bus, 'publish', 'a bus, such as a RedisBus');
  const maxStalenessMs = toMilliseconds(maxStaleness, `${OWNER}.maxStaleness`);
  if (maxStalenessMs === 0) {
    throw new InvalidOptionError(
      `${OWNER}.maxStaleness`,
      'expected a duration above 0; with 0 nothing could be served from the first tier: use l2 alone',
    );
  }
  return Object.freeze({
    l1: resolveOwnTier(options.l1),
    l2,
    bus,
    maxStalenessMs,
    heartbeatMs: resolveHeartbeat(heartbeat, maxStalenessMs, bus !== undefined),
  });
}

function resolveOwnTier(given: CacheBackend | undefined): CacheBackend {
  if (given === undefined) return new MemoryBackend();
  const option = `${OWNER}.l1`;
  expectPort(option, given, 'open', 'a backend, such as a MemoryBackend');
  const { isShared, hasConditionalStores, hasGenerations } = given.capabilities;
  if (isShared) {
    throw new InvalidOptionError(
      option,
      `expected a backend of this process alone, got '${given.name}', which is shared; give it as l2`,
    );
  }
  if (hasConditionalStores && hasGenerations) return given;
  throw new InvalidOptionError(
    option,
    `expected a backend with conditional stores and generations, got '${given.name}', which would keep copies that were invalidated meanwhile; use a MemoryBackend`,
  );
}

function resolveHeartbeat(
  given: Duration | undefined,
  maxStalenessMs: number,
  hasBus: boolean,
): number {
  const option = `${OWNER}.heartbeat`;
  if (given === undefined) {
    const usualMs = toMilliseconds(DEFAULT_HEARTBEAT, option);
    return Math.max(LEAST_HEARTBEAT_MS, Math.min(usualMs, Math.floor(maxStalenessMs / 6)));
  }
  const heartbeatMs = toMilliseconds(given, option);
  if (heartbeatMs < LEAST_HEARTBEAT_MS || heartbeatMs > MOST_HEARTBEAT_MS) {
    throw new InvalidOptionError(
      option,
      `expected from ${LEAST_HEARTBEAT_MS} to ${MOST_HEARTBEAT_MS} ms, got ${describeValue(given)}`,
    );
  }
  if (hasBus && heartbeatMs * LEAST_BEATS_PER_STALENESS > maxStalenessMs) {
    throw new InvalidOptionError(
      option,
      `expected at most a quarter of maxStaleness (${maxStalenessMs} ms), got ${describeValue(given)}; send more often, or raise maxStaleness`,
    );
  }
  return heartbeatMs;
}

function expectPort(option: string, value: unknown, method: string, expected: string): void {
  if (typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function') return;
  throw new InvalidOptionError(option, `expected ${expected}, got ${describeValue(value)}`);
}
