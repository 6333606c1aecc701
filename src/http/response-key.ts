import { escapeKeyComponent } from './key-component.js';
import { queryKeyParts, type QueryFilter } from './query-parameters.js';

/** An origin as almost all are: nothing in it needs an escape. */
const PLAIN_ORIGIN = /^[-.\w/:]*$/;

/** What tells one cached response from another. */
export interface ResponseKeyParts {
  readonly method: string;
  /** The request target as it came: `req.originalUrl`. */
  readonly target: string;
  /**
   * The target that was routed (`req.baseUrl + req.url`), where something in front rewrote it. Handlers see both, so both
   * are in the key.
   */
  readonly routedTarget?: string | undefined;
  /** Which parameters count; all when absent. */
  readonly queryFilter?: QueryFilter | undefined;
  /** Further facts about the request that the response depends on, such as `['user_id', '7']`, in a fixed order. */
  readonly attributes?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Scheme and host, such as `https://api.example.com`; absent where there is only one. */
  readonly origin?: string | undefined;
}

/**
 * The key text of a response: `GET:items:limit=10:page=1:sort=name`.
 *
 * Method, path segments and query parameters follow each other, then `@name=value` for each attribute, then `@` and the
 * origin. Parameters are sorted by name; equal names keep their order, for `?a=2&a=1` is not `?a=1&a=2`. Path and query
 * keep their spelling: case, a trailing slash (an empty last segment) and percent-encodings, whose `%` is escaped. A
 * parameter without `=` ends in `=()`. Everything else that means something here is escaped, so two requests that Express
 * or a handler could tell apart never share a key, and no client can write a key that a pattern does not expect.
 *
 * The text is as long as the request asks for; whoever stores under it has to shorten it.
 */
export function responseKey(parts: ResponseKeyParts): string {
  let key = parts.method + targetKey(parts.target, parts.queryFilter);
  if (parts.routedTarget !== undefined && parts.routedTarget !== parts.target) {
    // No attribute is called so: their names are escaped.
    key += `:@/=${escapeKeyComponent(parts.routedTarget)}`;
  }
  if (parts.attributes !== undefined) {
    for (const [name, value] of parts.attributes) {
      key += `:@${attributeName(name)}=${escapeKeyComponent(value)}`;
    }
  }
  return parts.origin === undefined ? key : `${key}:@${originKey(parts.origin)}`;
}

/** `GET` of a path in any spelling, for patterns: `/spaces/123` gives `GET:spaces:123`. */
export function pathKey(method: string, path: string): string {
  return method + pathKeyParts(path);
}

function targetKey(target: string, filter: QueryFilter | undefined): string {
  const queryAt = target.indexOf('?');
  if (queryAt === -1) return pathKeyParts(target);
  const parameters = queryKeyParts(target.slice(queryAt + 1), filter);
  const path = pathKeyParts(target.slice(0, queryAt));
  return parameters.length === 0 ? path : `${path}:${parameters.join(':')}`;
}

function pathKeyParts(path: string): string {
  // No segment begins like this, so a target that is no path cannot be taken for one.
  if (!path.startsWith('/')) return `:=${escapeKeyComponent(path)}`;
  return escapeKeyComponent(path).replaceAll('/', ':');
}

function attributeName(name: string): string {
  return escapeKeyComponent(name).replaceAll('/', '%2F');
}

/** The colons of scheme and port stay readable: nothing follows that they could be confused with. */
function originKey(origin: string): string {
  return PLAIN_ORIGIN.test(origin) ? origin : escapeKeyComponent(origin).replaceAll('%3A', ':');
}
