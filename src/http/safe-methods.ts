/**
 * Methods that change nothing, by the registry of HTTP methods. Any other, also one that nobody knows, may have changed something
 * (RFC 9111 section 4.4). Names are case-sensitive, so `get` is none of them.
 */
const SAFE_METHODS: ReadonlySet<string> = new Set([
  'GET',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PRI',
  'PROPFIND',
  'QUERY',
  'REPORT',
  'SEARCH',
]);

/** Whether an answer with this status to this method invalidates what is stored for its URL. */
export function invalidates(method: string, status: number): boolean {
  return status >= 200 && status <= 399 && !SAFE_METHODS.has(method);
}
