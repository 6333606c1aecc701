import type { HttpRequest } from '../http-middleware.js';

/** Where a request goes, below the mount point. */
export interface AdminTarget {
  /** Begins with a slash; still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Reads a request's target; `undefined` where it is none that an admin route could have. */
export function readTarget(request: HttpRequest): AdminTarget | undefined {
  let url = request.url ?? '';
  // The absolute form (RFC 9112 section 3.2.2) names the same resource.
  const absolute = /^https?:\/\/[^/?#]*/i.exec(url);
  if (absolute !== null) url = url.slice(absolute[0].length);
  const mark = url.indexOf('?');
  const path = mark === -1 ? url : url.slice(0, mark);
  if (path !== '' && !path.startsWith('/')) return undefined;
  return {
    path: path === '' ? '/' : path,
    query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
  };
}

/** The rest of a path below a base; `undefined` when it lies elsewhere. */
export function below(base: string, path: string): string | undefined {
  if (path === base) return '/';
  return path.startsWith(`${base}/`) ? path.slice(base.length) : undefined;
}
