import type { ReadHints } from '../cache/backend.js';
import type { CacheCore } from '../cache/cache-core.js';
import { argumentsKey, keyText, type KeyPart } from '../cache/cache-key.js';
import { CachedErrors, type CachedErrorRule } from '../cache/cached-errors.js';
import type { ErrorMode, SyncMode } from '../cache/cache-handle.js';
import { NO_TAGS, normalizeTags } from '../cache/cache-settings.js';
import { timeToLive } from '../cache/expiry.js';
import type { StorePlan, StorePolicy } from '../cache/fill-store.js';
import type { CallBudget } from '../cache/call-budget.js';
import type { FillOptions } from '../cache/fill-options.js';
import type { LoadContext } from '../cache/load-context.js';
import { framingOverride, joinTags, readHints } from '../cache/set-policy.js';
import {
  expectAgreeingTimes,
  isTimed,
  resolveTimes,
  retentionMs,
  TIME_OPTIONS,
  type TimeChoice,
  type TimeSettings,
} from '../cache/time-settings.js';
import type { Duration } from '../duration.js';
import { CacheKeyError, isCacheError } from '../errors.js';
import { attempt, memoByValue, type Attempt } from './callback-results.js';
import type {
  CacheableOptions,
  CacheConfigOptions,
  CacheEvictOptions,
  CachePutOptions,
} from './operation-options.js';

/** One call of a decorated method. */
export interface Invocation {
  readonly self: unknown;
  readonly args: readonly unknown[];
}

/** An operation's options, as its callbacks are called: with `this` and plain arguments. */
type Callable = (this: unknown, ...args: readonly unknown[]) => unknown;

/** What all bound operations share: which caches, which key, whether at all. */
export abstract class BoundOperation {
  readonly cores: readonly CacheCore[];
  readonly mode: ErrorMode;
  readonly #method: PropertyKey;
  readonly #condition: Callable | undefined;
  readonly #key: Callable | undefined;
  readonly #keyGenerator: Callable | undefined;

  constructor(
    options: CacheableOptions | CachePutOptions | CacheEvictOptions,
    config: CacheConfigOptions,
    cores: readonly CacheCore[],
    method: PropertyKey,
  ) {
    this.cores = cores;
    this.#method = method;
    this.mode = options.onError ?? config.onError ?? cores[0]!.settings.onError;
    this.#condition = options.condition as Callable | undefined;
    this.#key = options.key as Callable | undefined;
    this.#keyGenerator = (options.keyGenerator ?? config.keyGenerator) as Callable | undefined;
  }

  get hasCondition(): boolean {
    return this.#condition !== undefined;
  }

  get core(): CacheCore {
    return this.cores[0]!;
  }

