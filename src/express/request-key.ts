import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { keyText, type KeyPart } from '../cache/cache-key.js';
import { boundedKeyText } from '../cache/key-hash.js';
import { escapeKeyComponent } from '../http/key-component.js';
import { responseKey } from '../http/response-key.js';
import type { HttpRequest } from './http-middleware.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';

/** What an attribute adds to a key: its name and its value. */
export type KeyAttribute = readonly [name: string, value: string];

/**
 * Fields that frameworks take for the URL or the method of a request, though no key holds them, and that no well-meaning
 * client sends to a cache. Requests with one go past it.
 */
const OVERRIDES: readonly string[] = [
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'x-original-url',
  'x-rewrite-url',
  'x-host',
];

/**
 * Fields in which proxies hand on what the client's URL was. Applications build links from them, so keys hold them. All
 * clients of one proxy send the same, but for `Forwarded`, whose parts about the client are left out.
 */
const FORWARDED: readonly string[] = [
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'front-end-https',
];

/** The part of `Forwarded` that tells one client from another (RFC 7239 section 5). */
const FORWARDED_CLIENT = /\b(?:for|by)\s*=\s*(?:"[^"]*"|[^;,\s]*)/gi;

/** The target of a request as the client sent it. */
export function targetOf(req: HttpRequest): string {
  return req.originalUrl ?? req.url ?? '/';
}

/** Whether a request tells frameworks to see another one in it. */
export function hasOverride({ headers }: IncomingMessage): boolean {
  for (const name of OVERRIDES) if (headers[name] !== undefined) return true;
  return false;
}

/**
 * Scheme and host of a request, by the application's proxy settings where it has some. The host is as the client wrote it: names
 * of hosts compare without case (RFC 9110 section 4.2.3), but Express shows handlers the letters that came.
 */
export function originOf(req: HttpRequest): string {
  const { headers } = req;
  const isSecure = (req.socket as { readonly encrypted?: boolean }).encrypted === true;
  // Asked for only where they can differ: to find out costs Express more than all the rest of the key.
  const scheme =
    headers['x-forwarded-proto'] === undefined || req.protocol === undefined
      ? isSecure
        ? 'https'
        : 'http'
      : req.protocol;
  const host =
    headers['x-forwarded-host'] === undefined ? headers.host : (req.host ?? headers.host);
  return `${scheme}://${host ?? ''}`;
}

/** So many origins, and so many targets of each, have their keys remembered. */
const MOST_ORIGINS = 16;
const MOST_TARGETS = 2_048;
const LONGEST_TARGET = 256;

/** Makes the keys of requests, and knows those of the last targets that were asked for. */
export class RequestKeys {
  readonly #options: ResolvedHttpCacheOptions;
  readonly #cachesBefore: number;
  readonly #known = new Map<string, Map<string, string>>();
  #lastOrigin: string | undefined;
  #lastTargets: Map<string, string> = new Map();

  /**
   * @param cachesBefore - how many caches the request has passed. It is part of the key: were a response found by one of
   *   those as well, it would go out without the guards that stand between the two.
   */
  constructor(options: ResolvedHttpCacheOptions, cachesBefore: number) {
    this.#options = options;
    this.#cachesBefore = cachesBefore;
  }

