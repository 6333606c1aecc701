import type { Duration } from '../duration.js';
import type {
  ConditionalAnswer,
  FreshenDecision,
  RequestContext,
  RequestPlan,
  ReuseDecision,
  StorageDecision,
} from './cache-decision.js';
import type {
  ExchangeTimes,
  FieldMap,
  RequestHead,
  ResponseHead,
  StoredResponse,
} from './http-message.js';

/** Options of {@link HttpCachePolicy}. */
export interface HttpCachePolicyOptions {
  /**
   * Which rules hold: `'safe'` stores less than the RFCs allow, `'rfc9111'` is a shared cache as the RFCs describe it.
   *
   * @defaultValue `'safe'`
   */
  readonly profile?: 'safe' | 'rfc9111' | undefined;
  /**
   * The freshness lifetime of responses that name none (`Cache-Control`, targeted fields, `Expires`) and are not forbidden to be stored. 0 or absent: there is none.
   */
  readonly ttl?: Duration | undefined;
  /** Window of stale-while-revalidate for responses that name none. @defaultValue 0 */
  readonly staleWhileRevalidate?: Duration | undefined;
  /** Window of stale-if-error for responses that name none. @defaultValue 0 in `safe`, a day in `rfc9111` */
  readonly staleIfError?: Duration | undefined;
  /** Statuses that may be stored. @defaultValue `[200]` in `safe`; every final one that is understood in `rfc9111` */
  readonly statuses?: readonly number[] | undefined;
  /**
   * What of a client's `Cache-Control` is obeyed: all of it, nothing, or only `no-cache` and `no-store` (`'reload'`).
   *
   * @defaultValue `'reload'` in `safe`, `true` in `rfc9111`
   */
  readonly respectRequestCacheControl?: boolean | 'reload' | undefined;
  /**
   * What an obeyed `no-cache` does: pass the cache by, or run the handler and store its answer.
   *
   * @defaultValue `'bypass'` in `safe`, `'refresh'` in `rfc9111`
   */
  readonly onNoCache?: 'bypass' | 'refresh' | undefined;
  /**
   * Targeted fields in order of preference (RFC 9213): the first valid one replaces `Cache-Control` and `Expires`.
   *
   * @defaultValue `['Cachewell-Cache-Control', 'CDN-Cache-Control']`
   */
  readonly targetedFields?: readonly string[] | undefined;
  /** How long a stale response with a validator is kept for its sake. @defaultValue `'1h'` */
  readonly keepForValidation?: Duration | undefined;
}

/**
 * The decisions of an HTTP cache: no I/O, no clock, no state. One policy serves any number of requests.
 */
export declare class HttpCachePolicy {
  /**
   * @param owner - whose options they are, for messages
   * @throws {@link InvalidOptionError} for an option that does not exist or cannot have its value
   */
  constructor(options?: HttpCachePolicyOptions, owner?: string);

  /** What this request allows and asks for. */
  request(head: RequestHead, context?: RequestContext): RequestPlan;

  /** Whether the handler's response is stored, decided by its head alone. Never throws, whatever the fields hold. */
  storage(plan: RequestPlan, response: ResponseHead, times: ExchangeTimes): StorageDecision;

  /** Whether `stored` answers the request at `now` (milliseconds since the epoch). Costs next to nothing for a plain hit. */
  reuse(stored: StoredResponse, plan: RequestPlan, now: number): ReuseDecision;

  /**
   * Merges the handler's 304 into the stored response (RFC 9111 section 4.3.4), or a 200 to a HEAD (section 4.3.5): its fields replace the stored ones except
   * those that describe the stored body, and freshness is computed anew. `stored` itself is not changed.
   */
  freshen(
    stored: StoredResponse,
    plan: RequestPlan,
    response: ResponseHead,
    times: ExchangeTimes,
  ): FreshenDecision;

  /** The value of `Age` in whole seconds, at least 0 (RFC 9111 section 4.2.3). */
  ageSeconds(stored: StoredResponse, now: number): number;

  /** How long it stays fresh, in whole seconds; negative once it is stale. For `Cache-Status: …; ttl=`. */
  ttlSeconds(stored: StoredResponse, now: number): number;

  /** What of a stored response is sent to this GET or HEAD. */
  conditional(stored: StoredResponse, request: RequestHead): ConditionalAnswer;

  /** Whether an answer with this status invalidates what is stored for its URL (RFC 9111 section 4.4). */
  invalidates(method: string, status: number): boolean;

  /** The normalised values of the fields that select a variant, in the order of `vary`. */
  selectingValues(vary: readonly string[], headers: FieldMap): readonly string[];

  /** Whether `stored` is the variant that this request selects. */
  selects(stored: StoredResponse, headers: FieldMap): boolean;
}
