import { MAX_PATH_DEPTH } from './request-target.js';

/**
 * How a write invalidates by its path, with `PATCH /spaces/123/items/456` as the example.
 *
 * - `ancestors`: the resource and what lies below it (`/spaces/123/items/456…`), and each parent by itself
 *   (`/spaces/123/items`, `/spaces/123`, `/spaces`). Siblings (`/spaces/123/items/457`) stay.
 * - `hierarchy`: everything below the base collection (`/spaces…`)
 * - `exact`: the resource and what lies below it
 *
 * Whatever the query: `/spaces/123/items?page=2` is that parent, too.
 */
export type InvalidationScope = 'ancestors' | 'hierarchy' | 'exact';

/** Every {@link InvalidationScope}. */
export const INVALIDATION_SCOPES: readonly InvalidationScope[] = Object.freeze([
  'ancestors',
  'hierarchy',
  'exact',
]);

/** The path above the collections when nothing says otherwise. */
export const DEFAULT_BASE_PATH = '/';

/** Before a path: the responses of that path. */
const AT = 'http:at:';
/** Before a path: the responses of that path and of all below it. */
const UNDER = 'http:under:';

/**
 * The tags that a response carries for its path: `http:at:/a/b`, `http:under:/a/b`, `http:under:/a`.
 *
 * The path is normalised hard: decoded once, in lower case, without empty and dot segments, a trailing slash, matrix
 * parameters, query and fragment. All forms under which Express finds one handler with one set of parameters have the same
 * tags; some that it tells apart have the same, too, which costs a hit and no more. So tags may be shared where keys must
 * not.
 *
 * @param target - the request target as it came: `req.originalUrl`
 */
export function pathTags(target: string): readonly string[] {
  const segments = pathSegments(target);
  const tags = [AT + pathOf(segments, segments.length)];
  for (let depth = Math.min(segments.length, MAX_PATH_DEPTH); depth > 0; depth--) {
    tags.push(UNDER + pathOf(segments, depth));
  }
  return tags;
}

/**
 * The tags to invalidate after a write to this path.
 *
 * @param base - the path above the collections, such as `/api/v1`: nothing at or above it is a parent. The root when absent
 *
 * @example
 * ```ts
 * await manager.invalidateTags(...pathInvalidationTags('/spaces/123/items/456'));
 * ```
 */
export function pathInvalidationTags(
  target: string,
  scope: InvalidationScope = 'ancestors',
  base: string = DEFAULT_BASE_PATH,
): readonly string[] {
  const segments = pathSegments(target);
  const { length } = segments;
  // Everything lies below the root: a form that posts to it must not empty the cache.
  if (length === 0) return [AT + pathOf(segments, 0)];
  const top = collectionDepth(segments, base);
  if (scope === 'hierarchy') return [UNDER + pathOf(segments, top)];
  // Nothing is stored below the greatest depth, so there is no tag either.
  const tags = length > MAX_PATH_DEPTH ? [] : [UNDER + pathOf(segments, length)];
  if (scope === 'exact') return tags;
  for (let depth = Math.min(length - 1, MAX_PATH_DEPTH); depth >= top; depth--) {
    tags.push(AT + pathOf(segments, depth));
  }
  return tags;
}

/** The path of a target as it stands in tags: `//Spaces/./123/;v=2?x` gives `/spaces/123`. */
export function normalizedPath(target: string): string {
  const segments = pathSegments(target);
  return pathOf(segments, segments.length);
}

/** How many segments lead to the collection that a path belongs to. */
function collectionDepth(segments: readonly string[], base: string): number {
  const prefix = pathSegments(base);
  const isBelow =
    segments.length > prefix.length &&
    prefix.every((segment, index) => segment === segments[index]);
  return isBelow ? prefix.length + 1 : 1;
}

function pathSegments(target: string): readonly string[] {
  const segments: string[] = [];
  for (const raw of decodedPath(target).split('/')) {
    const semicolon = raw.indexOf(';');
    const segment = semicolon === -1 ? raw : raw.slice(0, semicolon);
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments;
}

/** Express routes absolute forms, ignores a fragment, and trims white space where there is one, and so does this. */
function decodedPath(target: string): string {
  const path = /^(?:[a-z][a-z\d+.-]*:[\\/]{2}[^\\/?#]*)?([^?#]*)/i.exec(target.trim())![1]!;
  return decoded(path).replaceAll('\\', '/').toLowerCase();
}

/** Decodes each sequence that can be; the others stay, so that a write with a bad path still has tags. */
function decoded(path: string): string {
  if (!path.includes('%')) return path;
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replace(/(?:%[\da-f]{2})+/gi, (run) => {
      try {
        return decodeURIComponent(run);
      } catch {
        // Not UTF-8: nothing is stored under such a path.
        return run;
      }
    });
  }
}

function pathOf(segments: readonly string[], depth: number): string {
  return `/${segments.slice(0, depth).join('/')}`;
}
