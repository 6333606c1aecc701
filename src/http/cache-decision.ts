import type { FieldMap, StoredHead, StoredResponse } from './http-message.js';

/**
 * Why a request goes to its handler without the cache: nothing is looked up, nothing is stored.
 *
 * - `method`: neither GET nor HEAD
 * - `request-body`: a GET with a body; keys know nothing of bodies
 * - `precondition`: `If-Match` or `If-Unmodified-Since`, which only the origin may evaluate (RFC 9111 section 4.3.2)
 * - `request-no-cache`: the client asks for a new answer, and `onNoCache` is `'bypass'`
 * - `request-no-store`: the client asks for nothing to be kept
 */
export type BypassReason =
  'method' | 'request-body' | 'precondition' | 'request-no-cache' | 'request-no-store';

/**
 * Why a response is not stored.
 *
 * - a {@link BypassReason} of its request
 * - `head`: the answer to a HEAD has no body
 * - `status`: not among the statuses that may be stored
 * - `not-understood`: `must-understand` with a status whose caching rules are not implemented
 * - `no-store`, `private`: said so, in whatever spelling
 * - `cache-control-syntax`: a field that cannot be read and may have meant to forbid it
 * - `set-cookie`: sets a cookie, and the profile refuses those
 * - `authorization`, `cookie`: the request carried credentials, and the response does not say that it may be shared
 * - `credentials`: the same for another field; see `credentialHeaders`
 * - `vary-any`: `Vary: *`
 * - `partial`: a 206 that is not the answer to a range request, or a `Content-Range` where none belongs
 * - `groups`: more groups than can be kept, or a `Cache-Groups` that cannot be read: it would be out of reach of its invalidation
 * - `no-lifetime`: nothing says how long it is fresh, and it has no validator either
 * - `no-cache`: to be validated before each use, and has nothing to validate with, or is not kept for that
 * - `expired`: already too old for any use
 * - `content-location`: the answer to a POST that does not claim to represent its URL
 */
export type NotStoredReason =
  | BypassReason
  | 'head'
  | 'status'
  | 'not-understood'
  | 'no-store'
  | 'private'
  | 'cache-control-syntax'
  | 'set-cookie'
  | 'authorization'
  | 'cookie'
  | 'credentials'
  | 'vary-any'
  | 'partial'
  | 'groups'
  | 'no-lifetime'
  | 'no-cache'
  | 'expired'
  | 'content-location';

/**
 * Why a stored response does not answer a request as it is.
 *
 * - `vary`: it was selected by other request fields
 * - `credentials`: the request carries credentials, and the response does not say that it may be shared
 * - `range`: a stored part, and the request wants something else
 * - `stale`: its lifetime is over
 * - `no-cache`: the response asks for validation before each use
 * - `request`: the client's `Cache-Control` wants a newer one
 */
export type NotReusedReason = 'vary' | 'credentials' | 'range' | 'stale' | 'no-cache' | 'request';

/** What the caller of {@link HttpCachePolicy.request} knows and the message does not say. */
export interface RequestContext {
  /**
   * What the key of this request holds besides method and URL. `'identity'`: who asks; this lifts the rules about `Authorization` and
   * `Cookie`. Another attribute, such as the language, lifts neither: clients who share it would share what was made for one of them.
   */
  readonly keyedBy?: 'identity' | undefined;
  /** Whether this client's `Cache-Control` is obeyed, where a predicate decided it; overrides the option. */
  readonly respectRequestCacheControl?: boolean | undefined;
  /**
   * Whether the handler is to run whatever is stored, and its answer to replace that, where a predicate decided it. The client's
   * `no-cache` then adds nothing; what else it says counts as ever.
   */
  readonly reload?: boolean | undefined;
  /** The absolute URL of the request. Needed only to store answers to POST (profile `rfc9111`). */
  readonly url?: string | undefined;
}

/**
 * What a request allows and asks for. Made once per request by {@link HttpCachePolicy.request}, then handed to the other
 * decisions. Treat it as opaque except for the documented fields.
 */
