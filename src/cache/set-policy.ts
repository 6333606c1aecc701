import type { ReadHints } from './backend.js';
import type { EntryFraming } from './entry-framer.js';
import type { CacheCore } from './cache-core.js';
import type { GetOrSetOptions, SetOptions } from './cache.js';
import type { SyncMode } from './cache-handle.js';
import { expectCodec, expectCompress, expectErrorMode, normalizeTags } from './cache-settings.js';
import { expectExpiryChoice, timeToLive } from './expiry.js';
import {
  expectAgreeingTimes,
  resolveTimes,
  retentionMs,
  RETENTION_OPTIONS,
  type TimeSettings,
} from './time-settings.js';
import type { StorePlan, StorePolicy } from './fill-store.js';
import type { CacheCodec, CacheCompressor } from './codec.js';
import { rejectUnknown } from '../options.js';

/** The names of the options of {@link SetOptions}. */
export const SET_OPTIONS: readonly string[] = [
  'ttl',
  'nullTtl',
  'jitter',
  'tags',
  'compress',
  'codec',
  'onError',
  ...RETENTION_OPTIONS,
];

/** How the values of a call are stored, and what it says about time. */
export interface SetPolicy extends StorePolicy {
  readonly times: TimeSettings;
}

/**
 * What the options of a `set` or `getOrSet` mean in a cache.
 *
 * @param known - the names of all options that the caller has
 * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
 */
export function setPolicy(
  core: CacheCore,
  options: SetOptions,
  known: readonly string[] = SET_OPTIONS,
): SetPolicy {
  const { settings, runtime } = core;
  const owner = `cache '${settings.name}'`;
  rejectUnknown(owner, options, known);
  const tags = joinTags(settings.tags, normalizeTags(options.tags ?? [], `${settings.name}.tags`));
  expectExpiryChoice(settings.name, options);
  if (options.onError !== undefined) expectErrorMode(`${settings.name}.onError`, options.onError);
  const times = resolveTimes(owner, options, settings);
  const { sync = settings.sync } = options as GetOrSetOptions;
  if (times !== settings) expectAgreeingTimes(owner, times);
  return {
    times,
    mode: options.onError ?? settings.onError,
    hints: readHints(core, tags, times, sync),
    framing: framingOverride(core, options.codec, options.compress),
    plan: (value, context): StorePlan => {
      const { ttl } = context;
      const choice = ttl === undefined ? options : { ...options, ttl, nullTtl: ttl };
      const ttlMs = timeToLive(value, choice, settings, runtime.random);
      return {
        value,
        kind: 'value',
        ttlMs,
        retainMs: retentionMs(ttlMs, times),
        tags: joinTags(tags, context.addedTags),
      };
    },
  };
}

/**
 * What a store may know before a lookup; `undefined` where it would not use it. Entries are refreshed ahead by their
 * exact age, for the clocks of two processes need not agree.
 *
 * @param sync - how the loads of the call are shared, which decides whether it may wait for other processes
 */
export function readHints(
  { runtime, settings }: CacheCore,
  tags: readonly string[],
  { refreshAhead }: TimeSettings,
  sync: SyncMode = settings.sync,
): ReadHints | undefined {
  if (!runtime.storesBytes) return undefined;
  const needsTimes = refreshAhead !== false;
  if (sync !== 'cluster') {
    if (tags.length === 0 && !needsTimes) return undefined;
    return { ...(tags.length > 0 && { tags }), ...(needsTimes && { needsTimes }) };
  }
  return {
    turns: 'first',
    ...(tags.length > 0 && { tags }),
    ...(needsTimes && { needsTimes }),
  };
}

/** Two sorted lists of tags as one. */
export function joinTags(first: readonly string[], second: readonly string[]): readonly string[] {
  if (second.length === 0) return first;
  if (first.length === 0) return second;
  return normalizeTags([...first, ...second], 'tags');
}

/** The framing that a call asks for beside its cache's; `undefined` = none. */
export function framingOverride(
  { settings, runtime }: CacheCore,
  codec: CacheCodec | undefined,
  compress: boolean | CacheCompressor | undefined,
): EntryFraming | undefined {
  if (codec === undefined && compress === undefined) return undefined;
  if (codec !== undefined) expectCodec(`${settings.name}.codec`, codec);
  if (compress !== undefined) expectCompress(`${settings.name}.compress`, compress);
  return {
    ...(codec === undefined ? {} : { codec }),
    ...(compress === undefined ? {} : { compressor: runtime.compressorFor(compress) }),
  };
}
