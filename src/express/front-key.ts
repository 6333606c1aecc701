import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { forwardedFields, hasOverride } from './request-key.js';

/** What the front uses of an Express application: its settings. */
export interface ProxySettings {
  get(setting: string): unknown;
}

type TrustFunction = (address: string | undefined, hop: number) => unknown;

/** The longest URL that the front learns: the longest path that is cached. */
const LONGEST_URL = 1024;
/** The longest name of a host (RFC 1035 section 2.3.4), and room for a port. */
const LONGEST_HOST = 262;
/** Names are kept outside of the store's bounds, and what proxies say in fields can be long. */
const LONGEST_NAME = 2048;
const SLASH = 0x2f;
const LETTER_F = 0x66;
const LETTER_X = 0x78;

/**
 * What tells one request from another in front of the application: method, scheme, host, URL, and what a proxy says about
 * them, as they came. Two requests of one name have one key in the cache, because whatever Express and the key are made from
 * is in the name, but for who may speak for a proxy (see {@link isTrusted}).
 *
 * `undefined`: a request that only the application can judge.
 */
export function frontKey(req: IncomingMessage): string | undefined {
  const { method, url, headers } = req;
  if (method !== 'GET' && method !== 'HEAD') return undefined;
  // An absolute form names a host of its own. HTTP/2 has no `Host`.
  if (url === undefined || url.charCodeAt(0) !== SLASH || url.length > LONGEST_URL) {
    return undefined;
  }
  if (req.httpVersionMajor !== 1) return undefined;
  // No field holds a line break, and no target does.
  const host = headers.host ?? '';
  if (host.length > LONGEST_HOST) return undefined;
  const start = isEncrypted(req) ? `${method}S` : method;
  const name = `${start}\n${host}\n${url}`;
  for (const field in headers) {
    const letter = field.charCodeAt(0);
    if (letter === LETTER_X || letter === LETTER_F) return withProxyFields(req, name);
  }
  return name;
}

function withProxyFields(req: IncomingMessage, name: string): string | undefined {
  if (hasOverride(req)) return undefined;
  let whole = name;
  for (const [field, value] of forwardedFields(req.headers)) whole += `\n${field}:${value}`;
  return whole.length > LONGEST_NAME ? undefined : whole;
}

/**
 * Whether an application believes what the sender of a request says about scheme and host (`trust proxy`). `undefined`: the
 * request says nothing of the kind.
 */
export function isTrusted(
  req: IncomingMessage,
  app: ProxySettings | undefined,
): boolean | undefined {
  const { headers } = req;
  if (headers['x-forwarded-proto'] === undefined && headers['x-forwarded-host'] === undefined) {
    return undefined;
  }
  const trust = app?.get('trust proxy fn') as TrustFunction | undefined;
  return typeof trust === 'function' && Boolean(trust(req.socket.remoteAddress, 0));
}

/** Scheme and host of a request as Express 5 reads them. */
export function expressOrigin(req: IncomingMessage, isProxyTrusted: boolean | undefined): string {
  const { headers } = req;
  const proto = headers['x-forwarded-proto'] as string | undefined;
  const forwardedHost = headers['x-forwarded-host'] as string | undefined;
  const isSaid = isProxyTrusted === true;
  const own = isEncrypted(req) ? 'https' : 'http';
  const scheme = isSaid && proto ? firstOf(proto) : own;
  const host = isSaid && forwardedHost ? firstOf(forwardedHost) : headers.host;
  return `${scheme}://${host ?? ''}`;
}

function firstOf(list: string): string {
  const comma = list.indexOf(',');
  return (comma === -1 ? list : list.slice(0, comma)).trim();
}

function isEncrypted({ socket }: IncomingMessage): boolean {
  return (socket as Partial<TLSSocket>).encrypted === true;
}
