import type { InvalidationScope } from './path-tags.js';
import { pathKey } from './response-key.js';

/**
 * Globs over response keys that a write to `path` makes untrue, for admin tools and stores without tags. With
 * `/spaces/123/items/456`:
 *
 * - `hierarchy`: `GET:spaces:123:items:456*`, `GET:spaces:123:items:*`, `GET:spaces:123:*`, `GET:spaces:*`, then the keys
 *   without query that these miss: `GET:spaces:123:items`, `GET:spaces:123`, `GET:spaces`. The last pattern covers the
 *   others, and `…456*` reaches `4567`.
 * - `ancestors`: ends segments properly, and of the parents takes the collection with its queries (`…:*=*`), its origins
 *   (`…:@*`) and itself. A sibling's detail goes only if its key has a query.
 * - `exact`: the resource and what lies below it
 *
 * A glob cannot tell a colon from a character, so these drop more than the tags do that `httpInvalidation` works with. Path
 * and patterns keep their spelling; a trailing slash and the query are left out.
 *
 * @defaultValue `scope`: `'hierarchy'`
 */
export function invalidationPatterns(
  path: string,
  scope: InvalidationScope = 'hierarchy',
): readonly string[] {
  const [own, ...parents] = keysUpwards(path);
  if (own === undefined) return ['GET:', 'GET::*'];
  if (scope === 'exact') return [own, `${own}:*`];
  if (scope === 'ancestors') {
    const lists = parents.flatMap((parent) => [parent, `${parent}:*=*`, `${parent}:@*`]);
    return [own, `${own}:*`, ...lists];
  }
  return [`${own}*`, ...parents.map((parent) => `${parent}:*`), ...parents];
}

/** The key of the path, then those of its parents, the base collection last. */
function keysUpwards(path: string): readonly string[] {
  const keys: string[] = [];
  let rest = path.replace(/[?#].*$/s, '');
  if (!rest.startsWith('/')) rest = `/${rest}`;
  while (rest.endsWith('/')) rest = rest.slice(0, -1);
  while (rest !== '') {
    keys.push(pathKey('GET', rest));
    rest = rest.slice(0, rest.lastIndexOf('/'));
  }
  return keys;
}
