import type { CacheCore } from '../cache/cache-core.js';
import { normalizeTags } from '../cache/cache-settings.js';
import type { StorePolicy } from '../cache/fill-store.js';
import { joinTags, readHints } from '../cache/set-policy.js';
import { pathTags } from '../http/path-tags.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';
import { routedTarget, targetOf } from './request-key.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import { isRefusal, isRouteAnswer } from './route-answer.js';

/** The tags of a request's response that are known before its handler runs. */
export function requestTags(
  req: HttpRequest,
  res: HttpResponse,
  core: CacheCore,
  { tags }: ResolvedHttpCacheOptions,
): readonly string[] {
  const own = typeof tags === 'function' ? normalizeTags(tags(req, res), 'httpCache.tags') : tags;
  const fixed = joinTags(core.settings.tags, own);
  const target = targetOf(req);
  // A write may come under either name.
  const routed = routedTarget(req, target);
  if (routed === undefined && fixed.length === 0) return tagsOfPath(target);
  const paths = routed === undefined ? [] : pathTags(routed);
  return normalizeTags([...pathTags(target), ...paths, ...fixed], 'httpCache.tags');
}

/** So many paths have their tags remembered. */
const MOST_PATHS = 1_024;
const LONGEST_PATH = 256;

const knownPaths = new Map<string, readonly string[]>();

/** The tags of a target's path: the same for all its queries, of which there may be any number. */
function tagsOfPath(target: string): readonly string[] {
  const end = target.indexOf('?');
  const path = end === -1 ? target : target.slice(0, end);
  let tags = knownPaths.get(path);
  if (tags === undefined) {
    tags = normalizeTags(pathTags(path), 'httpCache.tags');
    if (path.length > LONGEST_PATH) return tags;
    if (knownPaths.size >= MOST_PATHS) knownPaths.clear();
    knownPaths.set(path, tags);
  }
  return tags;
}

/**
 * How a route's answer is stored: the record with the time for which it is fresh as its ttl, kept for as long as a stale
 * one, or its validator, may be of use. A response that is fresh no longer, or never was, is stored for its validator alone.
 */
export function responsePolicy(core: CacheCore, tags: readonly string[]): StorePolicy {
  return {
    mode: 'bypass',
    hints: readHints(core, tags, core.settings),
    isUnshared: isRefusal,
    plan: (value, { addedTags }) => {
      if (!isRouteAnswer(value) || value.kind !== 'stored') return undefined;
      const { record, freshForMs, keepMs, groups } = value;
      const passedMs = Math.max(0, core.runtime.clock.now() - record.respondedAt);
      const ttlMs = Math.max(SHORTEST_MS, Math.min(freshForMs - passedMs, core.settings.maxTtlMs));
      const further = addedTags.length === 0 ? groups : [...groups, ...addedTags];
      return {
        value: record,
        kind: 'value',
        ttlMs,
        retainMs: Math.max(ttlMs, keepMs - passedMs),
        tags: further.length === 0 ? tags : joinTags(tags, normalizeTags(further, 'groups')),
      };
    },
  };
}

/** The core stores nothing that is not fresh at all. */
const SHORTEST_MS = 1;
