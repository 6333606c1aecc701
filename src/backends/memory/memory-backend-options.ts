import { toMilliseconds, type Duration } from '../../duration.js';
import { InvalidOptionError } from '../../errors.js';
import {
  describeValue,
  expectInteger,
  expectOneOf,
  expectOptions,
  rejectUnknown,
} from '../../options.js';
import type { EvictionPolicyFactory } from './eviction-policy.js';
import type { MemoryIsolation } from './isolation.js';
import { LruPolicy } from './lru-policy.js';

export const DEFAULT_MAX_ENTRIES = 10_000;
/** 256 MiB: what Squid (`cache_mem`) and Debian's Varnish start with, too. */
export const DEFAULT_MAX_BYTES: number = 256 * 1024 * 1024;
export const DEFAULT_SWEEP_INTERVAL: Duration = '1s';

/** How a `MemoryBackend` keeps entries. The bounds hold for all its caches together. */
export interface MemoryBackendOptions {
  /**
   * How many entries there may be, from 1; beyond it the policy's victims are evicted. `Infinity` = no bound in
   * entries, which needs `maxBytes`, or caches whose keys are few.
   *
   * @defaultValue 10_000
   */
  readonly maxEntries?: number | undefined;
  /**
   * How many bytes of memory the entries may take, from 1. Sizes are estimated when entries are stored, which
   * costs a walk through each value: none is made when nothing is said here. An entry that alone is larger is not
   * stored; that is reported as a `CacheBackendError`. With isolation `'reference'` a value that grows later is not seen.
   *
   * When nothing is said, the bound holds for entries whose size is known anyway, which are those of HTTP responses, and
   * for no others: the least recently used of them make room, whatever the policy is. `Infinity` = no bound for them
   * either.
   *
   * @defaultValue 268_435_456 (256 MiB), for stored HTTP responses alone
   */
  readonly maxBytes?: number | undefined;
  /**
   * What callers share with the cache: `'reference'` the very object, `'copy'` nothing, `'frozen'` a frozen copy.
   * See `MemoryIsolation`.
   *
   * @defaultValue 'reference'
   */
  readonly isolation?: MemoryIsolation | undefined;
  /**
   * Which entry goes when a bound is reached: `'lru'`, the one that was not used for longest, or a policy of your
   * own.
   *
   * @defaultValue 'lru'
   */
  readonly policy?: 'lru' | EvictionPolicyFactory | undefined;
  /**
   * The least time between two sweeps for expired entries, from 1 ms. Expired entries are never served, whatever
   * it is: it says how long they may keep their memory. There is one timer, set for the next expiry, and none when
   * nothing can expire; it does not keep the process alive. `Infinity` = no timer: expired entries are freed when
   * they are read, overwritten, or next in line at a full bound, or by `sweep()`.
   *
   * @defaultValue '1s'
   */
  readonly sweepInterval?: Duration | undefined;
}

/** Options with every default filled in. */
export interface ResolvedMemoryBackendOptions {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Which entries count against `maxBytes`: all, or those of caches that know the sizes of their values. */
  readonly weighs: 'all' | 'known';
  readonly isolation: MemoryIsolation;
  readonly policy: EvictionPolicyFactory;
  readonly sweepIntervalMs: number;
}

const OWNER = 'MemoryBackend';
const KNOWN = ['maxEntries', 'maxBytes', 'isolation', 'policy', 'sweepInterval'] as const;

/** Checks the options and fills in the defaults. @throws {@link InvalidOptionError} */
export function resolveMemoryBackendOptions(
  options: MemoryBackendOptions,
): ResolvedMemoryBackendOptions {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, KNOWN);
  const {
    maxEntries = DEFAULT_MAX_ENTRIES,
    maxBytes,
    isolation = 'reference',
    policy = 'lru',
    sweepInterval = DEFAULT_SWEEP_INTERVAL,
  } = options;
  return Object.freeze({
    maxEntries: expectInteger(`${OWNER}.maxEntries`, maxEntries, 1, Infinity),
    maxBytes: expectInteger(`${OWNER}.maxBytes`, maxBytes ?? DEFAULT_MAX_BYTES, 1, Infinity),
    weighs: maxBytes === undefined ? 'known' : 'all',
    isolation: expectOneOf(`${OWNER}.isolation`, isolation, ['reference', 'copy', 'frozen']),
    policy: resolvePolicy(policy),
    sweepIntervalMs: resolveSweepInterval(sweepInterval),
  });
}

function resolvePolicy(policy: unknown): EvictionPolicyFactory {
  if (policy === 'lru') return () => new LruPolicy();
  if (typeof policy === 'function') return policy as EvictionPolicyFactory;
  throw new InvalidOptionError(
    `${OWNER}.policy`,
    `expected 'lru' or a function that makes an EvictionPolicy, got ${describeValue(policy)}`,
  );
}

function resolveSweepInterval(sweepInterval: Duration): number {
  const option = `${OWNER}.sweepInterval`;
  const milliseconds = toMilliseconds(sweepInterval, option);
  if (milliseconds >= 1) return milliseconds;
  throw new InvalidOptionError(
    option,
    `expected at least 1 ms, got ${describeValue(sweepInterval)}`,
  );
}
