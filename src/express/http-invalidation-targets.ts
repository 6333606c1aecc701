import type { HttpRequest, HttpResponse } from './http-middleware.js';

/** The arguments of `res.writeHead`. */
export type HeadArguments = readonly unknown[];

/**
 * The values of a field of a response, as of its head. Fields given to `writeHead` alone are not among `getHeaders`.
 *
 * @param head - what `writeHead` was called with
 * @param name - in lower case
 */
export function headField(res: HttpResponse, head: HeadArguments, name: string): readonly string[] {
  const given = givenFields(head.at(-1));
  const values = given.filter(([each]) => each.toLowerCase() === name).map(([, value]) => value);
  const found = values.length > 0 ? values : [res.getHeader(name)];
  return found
    .flat()
    .filter((value) => value !== undefined)
    .map(String);
}

/** The fields that `writeHead` takes: as an object, flat, or in pairs. */
function givenFields(fields: unknown): readonly (readonly [name: string, value: unknown])[] {
  if (typeof fields !== 'object' || fields === null) return [];
  if (!Array.isArray(fields)) return Object.entries(fields);
  if (Array.isArray(fields[0])) return fields as [string, unknown][];
  const pairs: [string, unknown][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2)
    pairs.push([String(fields[at]), fields[at + 1]]);
  return pairs;
}

/**
 * The targets that the answer to a write is about: the one written to, also as it was routed where something rewrote it,
 * and those that `Location` and `Content-Location` name on the same host (RFC 9111 section 4.4).
 *
 * The scheme does not count: behind a proxy that ends TLS the application may not know it, and invalidating too much is
 * harmless. So is trusting `X-Forwarded-Host` as far as the application does.
 */
export function writtenTargets(
  req: HttpRequest,
  res: HttpResponse,
  head: HeadArguments,
  originHost: string | undefined,
): readonly string[] {
  const target = req.originalUrl ?? req.url ?? '/';
  const targets = [target, (req.baseUrl ?? '') + (req.url ?? '')];
  const references = [
    ...headField(res, head, 'location'),
    ...headField(res, head, 'content-location'),
  ];
  if (references.length === 0) return targets;
  const hosts = [req.headers.host, req.host, originHost];
  for (const reference of references) {
    const found = sameHostTarget(reference, target, hosts);
    if (found !== undefined) targets.push(found);
  }
  return targets;
}

/** Stands for our own host, which no reference can name so. */
const OWN = 'http://own.invalid';

function sameHostTarget(
  reference: string,
  target: string,
  hosts: readonly (string | undefined)[],
): string | undefined {
  const path = target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const url = parsed(reference, parsed(OWN + path)?.href ?? OWN);
  if (url === undefined || !/^https?:$/.test(url.protocol)) return undefined;
  const isOwn = url.origin === OWN || hosts.some((host) => host !== undefined && isHost(host, url));
  return isOwn ? url.pathname : undefined;
}

/** Whether it is the host of a URL, whose default port is left out. */
function isHost(host: string, url: URL): boolean {
  return parsed(`${url.protocol}//${host}`)?.host === url.host;
}

function parsed(text: string, base?: string): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    // It names nothing.
    return undefined;
  }
}
