import type { KeyPart } from '../cache/cache-key.js';
import { CacheBackendError, CacheKeyError } from '../errors.js';
import { describeValue } from '../options.js';
import type { CallBudget } from '../cache/call-budget.js';
import { readMany } from '../cache/read-many.js';
import type { BoundMethod } from './bound-method.js';
import type { BoundCacheable, Invocation } from './bound-operation.js';
import { memberName } from './method-site.js';
import { invoke, keyOrBypass } from './invoke.js';

/** The forms in which a method may give the items of a list of ids. */
type Shape = 'map' | 'list' | 'items';

/** A result that cannot be taken apart. */
interface Unusable {
  readonly result: unknown;
  /** Whether it is the result for all ids, and so what the caller would have got without a cache. */
  readonly isWhole: boolean;
  readonly cause: unknown;
}

/** The forms learnt from results, by method; without `idOf` nothing else tells a `Map` from a list. */
const shapes = new WeakMap<object, Shape>();

/**
 * Runs a method with `each`: looks every id up, calls the method with those that are missing, and puts the result
 * together in the method's own form, in the order of the ids. With `idOf` an id that is absent is left out; so it
 * is from a `Map`; in a list its place holds `undefined`.
 */
export async function runBulk(
  bound: BoundMethod,
  cacheable: BoundCacheable,
  call: Invocation,
  budget: CallBudget | undefined,
): Promise<unknown> {
  const { arg, idOf } = cacheable.each!;
  const { self, args } = call;
  const ids = args[arg];
  if (!Array.isArray(ids)) {
    const error = new CacheKeyError(
      `'each' expects a list of ids as argument ${arg}, got ${describeValue(ids)}.`,
      `args[${arg}]`,
    );
    cacheable.core.failCallback('each', error, cacheable.mode);
    return invoke(bound, self, args);
  }
  const byKey = new Map<string, unknown>();
  const keys: string[] = [];
  for (const id of ids as readonly unknown[]) {
    const key = keyOrBypass(cacheable, { self, args: withArgument(args, arg, id) });
    if (key === undefined) return invoke(bound, self, args);
    keys.push(key);
    byKey.set(key, id);
  }
  if (ids.length === 0) return invoke(bound, self, args);
  let unusable: Unusable | undefined;
  const load = async (
    missing: readonly string[],
  ): Promise<ReadonlyMap<string, unknown> | undefined> => {
    const missingIds = missing.map((key) => byKey.get(key));
    const result = await invoke(bound, self, withArgument(args, arg, missingIds));
    const isWhole = missing.length === byKey.size;
    try {
      const items = takeApart(bound, cacheable, result, missing, call);
      if (items === undefined) unusable = { result, isWhole, cause: undefined };
      return items;
    } catch (cause) {
      // `idOf` failed, or gave what is no key; the method has done its work all the same.
      unusable = { result, isWhole, cause };
      return undefined;
    }
  };
  const cache = cacheable.core;
  const policy = cacheable.policies(call)(cache);
  const times = cacheable.timesOf(cache);
  const options = cacheable.fillOptions(cacheable.isRefresh(call), budget);
  const read = { cache, policy, times, load, options };
  const values = await readMany(read, [...byKey.keys()]);
  if (unusable === undefined && shapeOf(bound, idOf) === undefined) {
    // Everything was cached before this process ran the method once; one id teaches the form. Others may wait for this load as for
    // any other, and it waits for theirs, but what they load teaches nothing.
    const { isShared, isClustered } = options;
    const lesson = { isShared, isClustered, isRefresh: true, arrivedAt: Infinity, budget };
    await learnOnce(bound.site, budget, () =>
      readMany({ ...read, options: lesson }, keys.slice(0, 1)),
    );
  }
  if (unusable !== undefined) {
    const { result, isWhole, cause }: Unusable = unusable;
    const error = new CacheBackendError(
      `'${memberName(bound.site)}' gave ${describeValue(result)} for a list of ids; 'each' needs a Map by id, a list of the same length, or 'idOf'. Nothing was cached.`,
      cause === undefined ? undefined : { cause },
    );
    cacheable.core.failCallback('each', error, cacheable.mode);
    return isWhole ? result : invoke(bound, self, args);
  }
  return putTogether(shapeOf(bound, idOf) ?? 'list', keys, byKey, values);
}

/** A run that teaches the form of a method's results. */
interface Lesson {
  readonly work: Promise<unknown>;
  readonly budget: CallBudget | undefined;
}

/** By method; callers who need one at the same time wait for it. */
const lessons = new WeakMap<object, Lesson>();

async function learnOnce(
  site: object,
  budget: CallBudget | undefined,
  learn: () => Promise<unknown>,
): Promise<void> {
  const running = lessons.get(site);
  if (running !== undefined) {
    const leave = budget === undefined ? undefined : running.budget?.join(budget);
    await running.work.finally(leave);
    if (shapes.has(site)) return;
  }
  const work = learn();
  lessons.set(site, { work, budget });
  try {
    await work;
  } finally {
    lessons.delete(site);
  }
}

function shapeOf(bound: BoundMethod, idOf: unknown): Shape | undefined {
  return idOf === undefined ? shapes.get(bound.site) : 'items';
}

/** The items of a result by key; `undefined` when it cannot be taken apart. */
function takeApart(
  bound: BoundMethod,
  cacheable: BoundCacheable,
  result: unknown,
  missing: readonly string[],
  { self, args }: Invocation,
): ReadonlyMap<string, unknown> | undefined {
  const { arg, idOf } = cacheable.each!;
  const wanted = new Set(missing);
  const found = new Map<string, unknown>();
  const add = (id: unknown, item: unknown): void => {
    const key = cacheable.keyOfArguments(self, withArgument(args, arg, id));
    if (wanted.has(key)) found.set(key, item);
  };
  if (idOf !== undefined) {
    if (!Array.isArray(result)) return undefined;
    for (const item of result as readonly unknown[]) {
      if (item !== undefined && item !== null)
        add((idOf as (item: unknown) => KeyPart)(item), item);
    }
    return found;
  }
  if (result instanceof Map) {
    shapes.set(bound.site, 'map');
    for (const [id, item] of result as ReadonlyMap<unknown, unknown>) add(id, item);
    return found;
  }
  if (!Array.isArray(result) || result.length !== missing.length) return undefined;
  shapes.set(bound.site, 'list');
  missing.forEach((key, index) => found.set(key, (result as readonly unknown[])[index]));
  return found;
}

function putTogether(
  shape: Shape,
  keys: readonly string[],
  byKey: ReadonlyMap<string, unknown>,
  values: ReadonlyMap<string, unknown>,
): unknown {
  if (shape === 'list') return keys.map((key) => values.get(key));
  if (shape === 'items') return keys.filter((key) => values.has(key)).map((key) => values.get(key));
  const result = new Map<unknown, unknown>();
  for (const key of keys) if (values.has(key)) result.set(byKey.get(key), values.get(key));
  return result;
}

function withArgument(args: readonly unknown[], index: number, value: unknown): readonly unknown[] {
  const changed = [...args];
  changed[index] = value;
  return changed;
}
