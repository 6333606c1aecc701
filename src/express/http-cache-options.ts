import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SyncMode } from '../cache/cache-handle.js';
import type { KeyPart } from '../cache/cache-key.js';
import type { Duration } from '../duration.js';
import type { HttpCachePolicyOptions } from '../http/policy-options.js';
import type { CacheManager } from '../manager/cache-manager.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';

/** A value of a request that its key holds. `null` and `undefined` = it is missing. */
export type VaryValue = string | number | bigint | boolean | null | undefined;

/** An attribute of a request that responses differ by. */
export interface VaryAttribute<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
> {
  readonly name: string;
  /** Finds the value; absent: by its name in `res.locals`, `req` and `req.user`, in this order. */
  readonly value?: ((req: Request, res: Response) => VaryValue) | undefined;
  /**
   * Whether the attribute tells one client from all others. Then answers to requests with credentials may be stored,
   * because nobody else can be given them.
   * @defaultValue whether the name is one such as `user`, `userId`, `user_id`, `account_id`, `sub`, `session`
   */
  readonly identity?: boolean | undefined;
}

/** How an attribute may be given. A function needs a name, which becomes part of the key. */
export type VaryBy<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
> = string | ((req: Request, res: Response) => VaryValue) | VaryAttribute<Request, Response>;

/**
 * How `httpCache` caches the responses of a route, or of a whole application.
 *
 * Callbacks are synchronous. One that throws takes its request past the cache (`X-Cache: SKIP`) and is reported as an
 * `error` event; the handler runs as if there were no cache.
 */
