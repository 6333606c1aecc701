import type { CacheClock } from '../clock.js';
import { RetryThrottle } from '../cache/retry-throttle.js';
import type { RequestTicket } from './request-ticket.js';
import { saysNothing, type RouteAnswer } from './route-answer.js';

/** How long requests of a key do not wait for each other after its response has proved not to be storable. */
export const UNCACHEABLE_MS = 10_000;

/**
 * The keys whose responses were not to be stored a short while ago, in this process. Their requests run their own
 * handlers at once: to wait for each other would only put them in a row. Requests with credentials are remembered apart,
 * because of theirs alone a response may not be storable.
 */
export class UncacheableKeys {
  readonly #keys: RetryThrottle;
  readonly #handedOver: RetryThrottle;

  constructor(clock: CacheClock) {
    this.#keys = new RetryThrottle(clock);
    this.#handedOver = new RetryThrottle(clock);
  }

  /** Whether requests like this one are not to wait for each other. */
  holds(key: string, ticket: RequestTicket): boolean {
    return this.#keys.holds(nameOf(key, ticket));
  }

  /** Whether a cache on the route itself takes care of a key. */
  isHandedOver(key: string): boolean {
    return this.#handedOver.holds(key);
  }

  /** Takes note of what a run has come to. */
  learn(key: string, ticket: RequestTicket, answer: RouteAnswer): void {
    if (answer.kind === 'stored') {
      this.#keys.forget(nameOf(key, ticket));
      return;
    }
    if (saysNothing(answer)) return;
    if (answer.reason === 'handed-over') this.#handedOver.note(ticket.key, UNCACHEABLE_MS);
    this.#keys.note(nameOf(key, ticket), UNCACHEABLE_MS);
  }
}

function nameOf(key: string, { plan }: RequestTicket): string {
  const { authorization, cookie } = plan.headers;
  // No key holds a space.
  return authorization === undefined && cookie === undefined ? key : `${key} +`;
}
