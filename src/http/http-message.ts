/** Fields by lower-case name, as Node gives them: one text, several, or a number. */
export type FieldMap = Readonly<Record<string, string | readonly string[] | number | undefined>>;

/** What the decisions need of a request. Node's `IncomingMessage` fits as it is. */
export interface RequestHead {
  /** As sent; methods are case-sensitive (RFC 9110 section 9.1). */
  readonly method: string;
  readonly headers: FieldMap;
}

/** What the decisions need of a response, before its body is known. */
export interface ResponseHead {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: FieldMap;
  /**
   * The same fields as the route wrote them, flat: name, value, name, value … Taken for the record, so that names
   * and repeated fields come out as they went in. Without it the record has the lower-case names of `headers`.
   */
  readonly rawHeaders?: readonly string[] | undefined;
}

/**
 * What is kept of a response. Plain data: every codec carries it.
 *
 * Records come from a store that others can write to, so whoever reads one passes it through `readStored` first.
 */
export interface StoredResponse {
  /** Version of this form; anything else is a miss, never an error. */
  readonly v: 1;
  readonly status: number;
  /** Flat: name, value, name, value … Names as the route wrote them; end-to-end fields only. */
  readonly headers: readonly string[];
  readonly body: Uint8Array;
  /** Milliseconds since the epoch at which the handler was started. */
  readonly requestedAt: number;
  /** Milliseconds since the epoch at which the head was complete. */
  readonly respondedAt: number;
  /** Corrected initial age in milliseconds (RFC 9111 section 4.2.3). */
  readonly initialAgeMs: number;
  /**
   * Freshness lifetime in milliseconds: the record is fresh while its age is below it, and age counts from the origin's
   * generation, not from `respondedAt`. 0 = never fresh.
   */
  readonly freshMs: number;
  /** How long after the freshness lifetime it may be served while it is refreshed (RFC 5861 section 3). */
  readonly staleWhileRevalidateMs: number;
  /** How long after the freshness lifetime it may be served in place of an error (RFC 5861 section 4). */
  readonly staleIfErrorMs: number;
  /** Names that select this variant: lower case, sorted, each once. */
  readonly vary: readonly string[];
  /** Normalised request values, in the order of `vary`; see `HttpCachePolicy.selectingValues`. */
  readonly selecting: readonly string[];
  /** Bits of {@link StoredFlag}. */
  readonly flags: number;
}

/** A record before its body is known. */
export type StoredHead = Omit<StoredResponse, 'body'>;

/** The bits of {@link StoredResponse.flags}. */
export const StoredFlag: {
  /** `no-cache`: never served without a successful validation, not even in place of an error. */
  readonly noCache: 1;
  /** `must-revalidate`, `proxy-revalidate` or `s-maxage`: never served stale (RFC 9111 section 4.2.4). */
  readonly neverStale: 2;
  /** The lifetime is a guess from `Last-Modified` (RFC 9111 section 4.2.2). */
  readonly heuristic: 4;
  /** The lifetime is the route's `ttl`, because the response named none. */
  readonly routeTtl: 8;
  /** May answer a request that carries `Authorization`. */
  readonly forAuthorization: 16;
  /** May answer a request that carries `Cookie`. */
  readonly forCookie: 32;
  /** Has an `ETag` or a usable `Last-Modified`, so that it can be validated. */
  readonly hasValidator: 64;
} = {
  noCache: 1,
  neverStale: 2,
  heuristic: 4,
  routeTtl: 8,
  forAuthorization: 16,
  forCookie: 32,
  hasValidator: 64,
};

/** When an exchange with the route took place, in milliseconds since the epoch. */
export interface ExchangeTimes {
  /** The handler was started. */
  readonly requestedAt: number;
  /** The head of its response was complete. */
  readonly respondedAt: number;
}
