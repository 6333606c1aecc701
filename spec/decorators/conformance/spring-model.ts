import { inspect } from 'node:util';
import type { CallStep, Counters, Outcome, Step } from './conformance-case.js';
import type { OperationSpec } from './operation-spec.js';

interface ModelEntry {
  readonly value: unknown;
  readonly tags: readonly string[];
}

/**
 * What should happen, worked out the slow way, from the rules alone: one call after the other, on plain maps, in
 * the order of Spring's CacheAspectSupport. It shares no code with the library.
 */
export class SpringModel {
  readonly #operations: readonly OperationSpec[];
  readonly #caches = new Map<string, Map<string, ModelEntry>>();
  readonly #trace: string[] = [];
  readonly #counters = { hits: 0, misses: 0, sets: 0, deletes: 0, loads: 0, errors: 0 };

  constructor(operations: readonly OperationSpec[]) {
    this.#operations = operations;
  }

  static outcome(operations: readonly OperationSpec[], steps: readonly Step[]): Outcome {
    const model = new SpringModel(operations);
    for (const step of steps) {
      if ('seed' in step) model.#seed(step.seed, { value: step.value, tags: step.tags ?? [] });
      else model.#call(step);
    }
    const contents: Record<string, unknown> = {};
    for (const [cache, entries] of model.#caches) {
      for (const [key, { value }] of entries) contents[`${cache}/${key}`] = value;
    }
    return { trace: model.#trace, contents, counters: model.#counters satisfies Counters };
  }

  #call(step: CallStep): void {
    const { call: args } = step;
    const active = this.#operations.filter((operation) => this.#applies(operation, args));
    const isBroken = active.some(({ kind, key }) => kind !== 'cacheable' && key === 'throws');
    if (isBroken) {
      this.#trace.push('! CacheKeyError');
      return;
    }
    const evicts = active.filter(({ kind }) => kind === 'evict');
    const puts = active.filter(({ kind }) => kind === 'put');
    const cacheables = active.filter((operation) => {
      if (operation.kind !== 'cacheable') return false;
      if (operation.key !== 'throws') return true;
      this.#counters.errors++;
      return false;
    });
    for (const evict of evicts) if (evict.before === true) this.#evict(evict, args, undefined);
    const hit = this.#lookUp(cacheables, args);
    let result = hit?.value;
    if (hit === undefined || puts.length > 0) {
      this.#trace.push(`run ${args.join(',')}`);
      if (hit === undefined && cacheables.length > 0) this.#counters.loads++;
      if (step.throws === true) {
        this.#trace.push('! the method failed');
        return;
      }
      result = step.gives;
      if (hit === undefined) for (const each of cacheables) this.#fill(each, args, result);
      for (const put of puts) this.#put(put, args, result);
    }
    for (const evict of evicts) if (evict.before !== true) this.#evict(evict, args, result);
    this.#trace.push(`= ${inspect(result)}`);
  }