  /**
   * The key of a request's response, in the cache; its refusal by `refusedTarget` is for the caller to see to.
   *
   * @throws {@link CacheKeyError} when the user's key function gives what is no key
   */
  keyOf(req: HttpRequest, attributes: readonly KeyAttribute[]): string {
    const target = targetOf(req);
    const isPlain =
      attributes.length === 0 &&
      this.#options.key === undefined &&
      target.length <= LONGEST_TARGET &&
      routedTarget(req, target) === undefined &&
      !isForwarded(req.headers);
    if (!isPlain) return this.#make(req, attributes);
    const origin = originOf(req);
    const targets = this.#targetsOf(origin);
    let key = targets.get(target);
    if (key === undefined) {
      // Nothing but the target and its origin: the origin's host is the one that was sent.
      key = requestKey(req, this.#options, this.#withPlace(attributes), target, origin);
      if (targets.size >= MOST_TARGETS) targets.clear();
      targets.set(target, key);
    }
    return key;
  }

  #make(req: HttpRequest, attributes: readonly KeyAttribute[]): string {
    const origin = originOf(req);
    const all = withForwarded(req, origin, this.#withPlace(attributes));
    return requestKey(req, this.#options, all, targetOf(req), origin);
  }

  #withPlace(attributes: readonly KeyAttribute[]): readonly KeyAttribute[] {
    const before = this.#cachesBefore;
    // The slash tells it from attributes: in their names it is escaped.
    return before === 0 ? attributes : [...attributes, ['/inner', String(before)]];
  }

  #targetsOf(origin: string): Map<string, string> {
    if (origin === this.#lastOrigin) return this.#lastTargets;
    let targets = this.#known.get(origin);
    if (targets === undefined) {
      if (this.#known.size >= MOST_ORIGINS) this.#known.clear();
      targets = new Map();
      this.#known.set(origin, targets);
    }
    this.#lastOrigin = origin;
    this.#lastTargets = targets;
    return targets;
  }
}

function requestKey(
  req: HttpRequest,
  options: ResolvedHttpCacheOptions,
  attributes: readonly KeyAttribute[],
  target: string,
  origin: string,
): string {
  const shown = options.origin === undefined ? origin : undefined;
  const { key, queryFilter } = options;
  if (key === undefined) {
    return boundedKeyText(
      responseKey({
        method: 'GET',
        target,
        routedTarget: routedTarget(req, target),
        queryFilter,
        attributes,
        origin: shown,
      }),
    );
  }
  const parts = key(req) as readonly KeyPart[] | KeyPart;
  let text = `GET:${keyText(parts, 'httpCache.key')}`;
  for (const [name, value] of attributes) {
    text += `:@${escapeKeyComponent(name)}=${escapeKeyComponent(value)}`;
  }
  return boundedKeyText(shown === undefined ? text : `${text}:@${escapeKeyComponent(shown)}`);
}

/** The target as it was routed, where something before the cache has rewritten it. */
export function routedTarget({ baseUrl, url }: HttpRequest, target: string): string | undefined {
  if (url === target || url === undefined) return undefined;
  const base = baseUrl ?? '';
  const routed = base + url;
  if (routed === target) return undefined;
  // Below its own path a router sees `/`, which the client need not have sent.
  const isSlashAdded = base !== '' && url.startsWith('/') && base + url.slice(1) === target;
  return isSlashAdded ? undefined : routed;
}

function isForwarded(headers: HttpRequest['headers']): boolean {
  if (headers.forwarded !== undefined) return true;
  for (const name of FORWARDED) if (headers[name] !== undefined) return true;
  return false;
}

function withForwarded(
  { headers }: HttpRequest,
  origin: string,
  attributes: readonly KeyAttribute[],
): readonly KeyAttribute[] {
  const forwarded = forwardedFields(headers);
  const { host } = headers;
  const isOther = host !== undefined && !origin.endsWith(`//${host}`);
  if (forwarded.length === 0 && !isOther) return attributes;
  const fields: readonly KeyAttribute[] = isOther ? [...forwarded, ['host', host]] : forwarded;
  // The slash tells them from attributes: in their names it is escaped.
  return [...attributes, ...fields.map(([name, value]) => [`/${name}`, value] as const)];
}

/** The fields in which a proxy hands on what the client's URL was, without what they say about the client. */
export function forwardedFields(headers: IncomingHttpHeaders): readonly KeyAttribute[] {
  const fields: KeyAttribute[] = [];
  for (const name of FORWARDED) {
    const value = headers[name];
    if (value !== undefined) fields.push([name, String(value)]);
  }
  if (headers.forwarded !== undefined) {
    fields.push(['forwarded', headers.forwarded.replace(FORWARDED_CLIENT, '')]);
  }
  return fields;
}
