import { toMilliseconds, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import { describeValue, expectBoolean, expectInteger, rejectUnknown } from '../options.js';
import type { ReadHints } from './backend.js';
import type { CacheCore } from './cache-core.js';
import { keyText, type KeyPart } from './cache-key.js';
import { expectSync } from './cache-settings.js';
import type { CacheStatistics } from './cache-statistics.js';
import { takeStep, type CallBudget } from './call-budget.js';
import {
  tagSelection,
  type Cache,
  type GetOrSetOptions,
  type KeyInput,
  type KeysOptions,
  type KeysPage,
  type SetOptions,
  type WarmEntries,
  type WarmOptions,
  type WarmResult,
} from './cache.js';
import type { Lookup, StoredEntry } from './entry.js';
import type { FillOptions } from './fill-options.js';
import { entryWrite } from './fill-store.js';
import { compilePattern } from './key-pattern.js';
import { LoadContext } from './load-context.js';
import { isPending } from './maybe-promise.js';
import { readMany } from './read-many.js';
import { budgeted, readOrLoad } from './read-or-load.js';
import { isThere, serveUnloaded } from './read-unloaded.js';
import { SET_OPTIONS, setPolicy, type SetPolicy } from './set-policy.js';
import { retentionMs, TIME_OPTIONS } from './time-settings.js';
import { keysPage, walkEntries } from './walk-entries.js';
import { warmCache } from './warm.js';

const MISS: Lookup<never> = Object.freeze({
  status: 'miss',
  value: undefined,
  ageMs: undefined,
  ttlMs: undefined,
  source: undefined,
  tags: Object.freeze([]),
});

/** The options of `getOrSet` beyond those of `set`. */
const LOAD_OPTIONS: readonly string[] = [
  ...SET_OPTIONS,
  'refresh',
  'sync',
  'signal',
  ...TIME_OPTIONS,
];

/** What a lookup asks for whose caller wants to know an entry's times. */
const TIMES: ReadHints = Object.freeze({ needsTimes: true });

/** What a call without options gives. */
const NO_OPTIONS: GetOrSetOptions = Object.freeze({});

/** How many keys a page of `keys` has when nothing says otherwise. */
export const DEFAULT_KEYS_COUNT = 100;

/** The {@link Cache} over a {@link CacheCore}: turns keys into texts, entries into values. */
export class BackendCache<Key extends readonly KeyPart[], Value> implements Cache<Key, Value> {
  readonly #core: CacheCore;
  #plainPolicy: SetPolicy | undefined;

  constructor(core: CacheCore) {
    this.#core = core;
  }

  get name(): string {
    return this.#core.name;
  }

  async get(key: KeyInput<Key>): Promise<Value | undefined> {
    const core = this.#core;
    const text = textOf(key);
    const { onError } = core.settings;
    let entry: StoredEntry | undefined;
    if (core.isTimed) entry = serveUnloaded(core, text, await core.find(text, onError), false);
    else {
      const found = core.ask(text, onError);
      entry = isPending(found)
        ? await core.settle(text, found, onError)
        : core.account(text, found);
    }
    return entry?.kind === 'value' ? (entry.value as Value) : undefined;
  }

  async getEntry(key: KeyInput<Key>): Promise<Lookup<Value>> {
    const core = this.#core;
    const text = textOf(key);
    const { onError } = core.settings;
    const hints = { needsTimes: true };
    const entry = core.isTimed
      ? serveUnloaded(core, text, await core.find(text, onError, hints), true)
      : await core.peek(text, onError, hints);
    return entry?.kind === 'value' ? this.#lookup(entry) : MISS;
  }

  async getMany<Given extends KeyInput<Key>>(keys: readonly Given[]): Promise<Map<Given, Value>> {
    const core = this.#core;
    const texts = keys.map(textOf);
    const { onError } = core.settings;
    const entries = core.isTimed
      ? await core.findMany(texts, onError)
      : await core.peekMany(texts, onError);
    const found = new Map<Given, Value>();
    entries.forEach((entry, index) => {
      const served = core.isTimed ? serveUnloaded(core, texts[index]!, entry, false) : entry;
      if (served?.kind === 'value') found.set(keys[index]!, served.value as Value);
    });
    return found;
  }

  async getOrSet(
    key: KeyInput<Key>,
    load: (context: LoadContext) => Promise<Value>,
    options: GetOrSetOptions = NO_OPTIONS,
  ): Promise<Value> {
    const text = textOf(key);
    const policy = this.#loadPolicy(options);
    const target = { cache: this.#core, key: text, policy };
    return readOrLoad(target, load, this.#fillOptions(options, policy)) as Promise<Value>;
  }

  async getOrSetMany<Given extends KeyInput<Key>>(
    keys: readonly Given[],
    load: (missing: readonly Given[], context: LoadContext) => Promise<ReadonlyMap<Given, Value>>,
    options: GetOrSetOptions = {},
  ): Promise<Map<Given, Value>> {
    const cache = this.#core;
    const policy = setPolicy(cache, options, LOAD_OPTIONS);
    const texts = keys.map(textOf);
    const byText = new Map(texts.map((text, index) => [text, keys[index]!]));
    const read = {
      cache,
      policy,
      times: policy.times,
      load: async (missing: readonly string[], context: LoadContext) => {
        const loaded = await load(
          missing.map((text) => byText.get(text) as Given),
          context,
        );
        return new Map([...loaded].map(([key, value]) => [textOf(key), value]));
      },
      options: budgeted(cache, this.#fillOptions(options, policy)),
    };
    const values = await readMany(read, [...byText.keys()]);
    const found = new Map<Given, Value>();
    for (const [text, key] of byText) {
      const value = values.get(text);
      if (value !== undefined) found.set(key as Given, value as Value);
    }
    return found;
  }

  async set(key: KeyInput<Key>, value: Value, options: SetOptions = {}): Promise<boolean> {
    return (await this.setMany([[key, value]], options)) === 1;
  }

  async setMany(
    entries: Iterable<readonly [KeyInput<Key>, Value]>,
    options: SetOptions = {},
  ): Promise<number> {
    const core = this.#core;
    const policy = setPolicy(core, options);
    const context = new LoadContext();
    const unwanted: string[] = [];
    const writes = [...entries].flatMap(([given, value]) => {
      const key = textOf(given);
      if (value === undefined) {
        throw new InvalidOptionError(
          `cache '${core.name}'.set('${key}')`,
          'undefined means absent and cannot be stored; store null, or delete the key',
        );
      }
      const plan = policy.plan(value, context)!;
      core.flights.detach(key);
      // With a ttl of 0 the new value is not stored, and the old one is no longer true.
      if (plan.ttlMs <= 0) unwanted.push(key);
      return plan.ttlMs <= 0
        ? []
        : [entryWrite({ cache: core, key, policy }, plan, { kind: 'set' }, 0)];
    });
    const budget = core.startBudget();
    // Nothing is awaited without need: what is set must reach the store before what is issued after it.
    if (unwanted.length > 0) await core.delete(unwanted, policy.mode, budget);
    const outcomes = await core.store(writes, policy.mode, budget);
    return outcomes.filter((outcome) => outcome === 'stored').length;
  }

  async delete(key: KeyInput<Key>): Promise<boolean> {
    return (await this.#core.delete([textOf(key)], this.#core.settings.onError)) > 0;
  }

  async deleteMany(keys: readonly KeyInput<Key>[]): Promise<number> {
    return this.#core.delete([...new Set(keys.map(textOf))], this.#core.settings.onError);
  }

  async has(key: KeyInput<Key>): Promise<boolean> {
    return (await this.#live(textOf(key), 'has')) !== undefined;
  }

  async ttl(key: KeyInput<Key>): Promise<number | undefined> {
    const entry = await this.#live(textOf(key), 'ttl');
    return entry === undefined ? undefined : this.#lookup(entry).ttlMs;
  }

  async expire(key: KeyInput<Key>, ttl: Duration): Promise<boolean> {
    const { settings } = this.#core;
    const text = textOf(key);
    if (typeof ttl === 'number' && ttl <= 0) {
      return (await this.#core.delete([text], settings.onError)) > 0;
    }
    const ttlMs = Math.min(toMilliseconds(ttl, `${this.name}.expire ttl`), settings.maxTtlMs);
    if (ttlMs === 0) return (await this.#core.delete([text], settings.onError)) > 0;
    // What has expired is not made fresh again; it is kept where the cache or an operation serves stale entries.
    const budget = this.#core.startBudget();
    const entry = await this.#stored(text, 'expire', budget);
    if (budget?.failure !== undefined) return false;
    if (entry !== undefined && !isThere(this.#core, entry)) return false;
    return this.#core.withStore('expire', settings.onError, false, (store) =>
      takeStep(budget, undefined, (options) =>
        store.expire(text, ttlMs, retentionMs(ttlMs, settings), options),
      ),
    );
  }

  clear(): Promise<void> {
    return this.#core.clear(this.#core.settings.onError);
  }

  async invalidateTags(
    ...given: readonly [{ readonly all: readonly string[] }] | readonly string[]
  ): Promise<void> {
    const { runtime, settings } = this.#core;
    await runtime.invalidateTags(tagSelection(given), settings.onError);
  }

  async deletePattern(glob: string): Promise<number> {
    return this.#core.deletePattern(compilePattern(glob), this.#core.settings.onError);
  }

  async keys(options: KeysOptions = {}): Promise<KeysPage> {
    rejectUnknown(`cache '${this.name}'.keys`, options, ['pattern', 'cursor', 'count']);
    const count = expectInteger('count', options.count ?? DEFAULT_KEYS_COUNT, 1, 10_000);
    const pattern = options.pattern === undefined ? undefined : compilePattern(options.pattern);
    return keysPage(this.#core, { pattern, cursor: options.cursor, count });
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<readonly [key: string, value: Value]> {
    for await (const [key, { value }] of walkEntries(this.#core)) yield [key, value as Value];
  }

  async warm(
    entries: WarmEntries<Key, Value> | (() => Promise<WarmEntries<Key, Value>>),
    options: WarmOptions = {},
  ): Promise<WarmResult> {
    return warmCache(this, this.#core, entries, options);
  }

  statistics(): CacheStatistics {
    return this.#core.counter.snapshot();
  }

  /** A hit costs less than to work out what no options mean. */
  #loadPolicy(options: GetOrSetOptions): SetPolicy {
    if (options !== NO_OPTIONS) return setPolicy(this.#core, options, LOAD_OPTIONS);
    return (this.#plainPolicy ??= setPolicy(this.#core, options, LOAD_OPTIONS));
  }

  #fillOptions({ refresh, sync, signal }: GetOrSetOptions, { times }: SetPolicy): FillOptions {
    const core = this.#core;
    if (refresh !== undefined) expectBoolean(`${this.name}.refresh`, refresh);
    if (sync !== undefined) expectSync(`${this.name}.sync`, sync);
    if (signal !== undefined) expectSignal(`cache '${this.name}'.signal`, signal);
    const mode = sync ?? core.settings.sync;
    return {
      isShared: mode !== false,
      isClustered: core.takesTurns(mode),
      isRefresh: refresh === true,
      signal,
      hardTimeoutMs: times.hardTimeoutMs,
    };
  }

  #stored(key: string, operation: string, budget?: CallBudget): Promise<StoredEntry | undefined> {
    const { onError } = this.#core.settings;
    return this.#core.withStore<StoredEntry | undefined>(operation, onError, undefined, (store) =>
      takeStep(budget, TIMES, (options) => store.get(key, options)),
    );
  }

  async #live(key: string, operation: string): Promise<StoredEntry | undefined> {
    const entry = await this.#stored(key, operation);
    if (entry?.kind !== 'value') return undefined;
    return isThere(this.#core, entry) ? entry : undefined;
  }

  #lookup(entry: StoredEntry): Lookup<Value> & { ttlMs: number } {
    const now = this.#core.runtime.clock.now();
    return {
      status: entry.expiresAt > now ? 'hit' : 'stale',
      value: entry.value as Value,
      ageMs: Math.max(0, now - entry.createdAt),
      ttlMs: Math.max(0, entry.expiresAt - now),
      source: entry.source,
      tags: entry.tags,
    };
  }
}

function textOf(key: KeyPart | readonly KeyPart[]): string {
  return keyText(key);
}

function expectSignal(option: string, signal: unknown): void {
  if (signal instanceof AbortSignal) return;
  throw new InvalidOptionError(option, `expected an AbortSignal, got ${describeValue(signal)}`);
}
