import type { EntryFraming } from './entry-framer.js';
import type { CacheCore } from './cache-core.js';
import type { SetOptions } from './cache.js';
import { expectCodec, expectCompress, expectErrorMode, normalizeTags } from './cache-settings.js';
import { expectExpiryChoice, timeToLive } from './expiry.js';
import type { StorePlan, StorePolicy } from './fill.js';
import type { CacheCodec, CacheCompressor } from './codec.js';
import { rejectUnknown } from '../options.js';

/** The names of the options of {@link SetOptions}. */
const SET_OPTIONS = ['ttl', 'nullTtl', 'jitter', 'tags', 'compress', 'codec', 'onError'] as const;

/**
 * What the options of a `set` or `getOrSet` mean in a cache.
 *
 * @param further - options of the caller beyond {@link SetOptions}
 * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
 */
export function setPolicy(
  core: CacheCore,
  options: SetOptions,
  further: readonly string[] = [],
): StorePolicy {
  const { settings, runtime } = core;
  rejectUnknown(`cache '${settings.name}'`, options, [...SET_OPTIONS, ...further]);
  const tags = joinTags(settings.tags, normalizeTags(options.tags ?? [], `${settings.name}.tags`));
  expectExpiryChoice(settings.name, options);
  if (options.onError !== undefined) expectErrorMode(`${settings.name}.onError`, options.onError);
  return {
    mode: options.onError ?? settings.onError,
    hints: tags.length === 0 ? undefined : { tags },
    framing: framingOverride(core, options.codec, options.compress),
    plan: (value, context): StorePlan => ({
      value,
      kind: 'value',
      ttlMs: timeToLive(
        value,
        context.ttl === undefined
          ? options
          : { ...options, ttl: context.ttl, nullTtl: context.ttl },
        settings,
        runtime.random,
      ),
      tags: joinTags(tags, context.addedTags),
    }),
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