export interface HttpCacheOptions<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
> {
  /**
   * The manager, or a function that gives it at each request.
   * @defaultValue the container's, as decorators find it
   */
  readonly manager?: CacheManager | (() => CacheManager) | undefined;
  /**
   * The name of the cache that holds the responses.
   * @defaultValue 'http'
   */
  readonly cache?: string | undefined;
  /**
   * How long responses are fresh that do not say so themselves by `Cache-Control`, a targeted field or `Expires`. Absent or
   * 0: those are not stored. Where a handler says something, that counts, and `no-store` and `private` always do.
   */
  readonly ttl?: Duration | undefined;
  /**
   * Tags of the stored responses, beside those of their path and those that the response names in `Surrogate-Key`,
   * `Cache-Tag` and `Cache-Groups`. A function is called before the handler runs.
   */
  readonly tags?:
    readonly string[] | ((req: Request, res: Response) => readonly string[]) | undefined;
  /**
   * What responses differ by beside the URL: names that are looked up in `res.locals`, `req` and `req.user`, or functions.
   * A request that lacks one goes past the cache, with one warning per attribute.
   */
  readonly varyBy?: readonly VaryBy<Request, Response>[] | undefined;
  /**
   * The key of a request, in place of its path and query. Attributes and origin are added to it. A response that several paths
   * share is invalidated by writes to the one that it was made for, which is the first that was asked for; give such a route
   * `tags`, and its writers the same.
   */
  readonly key?: ((req: Request) => readonly KeyPart[]) | undefined;
  /** Whether a request has to do with the cache at all. */
  readonly condition?: ((req: Request, res: Response) => boolean) | undefined;
  /**
   * The largest body that is stored, in bytes. A larger one passes through as it is.
   * @defaultValue 10485760
   */
  readonly maxResponseSize?: number | undefined;
  /**
   * How many bytes of responses may be collected at a time, in this process, over all routes. A response that would go
   * beyond it passes through and is not stored.
   * @defaultValue 67108864
   */
  readonly maxBufferedBytes?: number | undefined;
  /** Which statuses may be stored. @defaultValue `[200]`; under `'rfc9111'` every final one but 428, 429, 431 and 511 */
  readonly statuses?: readonly number[] | undefined;
  /**
   * Whether a request makes the handler run although there is a fresh response, and its response replace that one. Asked for every
   * GET and HEAD; nothing but `true` is a yes. A response that is not to be stored, such as an error, replaces nothing. Of
   * requests that reload at the same time, those that came before the handler began share its run.
   *
   * Whoever may say yes can keep the handler busy at will, so let it ask for more than a parameter. A parameter that takes part
   * belongs into `queryIgnore`; otherwise it makes a key of its own. Clients reload in no other way then: see
   * {@link HttpCacheOptions.respectRequestCacheControl}.
   *
   * @example
   * ```ts
   * import { httpCache } from 'cachewell/express';
   * import type { Request } from 'express';
   *
   * httpCache({
   *   ttl: '10m',
   *   queryIgnore: ['refresh'],
   *   refreshWhen: (req: Request) => req.query['refresh'] === '1' && req.header('x-token') === 'secret',
   * });
   * ```
   */
  readonly refreshWhen?: ((req: Request) => boolean) | undefined;
  /**
   * What of a client's `Cache-Control` is obeyed: all of it, nothing, or only `no-cache` and `no-store` (`'reload'`), by
   * going past the cache. A function decides between all and nothing.
   * @defaultValue `'reload'`; under `'rfc9111'` `true`; with `refreshWhen` `false`
   */
  readonly respectRequestCacheControl?:
    boolean | 'reload' | ((req: Request) => boolean) | undefined;
  /** The only query parameters that count. A name may end in `*`; `filter` stands for `filter[a]`, too. */
  readonly queryAllow?: readonly string[] | undefined;
  /** Query parameters that do not count, such as `utm_*`. They must not change what the handler answers. */
  readonly queryIgnore?: readonly string[] | undefined;
  /**
   * The one public origin, such as `https://api.example.com`: keys do not hold it, and requests for other hosts go past
   * the cache. Absent: scheme and host are part of the key.
   */
  readonly origin?: string | undefined;
  /**
   * How many variants of one URL are kept beside the first, where `Vary` tells them apart. 0 to 256.
   * @defaultValue 16
   */
  readonly maxVariants?: number | undefined;
  /**
   * Whether one handler run per cold key is shared by this process or by all that share the store.
   * @defaultValue the cache's, which is `'local'`
   */
  readonly sync?: SyncMode | undefined;
  /**
   * How long a request waits for another one's handler before it runs its own. `Infinity` = as long as it takes.
   * @defaultValue '10s'
   */
  readonly collapseTimeout?: Duration | undefined;
  /** How long after its lifetime a response is served while it is refreshed, where it does not say. @defaultValue 0 */
  readonly staleWhileRevalidate?: Duration | undefined;
  /**
   * How long after its lifetime a response is served in place of a 5xx, where it does not say.
   * @defaultValue a minute; under `'rfc9111'` a day
   */
  readonly staleIfError?: Duration | undefined;
  /**
   * `'safe'` stores less than the RFCs allow, `'rfc9111'` is a shared cache as they describe it.
   * @defaultValue 'safe'
   */
  readonly profile?: 'safe' | 'rfc9111' | undefined;
  /**
   * Which fields of a response are stored: all but those about one client's limit (`RateLimit`, `RateLimit-…`, `X-RateLimit-…`,
   * `X-Rate-Limit-…`, and a `Retry-After` beside them) (`'safe'`); all, as RFC 9111 section 3.1 has it (`'all'`); or the named ones beside
   * those that describe the content. A response with `Set-Cookie` is stored with it under `'all'` and in the profile `'rfc9111'`, and is not
   * stored otherwise; with a list it is stored without the field unless that is named.
   * @defaultValue 'safe'
   */
  readonly replayHeaders?: 'safe' | 'all' | readonly string[] | undefined;
  /**
   * Whether clients are told the `ttl` by `Cache-Control: max-age` where the handler says nothing.
   * @defaultValue false
   */
  readonly sendCacheControl?: boolean | undefined;
  /**
   * Fields that are for this cache alone, such as `Surrogate-Key` or `Cachewell-Cache-Control`: answers to GET and HEAD go out without
   * them, stored or not. `Cache-Control`, `Expires` and `Vary` cannot be hidden, for other caches would keep what they must not.
   * A hit costs somewhat more.
   * @defaultValue none: a CDN on the way may need them
   */
  readonly hideFields?: readonly string[] | undefined;
  /** The name of the field with `HIT`, `MISS`, `SKIP` or `STALE`, or `false` for none. @defaultValue 'X-Cache' */
  readonly xCache?: string | false | undefined;
  /** The name of the field by RFC 9211, or `false` for none. @defaultValue 'Cache-Status' */
  readonly statusHeader?: string | false | undefined;
  /** Whether `X-Cache-Reason` says why a response was not taken from the cache, or not stored. @defaultValue false */
  readonly debug?: boolean | undefined;
  /**
   * Whether `accelerate` may answer hits of this route in front of the application. `true` is the author's word that nothing
   * that runs before this middleware refuses requests, or decides by more than the URL what is answered, unless the
   * response says so by `Vary`. Excludes `key`, `condition`, `refreshWhen`, `varyBy` and a function as `manager`.
   * @defaultValue false
   */
  readonly front?: boolean | undefined;
  /**
   * Which request fields are credentials beside `Authorization` and `Cookie`: a list of names, or `'likely'` for those whose names
   * look like it, such as `X-API-Key`, `X-Auth-Token`, `X-Forwarded-User`. A request with one neither fills nor reads what does not
   * allow it: by `public`, `s-maxage` or `must-revalidate`, by a `Vary` that names the field, or by an identity in `varyBy`.
   * `[]` = none.
   * @defaultValue `'likely'` for a whole application or router (`app.use`), whose guards stand behind this cache; `[]` on a
   * route, and under `'rfc9111'`
   */
  readonly credentialHeaders?: HttpCachePolicyOptions['credentialHeaders'];
  /** See {@link HttpCachePolicyOptions.targetedFields}. */
  readonly targetedFields?: HttpCachePolicyOptions['targetedFields'];
  /** See {@link HttpCachePolicyOptions.keepForValidation}. */
  readonly keepForValidation?: HttpCachePolicyOptions['keepForValidation'];
}

/** The name of the cache when nothing says otherwise. */
export const DEFAULT_HTTP_CACHE = 'http';
/** The largest stored body when nothing says otherwise: 10 MiB. */
export const DEFAULT_MAX_RESPONSE_SIZE: number = 10 * 1024 * 1024;
/** How many bytes are collected at a time when nothing says otherwise: 64 MiB. */
export const DEFAULT_MAX_BUFFERED_BYTES: number = 64 * 1024 * 1024;
/** How many further variants of one URL are kept when nothing says otherwise. */
export const DEFAULT_MAX_VARIANTS = 16;
/** How long a request waits for another's handler when nothing says otherwise. */
export const DEFAULT_COLLAPSE_TIMEOUT: Duration = '10s';
