import { expectInteger } from '../options.js';
import type { CacheCore } from './cache-core.js';
import type { Cache, KeyInput, WarmEntries, WarmOptions, WarmResult } from './cache.js';
import { keyText, type KeyPart } from './cache-key.js';
import { fillResult, valueOf } from './fill.js';
import { setPolicy } from './set-policy.js';

/** How many entries `warm` loads at a time when nothing says otherwise. */
export const DEFAULT_WARM_CONCURRENCY = 8;

/**
 * Fills a cache from entries or from functions that load them, a bounded number at a time. A function is loaded
 * like a miss, under the fence; a value is set.
 */
export async function warmCache<Key extends readonly KeyPart[], Value>(
  cache: Cache<Key, Value>,
  core: CacheCore,
  given: WarmEntries<Key, Value> | (() => Promise<WarmEntries<Key, Value>>),
  options: WarmOptions,
): Promise<WarmResult> {
  const { concurrency = DEFAULT_WARM_CONCURRENCY, ...setOptions } = options;
  expectInteger('warm.concurrency', concurrency, 1, Infinity);
  const { mode, ...policy } = setPolicy(core, setOptions);
  const { sync } = core.settings;
  const isClustered = core.takesTurns(sync);
  const isOn = await core.withStore('warm', mode, false, () => true);
  if (!isOn) return { stored: 0, failed: 0 };
  // From here on a failure is an entry that is counted, not the end.
  const bypass = { ...policy, mode: 'bypass' } as const;
  const how = { isShared: sync !== false, isClustered, isRefresh: true };
  let stored = 0;
  let failed = 0;
  const one = async (
    key: KeyInput<Key>,
    source: Value | (() => Promise<Value>),
  ): Promise<boolean> => {
    if (typeof source !== 'function') {
      return cache.set(key, source, { ...setOptions, onError: 'bypass' });
    }
    const load = source as () => Promise<Value>;
    const target = { cache: core, key: keyText(key as KeyPart | Key), policy: bypass };
    const result = await fillResult([target], load, { ...how, budget: core.startBudget() });
    valueOf(result);
    return result.outcome === 'stored';
  };
  const running = new Set<Promise<void>>();
  const failure = (error: unknown): void => {
    failed++;
    core.failCallback('warm', error, 'bypass');
  };
  try {
    const entries = typeof given === 'function' ? await given() : given;
    for await (const [key, source] of entries) {
      const task: Promise<void> = one(key, source)
        .then((isStored) => {
          if (isStored) stored++;
          else failed++;
        }, failure)
        .finally(() => running.delete(task));
      running.add(task);
      if (running.size >= concurrency) await Promise.race(running);
    }
  } catch (error) {
    failure(error);
  }
  await Promise.all(running);
  return { stored, failed };
}