export interface RequestPlan {
  readonly method: string;
  readonly headers: FieldMap;
  /** A stored response may answer. */
  readonly lookup: boolean;
  /** The response may be stored, if it allows that itself. */
  readonly store: boolean;
  /** Why not, where `lookup` is false. */
  readonly bypass: BypassReason | undefined;
  /** Whatever is stored is to be validated: by `no-cache` where `onNoCache` is `'refresh'`, or by {@link RequestContext.reload}. */
  readonly reload: boolean;
  /** The client wants a stored response or 504, no run of the handler (RFC 9111 section 5.2.1.7). */
  readonly onlyIfCached: boolean;
  /** Greatest age that the client accepts, in milliseconds; `Infinity` where it does not say. */
  readonly maxAgeMs: number;
  /** How much longer the response has to stay fresh, in milliseconds; 0 where the client does not say. */
  readonly minFreshMs: number;
  /** How stale a response the client accepts, in milliseconds; 0 where it does not say. */
  readonly maxStaleMs: number;
  /**
   * Whether the client's `Range` and `If-Range` are to be taken away before the handler runs, so that its answer is
   * complete and can be stored. Client conditionals are always taken away where `store` is true.
   */
  readonly hideRange: boolean;
  /** Bits of {@link StoredFlag} that a record must have to answer this request. */
  readonly requiredFlags: number;
  /** The fields of this request that are credentials by `credentialHeaders`, in lower case. */
  readonly credentials: readonly string[];
  readonly context: RequestContext;
}

/** Whether and how a response is stored. */
export type StorageDecision =
  | { readonly store: false; readonly reason: NotStoredReason }
  | {
      readonly store: true;
      /** The record without its body: `{ ...head, body }` is a {@link StoredResponse}. */
      readonly head: StoredHead;
      /** How long it stays fresh from `respondedAt` on, in milliseconds; 0 = to be validated at once. */
      readonly freshForMs: number;
      /** How long it is worth keeping from `respondedAt` on, in milliseconds; never below `freshForMs`. */
      readonly keepMs: number;
      /** Groups that the response names, each once (`Surrogate-Key`, `Cache-Tag`, `Cache-Groups`). */
      readonly groups: readonly string[];
    };

/** Whether and how a stored response answers a request. */
export type ReuseDecision =
  /** Serve it. */
  | { readonly kind: 'fresh' }
  /** Serve it; refresh it behind the client's back where `refresh` is true. */
  | { readonly kind: 'stale'; readonly refresh: boolean }
  /** Run the handler, with `conditions` put on its request where there are any, and see {@link HttpCachePolicy.freshen}. */
  | {
      readonly kind: 'revalidate';
      readonly reason: NotReusedReason;
      /** `if-none-match`, `if-modified-since`: what to put on the handler's request in place of the client's conditionals. */
      readonly conditions: Readonly<Record<string, string>>;
      /** It may be served instead of a 5xx or a thrown error. */
      readonly staleIfError: boolean;
    }
  /** As if nothing was stored. */
  | { readonly kind: 'none'; readonly reason: NotReusedReason };

/** What the handler's answer to a validation makes of a stored response. */
export type FreshenDecision =
  /** Serve `stored`, and store it in place of the old record. */
  | {
      readonly kind: 'updated';
      readonly stored: StoredResponse;
      readonly freshForMs: number;
      readonly keepMs: number;
      readonly groups: readonly string[];
    }
  /** Serve `stored` to this client, and drop the record: the answer forbids keeping it. */
  | { readonly kind: 'last-use'; readonly stored: StoredResponse; readonly reason: NotStoredReason }
  /** The answer is about another representation: drop the record, run the handler without conditions. */
  | { readonly kind: 'mismatch' };

/** What of a stored response is sent to this client (RFC 9110 sections 13 and 14). */
export type ConditionalAnswer =
  /** Status and body as stored. */
  | { readonly kind: 'full' }
  /** 304 without a body. */
  | { readonly kind: 'not-modified' }
  /** 206 with the bytes from `start` up to, and without, `end`. */
  | {
      readonly kind: 'partial';
      readonly start: number;
      readonly end: number;
      /** The value of `Content-Range`. */
      readonly contentRange: string;
    }
  /** 416 without a body. */
  | { readonly kind: 'unsatisfiable'; readonly contentRange: string };
