import type {
  ConditionalAnswer,
  FreshenDecision,
  RequestContext,
  RequestPlan,
  ReuseDecision,
  StorageDecision,
} from './cache-decision.js';
import { currentAgeMs } from './age.js';
import { conditionalAnswer } from './conditional-answer.js';
import { decideFreshening } from './freshen-rules.js';
import type {
  ExchangeTimes,
  FieldMap,
  RequestHead,
  ResponseHead,
  StoredHead,
  StoredResponse,
} from './http-message.js';
import {
  type HttpCachePolicyOptions,
  type ResolvedPolicyOptions,
  resolveHttpCachePolicyOptions,
} from './policy-options.js';
import { planRequest } from './request-plan.js';
import { decideReuse } from './reuse-rules.js';
import { invalidates } from './safe-methods.js';
import { selectingValues, selectsVariant } from './selecting-values.js';
import { decideStorage } from './storage-rules.js';

/**
 * The decisions of a shared HTTP cache (RFC 9110 and 9111): no I/O, no clock, no state. One policy serves any number of
 * requests. The caller keeps the records, runs the handler, and says what time it is.
 *
 * No method throws, whatever the messages hold; what cannot be understood is not stored, or not reused.
 *
 * @example
 * ```ts
 * import { HttpCachePolicy, type RequestHead, type ResponseHead, type StoredResponse } from 'cachewell/http';
 *
 * const policy = new HttpCachePolicy({ ttl: '1m' });
 * const records = new Map<string, StoredResponse>();
 *
 * function answer(url: string, request: RequestHead, now: number): StoredResponse | undefined {
 *   const plan = policy.request(request);
 *   const stored = plan.lookup ? records.get(url) : undefined;
 *   return stored !== undefined && policy.reuse(stored, plan, now).kind === 'fresh' ? stored : undefined;
 * }
 *
 * function keep(url: string, request: RequestHead, response: ResponseHead, body: Uint8Array, now: number): void {
 *   const times = { requestedAt: now, respondedAt: now };
 *   const decision = policy.storage(policy.request(request), response, times);
 *   if (decision.store) records.set(url, { ...decision.head, body });
 * }
 * ```
 */
export class HttpCachePolicy {
  readonly #options: ResolvedPolicyOptions;

  /**
   * @param owner - whose options they are, for messages: the class itself, unless a front end passes them on
   * @throws {@link InvalidOptionError} for an option that does not exist or cannot have its value
   */
  constructor(options: HttpCachePolicyOptions = {}, owner?: string) {
    this.#options = resolveHttpCachePolicyOptions(options, owner);
  }

  /** The targeted fields that are obeyed, in lower case and in order. */
  get targetedFields(): readonly string[] {
    return this.#options.targetedFields;
  }

  /** What this request allows and asks for. */
  request(head: RequestHead, context?: RequestContext): RequestPlan {
    return planRequest(head, this.#options, context);
  }

  /** Whether and how the handler's response is stored, decided by its head alone. */
  storage(plan: RequestPlan, response: ResponseHead, times: ExchangeTimes): StorageDecision {
    return decideStorage(plan, response, times, this.#options);
  }

  /**
   * Whether `stored` answers the request at `now` (milliseconds since the epoch). A plain hit allocates nothing.
   *
   * Where the answer is not `fresh` or `stale` and `plan.onlyIfCached` is set, the client gets 504 and the handler does not run.
   */
  reuse(stored: StoredHead, plan: RequestPlan, now: number): ReuseDecision {
    return decideReuse(stored, plan, now);
  }

  /**
   * Merges the handler's 304 into the stored response (RFC 9111 section 4.3.4), or a 200 to a HEAD (section 4.3.5): its fields replace
   * the stored ones, except those that describe the stored body, and freshness and selecting values are worked out anew. `stored`
   * itself is not changed.
   */
  freshen(
    stored: StoredResponse,
    plan: RequestPlan,
    response: ResponseHead,
    times: ExchangeTimes,
  ): FreshenDecision {
    return decideFreshening(stored, plan, response, times, this.#options);
  }

  /** The value of `Age`: whole seconds, at least 0 (RFC 9111 section 4.2.3). */
  ageSeconds(stored: StoredHead, now: number): number {
    return Math.floor(currentAgeMs(stored, now) / 1000);
  }

  /** How long it stays fresh in whole seconds, negative once it is stale: the `ttl` of `Cache-Status`. */
  ttlSeconds(stored: StoredHead, now: number): number {
    return Math.floor((stored.freshMs - currentAgeMs(stored, now)) / 1000);
  }

  /** What of a stored response this GET or HEAD gets: all, a part, or the news that there is none. */
  conditional(stored: StoredResponse, request: RequestHead): ConditionalAnswer {
    return conditionalAnswer(stored, request);
  }

  /** Whether an answer with this status to this method invalidates what is stored for its URL (RFC 9111 section 4.4). */
  invalidates(method: string, status: number): boolean {
    return invalidates(method, status);
  }

  /** The normalised values of the fields that select a variant, in the order of `vary`; names in lower case. */
  selectingValues(vary: readonly string[], headers: FieldMap): readonly string[] {
    return selectingValues(vary, headers);
  }

  /** Whether `stored` is the variant that a request with these fields selects. */
  selects(stored: StoredHead, headers: FieldMap): boolean {
    return selectsVariant(stored, headers);
  }
}
