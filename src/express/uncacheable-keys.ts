import { MAX_THROTTLED_KEYS } from '../cache/retry-throttle.js';
import type { CacheClock } from '../clock.js';
import type { RequestTicket } from './request-ticket.js';
import { saysNothing, type RouteAnswer, type UnstoredReason } from './route-answer.js';

/** How long a key is remembered after its response has proved not to be storable. */
export const UNCACHEABLE_MS = 10_000;

/** Reasons that lie in what the route is, not in what happened to one response: the next one will be the same. */
const LASTING: ReadonlySet<UnstoredReason> = new Set<UnstoredReason>([
  'authorization',
  'cache-control-syntax',
  'cookie',
  'credentials',
  'handed-over',
  'no-lifetime',
  'no-store',
  'private',
  'set-cookie',
  'stream',
  'vary-any',
]);

interface Known {
  readonly until: number;
  readonly reason: UnstoredReason;
}

/**
 * The keys whose responses were not to be stored a short while ago, in this process. Their requests run their own
 * handlers at once: to wait for each other would only put them in a row. Requests with credentials are remembered apart,
 * because of theirs alone a response may not be storable.
 */
export class UncacheableKeys {
  readonly #clock: CacheClock;
  readonly #known = new Map<string, Known>();

  constructor(clock: CacheClock) {
    this.#clock = clock;
  }

  /** Whether requests like this one are not to wait for each other. */
  holds(key: string, ticket: RequestTicket): boolean {
    return this.#known.size > 0 && this.#find(nameOf(key, ticket)) !== undefined;
  }

  /** Why requests like this one go to their handlers without another look at their responses; `undefined` = they do not. */
  passes(key: string, ticket: RequestTicket): UnstoredReason | undefined {
    if (this.#known.size === 0) return undefined;
    const reason = this.#find(nameOf(key, ticket))?.reason;
    return reason !== undefined && LASTING.has(reason) ? reason : undefined;
  }

  /** Takes note of what a run has come to. */
  learn(key: string, ticket: RequestTicket, answer: RouteAnswer): void {
    if (answer.kind === 'stored') {
      if (this.#known.size > 0) this.#known.delete(nameOf(key, ticket));
      return;
    }
    if (saysNothing(answer)) return;
    const name = nameOf(key, ticket);
    this.#known.delete(name);
    this.#known.set(name, { until: this.#clock.now() + UNCACHEABLE_MS, reason: answer.reason });
    if (this.#known.size > MAX_THROTTLED_KEYS) {
      this.#known.delete(this.#known.keys().next().value!);
    }
  }

  #find(name: string): Known | undefined {
    const known = this.#known.get(name);
    if (known === undefined || known.until > this.#clock.now()) return known;
    this.#known.delete(name);
    return undefined;
  }
}

function nameOf(key: string, { plan }: RequestTicket): string {
  const { authorization, cookie } = plan.headers;
  const isPlain = authorization === undefined && cookie === undefined;
  // No key holds a space.
  return isPlain && plan.credentials.length === 0 ? key : `${key} +`;
}