  /**
   * Whether the operation takes part in a call. A condition that fails is reported; what then is safe depends on
   * the operation.
   */
  applies({ self, args }: Invocation, whenFailing: boolean): boolean {
    if (this.#condition === undefined) return true;
    try {
      return Boolean(Reflect.apply(this.#condition, self, args));
    } catch (error) {
      this.core.failCallback('condition', error, this.mode);
      return whenFailing;
    }
  }

  /** @throws {@link CacheKeyError} when the key cannot be built */
  keyOfArguments(self: unknown, args: readonly unknown[]): string {
    if (this.#key !== undefined) {
      let key: unknown;
      try {
        key = Reflect.apply(this.#key, self, args);
      } catch (error) {
        throw keyFailure('key', error);
      }
      return keyText(key as KeyPart, 'key');
    }
    if (this.#keyGenerator !== undefined) {
      const context = { self, method: this.#method, args, cache: this.core.name };
      return textOf('keyGenerator', () => this.#keyGenerator!(context));
    }
    return argumentsKey(args);
  }
}

/** What `@Cacheable` and `@CachePut` share: how a result becomes an entry. */
export abstract class BoundStoring extends BoundOperation {
  /** How concurrent loads are shared; `undefined` where nothing is loaded. */
  readonly sync: SyncMode | undefined = undefined;
  readonly #options: CacheableOptions;
  readonly #config: CacheConfigOptions;
  readonly #knownTags: readonly string[];
  readonly #times: ReadonlyMap<CacheCore, TimeSettings>;

  constructor(
    options: CacheableOptions | CachePutOptions,
    config: CacheConfigOptions,
    cores: readonly CacheCore[],
    method: PropertyKey,
  ) {
    super(options, config, cores, method);
    this.#options = options;
    this.#config = config;
    const own = typeof options.tags === 'function' ? NO_TAGS : (options.tags ?? NO_TAGS);
    this.#knownTags = normalizeTags([...(config.tags ?? NO_TAGS), ...own], 'tags');
    const choice = timeChoice(options, config);
    this.#times = new Map(
      cores.map((core) => {
        const owner = `'${String(method)}' with cache '${core.name}'`;
        const times = resolveTimes(owner, choice, core.settings);
        expectAgreeingTimes(owner, times);
        return [core, times];
      }),
    );
  }

  /** What counts for a cache beside the ttl. */
  timesOf(core: CacheCore): TimeSettings {
    return this.#times.get(core)!;
  }

  /** Whether an entry of this operation may have tags that are known before its load. */
  isTagged({ settings }: CacheCore): boolean {
    return (
      typeof this.#options.tags === 'function' ||
      this.#knownTags.length > 0 ||
      settings.tags.length > 0
    );
  }

  /** The tags that the options and the arguments give. Throws what a function in `tags` throws. */
  #tagsBefore(self: unknown, args: readonly unknown[]): readonly string[] {
    const { tags } = this.#options;
    if (typeof tags !== 'function') return this.#knownTags;
    const own = normalizeTags(Reflect.apply(tags as Callable, self, args), 'tags');
    return joinTags(this.#knownTags, own);
  }

  /**
   * How the results of one call are stored in each cache. Callbacks run once, however many caches there are; those
   * that see arguments only run now, before the method, which may change them.
   */
  policies({ self, args }: Invocation): (core: CacheCore) => StorePolicy {
    const { tagsOf, unless, ttl, nullTtl, codec, compress } = this.#options;
    const config = this.#config;
    const before = attempt(() => this.#tagsBefore(self, args));
    const shared = memoByValue((value: unknown) => ({
      isVetoed: unless !== undefined && Boolean((unless as Callable).call(self, value, ...args)),
      ttl: call(ttl, value) ?? config.ttl,
      nullTtl: call(nullTtl, value) ?? config.nullTtl,
      tags:
        tagsOf === undefined
          ? NO_TAGS
          : normalizeTags((tagsOf as Callable).call(self, value, ...args), 'tagsOf'),
    }));
    function call(option: CacheableOptions['ttl'], value: unknown): Duration | undefined {
      return typeof option === 'function'
        ? ((option as Callable).call(self, value, ...args) as Duration)
        : option;
    }
    return (core) => ({
      mode: this.mode,
      hints: hintsFor(core, before, this.timesOf(core), this.sync),
      framing: framingOverride(core, codec ?? config.codec, compress ?? config.compress),
      plan: (value: unknown, context: LoadContext): StorePlan | undefined => {
        const decided = shared(value);
        if (decided.isVetoed) return undefined;
        const choice = {
          ttl: context.ttl ?? decided.ttl,
          nullTtl: context.ttl === undefined ? decided.nullTtl : context.ttl,
          jitter: this.#options.jitter ?? config.jitter,
        };
        const { settings, runtime } = core;
        const tags = joinTags(joinTags(settings.tags, before.get()), decided.tags);
        const ttlMs = timeToLive(value, choice, settings, runtime.random);
        return {
          value,
          kind: 'value',
          ttlMs,
          retainMs: retentionMs(ttlMs, this.timesOf(core)),
          tags: joinTags(tags, context.addedTags),
        };
      },
      planError: (error: unknown): StorePlan | undefined =>
        planError(error, this.#options.cacheErrors ?? [], core, ttl ?? config.ttl, before.get),
    });
  }
}

/** A `@Cacheable`, bound to its caches. */
export class BoundCacheable extends BoundStoring {
  override readonly sync: SyncMode;
  /** What the store may know before a lookup in the first cache, where no tags are known. */
  readonly plainHints: ReadHints | undefined;
  /** Whether lookups do more than to tell fresh entries from others. */
  readonly isTimed: boolean;
  readonly each: CacheableOptions['each'];
  readonly #refresh: Callable | undefined;

  constructor(
    options: CacheableOptions,
    config: CacheConfigOptions,
    cores: readonly CacheCore[],
    method: PropertyKey,
  ) {
    super(options, config, cores, method);
    this.sync = options.sync ?? config.sync ?? cores[0]!.settings.sync;
    this.plainHints = readHints(cores[0]!, NO_TAGS, this.timesOf(cores[0]!), this.sync);
    this.isTimed = cores.some((core) => isTimed(this.timesOf(core)));
    this.each = options.each;
    this.#refresh = options.refresh as Callable | undefined;
    for (const core of cores) core.errors.add(options.cacheErrors ?? []);
  }

  /**
   * How the results of one call are loaded.
   *
   * @throws {@link CacheConfigurationError} when processes should take turns, and the store cannot tell whose it is
   */
  fillOptions(isRefresh: boolean, budget: CallBudget | undefined, arrivedAt?: number): FillOptions {
    const { sync, core } = this;
    return {
      isShared: sync !== false,
      isClustered: sync === 'cluster' && core.takesTurns(sync),
      isRefresh,
      budget,
      arrivedAt,
      hardTimeoutMs: this.timesOf(core).hardTimeoutMs,
    };
  }

  get hasRefresh(): boolean {
    return this.#refresh !== undefined;
  }

  /** Whether this call must load even if there is an entry. */
  isRefresh({ self, args }: Invocation): boolean {
    if (this.#refresh === undefined) return false;
    try {
      return Boolean(Reflect.apply(this.#refresh, self, args));
    } catch (error) {
      this.core.failCallback('refresh', error, this.mode);
      return false;
    }
  }
}

/** A `@CachePut`, bound to its caches. */
export class BoundPut extends BoundStoring {
  /** Whether the key is known only from the result. */
  readonly isKeyedByResult: boolean;
  readonly #keyOf: Callable | undefined;

  constructor(
    options: CachePutOptions,
    config: CacheConfigOptions,
    cores: readonly CacheCore[],
    method: PropertyKey,
  ) {
    super(options, config, cores, method);
    this.#keyOf = options.keyOf as Callable | undefined;
    this.isKeyedByResult = options.keyOf !== undefined;
  }

  /** @throws {@link CacheKeyError} when the key cannot be built */
  keyOfResult({ self, args }: Invocation, result: unknown): string {
    return textOf('keyOf', () => this.#keyOf!.call(self, result, ...args));
  }
}

/** @throws {@link CacheKeyError} with the callback's error as its cause */
export function textOf(option: string, build: () => unknown): string {
  let key: unknown;
  try {
    key = build();
  } catch (error) {
    throw keyFailure(option, error);
  }
  return keyText(key as KeyPart, option);
}

function keyFailure(option: string, error: unknown): CacheKeyError {
  if (isCacheError(error, 'ERR_CACHE_KEY')) return error as CacheKeyError;
  return new CacheKeyError(`The function '${option}' threw while it built a key.`, '', {
    cause: error,
  });
}

function planError(
  error: unknown,
  rules: readonly CachedErrorRule[],
  core: CacheCore,
  ttl: CacheableOptions['ttl'],
  tags: () => readonly string[],
): StorePlan | undefined {
  const rule = rules.find((each) => error instanceof each.error);
  if (rule === undefined) return undefined;
  // Bytes cannot carry the object itself; without a way back the error stays uncached.
  if (core.runtime.storesBytes && !CachedErrors.canTravel(rule)) return undefined;
  const choice = { ttl: rule.ttl ?? (typeof ttl === 'function' ? undefined : ttl) };
  const ttlMs = timeToLive(error, choice, core.settings, core.runtime.random);
  return {
    value: error,
    kind: 'error',
    ttlMs,
    retainMs: ttlMs,
    tags: joinTags(core.settings.tags, tags()),
  };
}

/**
 * What a store may know before the load; `undefined` where it would not use it. A hint only saves a round trip: tags
 * that failed are reported where they count, when the result is stored.
 */
function hintsFor(
  core: CacheCore,
  before: Attempt<readonly string[]>,
  times: TimeSettings,
  sync: SyncMode | undefined,
): ReadHints | undefined {
  if (before.isFailed) return readHints(core, NO_TAGS, times, sync);
  return readHints(core, joinTags(core.settings.tags, before.get()), times, sync);
}

/** The options of the method over those of its class. */
function timeChoice(options: TimeChoice, config: TimeChoice): TimeChoice {
  return Object.fromEntries(TIME_OPTIONS.map((name) => [name, options[name] ?? config[name]]));
}