  #applies({ condition, kind }: OperationSpec, [first]: readonly number[]): boolean {
    if (condition === 'throws') {
      this.#counters.errors++;
      // Evicting too much is safe; storing on an unanswered question is not.
      return kind === 'evict';
    }
    return condition === undefined || (condition === 'odd' ? first! % 2 === 1 : condition);
  }

  #lookUp(cacheables: readonly OperationSpec[], args: readonly number[]): ModelEntry | undefined {
    for (const cacheable of cacheables) {
      if (cacheable.refresh === true) continue;
      for (const cache of cachesOf(cacheable)) {
        const key = keyOf(cacheable, args);
        const entry = this.#entries(cache).get(key);
        this.#trace.push(`${entry === undefined ? 'miss' : 'hit'} ${cache}/${key}`);
        if (entry === undefined) this.#counters.misses++;
        else {
          this.#counters.hits++;
          return entry;
        }
      }
    }
    return undefined;
  }

  #fill(cacheable: OperationSpec, args: readonly number[], result: unknown): void {
    if (result === undefined || this.#isVetoed(cacheable, result)) return;
    if (timeToLive(cacheable, result) === 0) return;
    for (const cache of cachesOf(cacheable)) {
      this.#set(cache, keyOf(cacheable, args), result, tagsOf(cacheable, args, result));
    }
  }

  #put(put: OperationSpec, args: readonly number[], result: unknown): void {
    const key = put.keyOf === true ? idOf(result) : keyOf(put, args);
    if (key === undefined) {
      this.#counters.errors++;
      for (const cache of cachesOf(put)) this.#clear(cache);
      return;
    }
    const isGone = result === undefined;
    if (!isGone && this.#isVetoed(put, result)) return;
    for (const cache of cachesOf(put)) {
      if (isGone || timeToLive(put, result) === 0) this.#delete(cache, [key]);
      else this.#set(cache, key, result, tagsOf(put, args, result));
    }
  }

  #evict(evict: OperationSpec, args: readonly number[], result: unknown): void {
    const { evictTags, pattern, allEntries, key, keys } = evict;
    const isByKey =
      key !== undefined || keys === true || (evictTags === undefined && pattern === undefined);
    let isClearing = allEntries === true;
    let list: readonly string[] = [];
    if (evict.keyOf === true) {
      const id = idOf(result);
      if (id !== undefined) list = [id];
      else {
        this.#counters.errors++;
        isClearing = true;
      }
    } else if (isByKey) {
      list = keys === true ? [String(args[0]), String(args[0]! + 1)] : [keyOf(evict, args)];
    }
    for (const cache of cachesOf(evict)) {
      if (isClearing) this.#clear(cache);
      else {
        if (list.length > 0) this.#delete(cache, list);
        if (pattern !== undefined) this.#deletePattern(cache, pattern);
      }
    }
    if (evictTags === undefined) return;
    const tag = evictTags === 'all' ? 'all' : `arg:${args[0]}`;
    this.#trace.push(`tags ${tag}`);
    for (const entries of this.#caches.values()) {
      for (const [each, { tags }] of entries) if (tags.includes(tag)) entries.delete(each);
    }
  }

  #isVetoed({ unless }: OperationSpec, result: unknown): boolean {
    if (unless === 'throws') {
      this.#counters.errors++;
      return true;
    }
    return unless === 'null' ? result === null : unless === true;
  }

  #seed(place: string, entry: ModelEntry): void {
    const [cache, key] = place.split('/') as [string, string];
    this.#entries(cache).set(key, entry);
    this.#trace.push(`set ${place}`);
    this.#counters.sets++;
  }

  #set(cache: string, key: string, value: unknown, tags: readonly string[]): void {
    this.#entries(cache).set(key, { value, tags });
    this.#trace.push(`set ${cache}/${key}`);
    this.#counters.sets++;
  }

  #delete(cache: string, keys: readonly string[]): void {
    for (const key of keys) if (this.#entries(cache).delete(key)) this.#counters.deletes++;
    this.#trace.push(`evict ${cache}/${keys.join(',')}`);
  }

  #deletePattern(cache: string, pattern: string): void {
    const matcher = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
    for (const key of [...this.#entries(cache).keys()]) {
      if (matcher.test(key) && this.#entries(cache).delete(key)) this.#counters.deletes++;
    }
    this.#trace.push(`evict ${cache}~${pattern}`);
  }

  #clear(cache: string): void {
    this.#entries(cache).clear();
    this.#trace.push(`clear ${cache}`);
  }

  #entries(cache: string): Map<string, ModelEntry> {
    const known = this.#caches.get(cache) ?? new Map<string, ModelEntry>();
    this.#caches.set(cache, known);
    return known;
  }
}

function cachesOf({ caches = ['a'] }: OperationSpec): readonly string[] {
  return caches;
}

function keyOf({ key = 'args' }: OperationSpec, args: readonly number[]): string {
  if (key === 'constant') return 'k';
  if (key === 'first') return String(args[0]);
  return args.length === 0 ? '()' : args.join(':');
}

function idOf(result: unknown): string | undefined {
  const id = (result as { id?: unknown } | null | undefined)?.id;
  return id === undefined ? undefined : String(id as number);
}

function timeToLive({ ttl, nullTtl }: OperationSpec, result: unknown): unknown {
  return result === null && nullTtl !== undefined ? nullTtl : ttl;
}

function tagsOf(
  { tags }: OperationSpec,
  args: readonly number[],
  result: unknown,
): readonly string[] {
  if (tags === 'all') return ['all'];
  if (tags === 'arg') return [`arg:${args[0]}`];
  return tags === 'result' ? [`id:${(result as { id: number }).id}`] : [];
}
