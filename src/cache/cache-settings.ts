import { toMilliseconds, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import {
  describeValue,
  expectFunction,
  expectNumber,
  expectOneOf,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../options.js';
import {
  CACHE_DEFINITION_OPTIONS,
  type CacheDefinition,
  type ErrorMode,
  type ModelClass,
  type SyncMode,
} from './cache-handle.js';
import type { CacheTiers } from './backend.js';
import { expectWireId, type CacheCodec, type CacheCompressor } from './codec.js';
import {
  expectAgreeingTimes,
  PLAIN_TIMES,
  resolveTimes,
  type TimeSettings,
} from './time-settings.js';

/** How long an entry is fresh when nothing says otherwise: 1 hour. */
export const DEFAULT_TTL: Duration = '1h';
/** The version of a cache's keys when nothing says otherwise. */
export const DEFAULT_VERSION = 'v1';

/** A cache's definition, checked, with every default in place. */
export interface CacheSettings extends TimeSettings {
  readonly name: string;
  readonly version: string;
  readonly ttlMs: number;
  /** `undefined` = as `ttlMs`. */
  readonly nullTtlMs: number | undefined;
  readonly maxTtlMs: number;
  readonly jitter: number;
  readonly tags: readonly string[];
  readonly model: ModelClass | undefined;
  readonly codec: CacheCodec | undefined;
  readonly compress: boolean | CacheCompressor | undefined;
  readonly sync: SyncMode;
  readonly onError: ErrorMode;
  readonly tiers: CacheTiers;
  /** `Infinity` = as long as the shared tier. */
  readonly l1TtlMs: number;
}

/** The settings of caches that nobody defined. */
export type CacheDefaults = Omit<CacheSettings, 'name'>;

/** The library's own defaults, below the manager's. */
export const BUILT_IN_DEFAULTS: CacheDefaults = Object.freeze({
  ...PLAIN_TIMES,
  version: DEFAULT_VERSION,
  ttlMs: toMilliseconds(DEFAULT_TTL, 'ttl'),
  nullTtlMs: undefined,
  maxTtlMs: Infinity,
  jitter: 0,
  tags: Object.freeze([]),
  model: undefined,
  codec: undefined,
  compress: undefined,
  sync: 'local',
  onError: 'bypass',
  tiers: 'both',
  l1TtlMs: Infinity,
});

/**
 * Checks a cache's definition and lays it over the defaults. Options that depend on each other have to agree in the
 * result, whichever of the two says so.
 *
 * @param owner - whose options they are, for messages
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 */
export function resolveCacheSettings(
  name: string,
  definition: CacheDefinition,
  defaults: CacheDefaults,
  owner = `cache '${name}'`,
): CacheSettings {
  expectText('cache name', name);
  expectOptions(owner, definition);
  rejectUnknown(owner, definition, CACHE_DEFINITION_OPTIONS);
  const settings = overlay(owner, definition, defaults);
  expectAgreeingTimes(owner, settings);
  return Object.freeze({ name, ...settings });
}

/** Lays checked options over defaults; shared by the manager's, the cache's and the class' options. */
export function overlay(
  owner: string,
  definition: CacheDefinition,
  defaults: CacheDefaults,
): CacheDefaults {
  const { ttl, nullTtl, maxTtl, jitter, version, tags, model, codec, compress, sync, onError } =
    definition;
  const { tiers, l1Ttl } = definition;
  if (model !== undefined) expectFunction(`${owner}.model`, model);
  if (codec !== undefined) expectCodec(`${owner}.codec`, codec);
  if (compress !== undefined) expectCompress(`${owner}.compress`, compress);
  return {
    ...timesOf(resolveTimes(owner, definition, defaults)),
    version: version === undefined ? defaults.version : expectText(`${owner}.version`, version),
    ttlMs: ttl === undefined ? defaults.ttlMs : toMilliseconds(ttl, `${owner}.ttl`),
    nullTtlMs:
      nullTtl === undefined ? defaults.nullTtlMs : toMilliseconds(nullTtl, `${owner}.nullTtl`),
    maxTtlMs: maxTtl === undefined ? defaults.maxTtlMs : toMilliseconds(maxTtl, `${owner}.maxTtl`),
    jitter: jitter === undefined ? defaults.jitter : expectNumber(`${owner}.jitter`, jitter, 0, 1),
    tags: tags === undefined ? defaults.tags : normalizeTags(tags, `${owner}.tags`),
    model: model ?? defaults.model,
    codec: codec ?? defaults.codec,
    compress: compress ?? defaults.compress,
    sync: sync === undefined ? defaults.sync : expectSync(`${owner}.sync`, sync),
    onError:
      onError === undefined ? defaults.onError : expectErrorMode(`${owner}.onError`, onError),
    tiers:
      tiers === undefined
        ? defaults.tiers
        : expectOneOf<CacheTiers>(`${owner}.tiers`, tiers, ['both', 'l1', 'l2']),
    l1TtlMs: l1Ttl === undefined ? defaults.l1TtlMs : toMilliseconds(l1Ttl, `${owner}.l1Ttl`),
  };
}

/** The part of settings that is about time: what is laid over may be more than that. */
function timesOf(times: TimeSettings): TimeSettings {
  const { staleWhileRevalidateMs, staleIfErrorMs, staleThrottleMs, softTimeoutMs } = times;
  const { hardTimeoutMs, refreshAhead, idleTtlMs } = times;
  return {
    staleWhileRevalidateMs,
    staleIfErrorMs,
    staleThrottleMs,
    softTimeoutMs,
    hardTimeoutMs,
    refreshAhead,
    idleTtlMs,
  };
}

/** @throws {@link InvalidOptionError} unless the value is a {@link SyncMode}. */
export function expectSync(option: string, sync: unknown): SyncMode {
  return expectOneOf<SyncMode>(option, sync, ['local', 'cluster', false]);
}

/** @throws {@link InvalidOptionError} unless the value is an {@link ErrorMode}. */
export function expectErrorMode(option: string, mode: unknown): ErrorMode {
  return expectOneOf<ErrorMode>(option, mode, ['bypass', 'throw']);
}

/** @throws {@link InvalidOptionError} unless the value has the methods of a {@link CacheCodec}. */
export function expectCodec(option: string, codec: unknown): CacheCodec {
  const candidate = codec as Partial<CacheCodec> | null | undefined;
  if (typeof candidate?.encode !== 'function' || typeof candidate.decode !== 'function') {
    throw new InvalidOptionError(
      option,
      `expected a CacheCodec (id, name, encode, decode), got ${describeValue(codec)}`,
    );
  }
  expectWireId(option, candidate.id as number);
  return candidate as CacheCodec;
}

/** @throws {@link InvalidOptionError} unless the value has the methods of a {@link CacheCompressor}. */
export function expectCompressor(option: string, compressor: unknown): CacheCompressor {
  const candidate = compressor as Partial<CacheCompressor> | null | undefined;
  if (typeof candidate?.compress !== 'function' || typeof candidate.decompress !== 'function') {
    throw new InvalidOptionError(
      option,
      `expected a CacheCompressor (id, name, compress, decompress), got ${describeValue(compressor)}`,
    );
  }
  expectWireId(option, candidate.id as number);
  return candidate as CacheCompressor;
}

/** @throws {@link InvalidOptionError} unless the value is `true`, `false` or a compressor. */
export function expectCompress(option: string, compress: unknown): boolean | CacheCompressor {
  return typeof compress === 'boolean' ? compress : expectCompressor(option, compress);
}

/**
 * Tags sorted and without doubles.
 *
 * @throws {@link InvalidOptionError} unless the value is a list of non-empty texts
 */
export function normalizeTags(tags: unknown, option: string): readonly string[] {
  if (!Array.isArray(tags)) {
    throw new InvalidOptionError(option, `expected a list of tags, got ${describeValue(tags)}`);
  }
  if (tags.length === 0) return NO_TAGS;
  for (const tag of tags) expectText(option, tag);
  if (tags.length === 1) return [tags[0] as string];
  return [...new Set(tags as readonly string[])].sort();
}

/** The tags of an entry that has none. */
export const NO_TAGS: readonly string[] = Object.freeze([]);
