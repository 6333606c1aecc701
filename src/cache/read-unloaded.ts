import type { CacheCore } from './cache-core.js';
import type { StoredEntry } from './entry.js';
import { judge } from './freshness.js';
import { slide } from './read-through.js';

/**
 * What a read that has nothing to load with gives of an entry, by the cache's own settings; counted.
 *
 * @param showsFallbacks - whether to give what only a load that fails would bring to light
 */
export function serveUnloaded(
  core: CacheCore,
  key: string,
  entry: StoredEntry | undefined,
  showsFallbacks: boolean,
): StoredEntry | undefined {
  const now = entry === undefined ? 0 : core.runtime.clock.now();
  const freshness = entry === undefined ? 'gone' : judge(entry, now, core.settings);
  const isHidden = freshness === 'gone' || (freshness === 'fallback' && !showsFallbacks);
  if (entry === undefined || isHidden) {
    core.countMiss(key);
    return undefined;
  }
  if (freshness === 'fresh') {
    core.countHit(key, entry);
    slide(core, key, entry, now, core.settings);
  } else core.countStale(key, entry);
  return entry;
}

/** Whether `get` would give the entry. */
export function isThere({ runtime, settings }: CacheCore, entry: StoredEntry): boolean {
  const freshness = judge(entry, runtime.clock.now(), settings);
  return freshness === 'fresh' || freshness === 'stale';
}
