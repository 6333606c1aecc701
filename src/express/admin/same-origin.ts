import type { IncomingHttpHeaders } from 'node:http';
import { isSafeMethod } from './changing-requests.js';

type AdminRequest = { readonly method?: string | undefined; readonly headers: IncomingHttpHeaders };

/**
 * Whether a request that changes state may have been made on behalf of another site: cross-site request forgery.
 *
 * A browser that is logged in by a cookie sends it along with whatever request any page makes. So a change is refused
 * unless the browser says that the admin's own page asked for it (`Sec-Fetch-Site`, which a page cannot set), or, where
 * it does not say so, as without TLS, unless the origin is the host that was asked (`Origin`, else `Referer`). A request
 * with none of these comes from no browser that sends cookies across sites; but for the old way to change by GET, which an
 * image without a referrer can ask for: that needs a token.
 *
 * @returns whether it is to be refused
 */
export function isCrossSite({ method, headers }: AdminRequest): boolean {
  const site = headers['sec-fetch-site'];
  // `none`: the user's own doing, such as a bookmark; no page can make a browser say so.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  const source = headers.origin ?? headers.referer;
  if (source === undefined) return isSafeMethod(method) && !isBearer(headers);
  return hostOf(source) !== headers.host?.toLowerCase();
}

/**
 * Whether a request names the server by an address or as this machine. A page of `evil.example` whose name was made to
 * point here cannot (DNS rebinding): to the browser its requests are of one origin, but they carry its name.
 */
export function isLocalName(host: string | undefined): boolean {
  if (host === undefined) return false;
  const name = host.toLowerCase().replace(/:\d+$/, '');
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    /^\d{1,3}(?:\.\d{1,3}){3}$/.test(name) ||
    /^\[[\da-f:.]+\]$/.test(name)
  );
}

function hostOf(source: string): string | undefined {
  try {
    // `null`, as of a sandboxed frame, is no URL, and no host.
    return new URL(source).host;
  } catch {
    return undefined;
  }
}

/** What no browser adds by itself. */
function isBearer({ authorization }: IncomingHttpHeaders): boolean {
  return authorization !== undefined && /^bearer /i.test(authorization);
}
