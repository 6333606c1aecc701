import { compilePattern } from '../../cache/key-pattern.js';
import {
  badRequest,
  chosenCaches,
  noSuchCache,
  ok,
  type AdminAnswer,
  type AdminCall,
} from './admin-answer.js';
import { refuseOption } from './admin-keys.js';

/** The parameters of a clear. */
export const CLEAR_PARAMETERS: readonly string[] = [
  'pattern',
  'cache',
  'namespace',
  'tag',
  'match',
];

/**
 * Clears what the parameters name:
 *
 * - `pattern`: keys that match a glob, in one `cache` or in all; gives how many: `{"cleared": 12}`
 * - `cache` (or `namespace`): one cache
 * - `tag`, once or several times: entries with any of the tags, or with all of them (`match=all`)
 * - nothing: everything below the backend's prefix, and nothing else of the store; counters of limiters stay
 *
 * All but patterns cost the same however much they clear, so they count nothing: `{"cleared": true}`. When the store
 * does not take it the answer is an error, and the invalidation is kept and replayed as the cache does for any other.
 */
export async function clear(call: AdminCall): Promise<AdminAnswer> {
  const { manager, query } = call;
  const glob = query.get('pattern');
  const tags = query.getAll('tag');
  const isCacheNamed = query.get('cache') !== undefined || query.get('namespace') !== undefined;
  const fault = combinationFault(call, glob, tags, isCacheNamed);
  if (fault !== undefined) return badRequest(fault);
  const caches = chosenCaches(call);
  if (caches === undefined) return noSuchCache();
  if (tags.length > 0) {
    const selection = query.get('match') === 'all' ? { allOf: tags } : { anyOf: tags };
    try {
      await manager.runtime.invalidateTags(selection, 'throw');
    } catch (error) {
      return refuseOption(error);
    }
    return ok({ cleared: true });
  }
  if (glob !== undefined) {
    let count = 0;
    try {
      const pattern = compilePattern(glob);
      for (const core of caches) count += await core.deletePattern(pattern, 'throw');
    } catch (error) {
      return refuseOption(error);
    }
    return ok({ cleared: count });
  }
  if (isCacheNamed) await caches[0]!.clear('throw');
  else await manager.runtime.clearAll('throw');
  return ok({ cleared: true });
}

/** What contradicts itself. A doubt about what is meant must not clear more than was meant. */
function combinationFault(
  { query }: AdminCall,
  glob: string | undefined,
  tags: readonly string[],
  isCacheNamed: boolean,
): string | undefined {
  const match = query.get('match');
  if (glob === '') return "'pattern' is empty; leave it out to clear everything.";
  if (
    query.get('namespace') !== undefined &&
    (glob !== undefined || query.get('cache') !== undefined)
  ) {
    return "'namespace' stands alone; a pattern in one cache is 'pattern' with 'cache'.";
  }
  if (tags.some((tag) => tag === '')) return "'tag' is empty.";
  if (tags.length > 0 && (glob !== undefined || isCacheNamed)) {
    return "'tag' reaches all caches; it goes with neither 'pattern' nor 'cache'.";
  }
  if (match !== undefined && (tags.length === 0 || (match !== 'any' && match !== 'all'))) {
    return "'match' is 'any' or 'all', and needs 'tag'.";
  }
  return undefined;
}
