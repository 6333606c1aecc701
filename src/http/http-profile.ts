/**
 * The rules in which the two profiles differ; everything else is the same code.
 *
 * | rule | `safe` | `rfc9111` |
 * | --- | --- | --- |
 * | statuses that may be stored | 200 | every final one, but those about one request (428, 429, 431, 511) |
 * | response with `Set-Cookie` | not stored | stored |
 * | request with `Authorization`, response without `public`, `s-maxage`, `must-revalidate` | neither fills nor reads | does not fill (RFC 9111 section 3.5) |
 * | request with `Cookie`, response without `public` | neither fills nor reads | as any other |
 * | request with a field whose name looks like a credential, response without a word that allows it | neither fills nor reads | as any other |
 * | response that says nothing about its lifetime | not stored without `ttl` | stored if it can be validated or has a heuristic lifetime |
 * | heuristic lifetime | none | a tenth of the time since `Last-Modified` (RFC 9111 section 4.2.2) |
 * | client's `Cache-Control` | `no-cache` and `no-store` pass the cache by | all of it is obeyed |
 * | stale instead of an error, where nothing is said (RFC 9111 section 4.2.4) | for a minute | for a day |
 * | `Range` of a miss | hidden from the handler | handed on; a 206 answers the same range again |
 * | answer to a POST that names its own URL in `Content-Location` | not stored | stored for GET (RFC 9110 section 9.3.3) |
 */
export interface ProfileRules {
  /** `undefined`: every final status that is ever stored, 206 under rules of its own. */
  readonly statuses: readonly number[] | undefined;
  readonly storesSetCookie: boolean;
  /** Requests with `Authorization` or `Cookie` read only what says that it may be shared with them. */
  readonly guardsCredentials: boolean;
  /** Which fields beside those two are credentials. */
  readonly credentialHeaders: readonly string[] | 'likely';
  /** Responses without a lifetime are stored if they have a validator. */
  readonly storesUnstated: boolean;
  readonly heuristicFraction: number;
  readonly respectRequestCacheControl: RequestControl;
  readonly onNoCache: 'bypass' | 'refresh';
  readonly staleIfErrorMs: number;
  readonly hidesRange: boolean;
  readonly storesPost: boolean;
}

/** What of a client's `Cache-Control` is obeyed: all, nothing, or `no-cache` and `no-store`. */
export type RequestControl = boolean | 'reload';

/** Name of a {@link ProfileRules}. */
export type HttpProfile = 'safe' | 'rfc9111';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** The one table of differences. */
export const HTTP_PROFILES: Readonly<Record<HttpProfile, ProfileRules>> = {
  safe: {
    statuses: [200],
    storesSetCookie: false,
    guardsCredentials: true,
    credentialHeaders: 'likely',
    storesUnstated: false,
    heuristicFraction: 0,
    respectRequestCacheControl: 'reload',
    onNoCache: 'bypass',
    staleIfErrorMs: MINUTE_MS,
    hidesRange: true,
    storesPost: false,
  },
  rfc9111: {
    statuses: undefined,
    storesSetCookie: true,
    guardsCredentials: false,
    credentialHeaders: [],
    storesUnstated: true,
    heuristicFraction: 0.1,
    respectRequestCacheControl: true,
    onNoCache: 'refresh',
    staleIfErrorMs: DAY_MS,
    hidesRange: false,
    storesPost: true,
  },
};
