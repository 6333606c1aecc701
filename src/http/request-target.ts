/**
 * Which request targets a shared cache may work on.
 *
 * Routers, proxies and CDNs disagree about some spellings of a path: one decodes `%2F` before it routes, another merges
 * `//`, a third cuts everything behind `;`. Web cache deception and key confusion live on such disagreements, so requests
 * with them are answered, but never from a cache and never into one. Every rule is about the path, unless it says otherwise:
 * what a query holds is the handler's own business.
 */

/**
 * Why requests with this target are neither answered from the cache nor stored.
 *
 * - `form`: not an origin form (RFC 9112 section 3.2.1): it does not begin with `/`, or holds a `#`
 * - `control`: a control character, white space or a byte beyond ASCII, in path or query, or an encoded control character
 * - `backslash`: `\`, which browsers read as `/`, or its encoding
 * - `empty-segment`: `//`, which many proxies merge
 * - `dot-segment`: `.`, `..`, or an encoded dot
 * - `encoded-slash`: `%2F`
 * - `matrix`: `;` or its encoding: some servers cut what follows
 * - `encoded-delimiter`: `%23` or `%3F`, where a second decoding would end the path
 * - `double-encoding`: `%25` before two hex digits
 * - `malformed`: a `%` without two hex digits, or bytes that are not UTF-8, such as overlong forms
 * - `too-long`: a path of more than {@link MAX_PATH_LENGTH} characters
 * - `too-deep`: more than {@link MAX_PATH_DEPTH} segments
 * - `too-many-parameters`: more than {@link MAX_QUERY_PARAMETERS}, beyond which Express' parsers drop the last ones
 */
export type TargetRefusal =
  | 'form'
  | 'control'
  | 'backslash'
  | 'empty-segment'
  | 'dot-segment'
  | 'encoded-slash'
  | 'matrix'
  | 'encoded-delimiter'
  | 'double-encoding'
  | 'malformed'
  | 'too-long'
  | 'too-deep'
  | 'too-many-parameters';

/** The longest path that is cached, in characters. */
export const MAX_PATH_LENGTH = 1024;
/** The most segments that a cached path has. Each costs a tag. */
export const MAX_PATH_DEPTH = 32;
/** The most query parameters of a cached request: the limit of Express' parsers. */
export const MAX_QUERY_PARAMETERS = 1000;

/** Nothing but letters, digits, `-`, `_` and inner dots: almost every path. */
const PLAIN_PATH = /^(?:\/[\w-][-\w.]*)*\/?$/;
const NOT_VISIBLE_ASCII = /[^\x21-\x7e]/;
const DOT_SEGMENT = /%2e|\/\.{1,2}(?:\/|$)/i;

const PATH_RULES: readonly (readonly [RegExp, TargetRefusal])[] = [
  [/\\|%5c/i, 'backslash'],
  [/\/\//, 'empty-segment'],
  [DOT_SEGMENT, 'dot-segment'],
  [/%2f/i, 'encoded-slash'],
  [/;|%3b/i, 'matrix'],
  [/%(?:[01][\da-f]|7f)/i, 'control'],
  [/%(?:23|3f)/i, 'encoded-delimiter'],
  [/%25[\da-f]{2}/i, 'double-encoding'],
  [/%(?![\da-f]{2})/i, 'malformed'],
];

/**
 * Why a request with this target must be left alone by a shared cache; `undefined` when it need not.
 *
 * @param target - the request target as it came: `req.originalUrl`
 */
export function refusedTarget(target: string): TargetRefusal | undefined {
  const queryAt = target.indexOf('?');
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  if (queryAt !== -1) {
    if (NOT_VISIBLE_ASCII.test(target)) return 'control';
    if (target.includes('#', queryAt)) return 'form';
    if (hasTooManyParameters(target, queryAt)) return 'too-many-parameters';
  }
  if (path.length > MAX_PATH_LENGTH) return 'too-long';
  if (!PLAIN_PATH.test(path) || path === '') {
    const refusal = refusedPath(path);
    if (refusal !== undefined) return refusal;
  }
  return isTooDeep(path) ? 'too-deep' : undefined;
}

/**
 * Whether the last segment of the path looks like a file: a dot, then a letter and at most four more letters or digits,
 * such as `/account/x.css`.
 *
 * Web cache deception asks for a private page under such a name (`/account/:rest` answers anything) and hopes for a cache
 * that keeps whatever looks static. So a rule for the whole application must not store these; a route that says so itself,
 * or a handler whose own fields allow it, may.
 */
export function looksLikeFile(target: string): boolean {
  const queryAt = target.indexOf('?');
  const path = queryAt === -1 ? target : target.slice(0, queryAt);
  return /\.[a-z][a-z\d]{0,4}\/?$/i.test(path);
}

function refusedPath(path: string): TargetRefusal | undefined {
  if (NOT_VISIBLE_ASCII.test(path)) return 'control';
  if (!path.startsWith('/') || path.includes('#')) return 'form';
  for (const [pattern, refusal] of PATH_RULES) {
    if (pattern.test(path)) return refusal;
  }
  return path.includes('%') && !isUtf8(path) ? 'malformed' : undefined;
}

function isUtf8(encoded: string): boolean {
  try {
    decodeURIComponent(encoded);
    return true;
  } catch {
    // That it cannot be decoded is the answer.
    return false;
  }
}

function isTooDeep(path: string): boolean {
  if (path.length <= MAX_PATH_DEPTH) return false;
  let segments = 0;
  for (
    let at = path.indexOf('/');
    at !== -1 && at < path.length - 1;
    at = path.indexOf('/', at + 1)
  ) {
    if (++segments > MAX_PATH_DEPTH) return true;
  }
  return false;
}

function hasTooManyParameters(target: string, queryAt: number): boolean {
  if (target.length - queryAt <= MAX_QUERY_PARAMETERS) return false;
  let parameters = 1;
  for (let at = target.indexOf('&', queryAt); at !== -1; at = target.indexOf('&', at + 1)) {
    if (++parameters > MAX_QUERY_PARAMETERS) return true;
  }
  return false;
}
