import type { IncomingMessage } from 'node:http';
import type { ReadHints } from '../cache/backend.js';
import type { CallBudget } from '../cache/call-budget.js';
import type { CacheCore } from '../cache/cache-core.js';
import type { HttpCachePolicy } from '../http/http-cache-policy.js';
import { expressOrigin, isTrusted, type ProxySettings } from './front-key.js';
import { isSameLimits, noteLimits, passedLimiters, type LimiterPlace } from './front-limits.js';
import type { HttpRequest } from './http-middleware.js';
import { originOf, routedTarget, targetOf } from './request-key.js';
import type { RequestTicket } from './request-ticket.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import { hasFieldsAsSent } from './sent-fields.js';

/** An `httpCache` marked `front`, as the front sees it. */
export interface FrontRoute {
  readonly options: ResolvedHttpCacheOptions;
  /** The cache that it uses now. Throws what looking for a manager throws. */
  locate(): CacheCore;
}

/** Where the response to requests of one name lies. */
export interface FrontLane {
  readonly route: FrontRoute;
  readonly core: CacheCore;
  readonly key: string;
  readonly policy: HttpCachePolicy;
  /** What the store is told to read beside the entry. */
  readonly hints: ReadHints | undefined;
  /** The application whose proxy settings count. */
  readonly app: ProxySettings | undefined;
  /** See {@link isTrusted}. */
  readonly isTrusted: boolean | undefined;
  /** The limiters that count each answer. */
  readonly limits: readonly LimiterPlace[];
  /** Whether it was used since room was last needed. */
  isUsed: boolean;
}

/** A request that the front has handed to the application. */
interface Visit {
  readonly lanes: FrontLanes;
  readonly name: string;
  readonly url: string | undefined;
  /** What is left of the time that the request may wait for the store. */
  readonly budget: CallBudget | undefined;
}

/** Nothing is set on a request that the application gets, so what the front knows of it stands here. */
const visits = new WeakMap<IncomingMessage, Visit>();

/**
 * What one front has learned: which requests, by name, an `httpCache` within the application has answered from which key.
 *
 * It is learned from the requests that the application got, each time that one was answered from the cache or its response
 * was stored. So a URL that has never reached its `httpCache` is never answered in front of it, and neither is one that
 * somebody has rewritten on the way, or that has been seen under two keys.
 */
export class FrontLanes {
  readonly #limit: number;
  /** `null`: more than its name decides what is answered. */
  readonly #lanes = new Map<string, FrontLane | null>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#lanes.size;
  }

  find(name: string): FrontLane | null | undefined {
    return this.#lanes.get(name);
  }

  /** Takes note of a request that is handed to the application. */
  expect(req: IncomingMessage, name: string, budget: CallBudget | undefined): void {
    visits.set(req, { lanes: this, name, url: req.url, budget });
    noteLimits(req);
  }

  learn(name: string, lane: FrontLane | null): void {
    const known = this.#lanes.get(name);
    if (known === null) return;
    if (known !== undefined && lane !== null) {
      const isSame =
        known.key === lane.key &&
        known.core === lane.core &&
        known.policy === lane.policy &&
        known.route === lane.route &&
        known.isTrusted === lane.isTrusted &&
        known.app === lane.app &&
        isSameLimits(known.limits, lane.limits);
      if (isSame) return;
      // A manager may be replaced, and others may be trusted. What is left for two keys, or other limits, is something that the
      // name lacks.
      const isOther =
        (known.key !== lane.key || !isSameLimits(known.limits, lane.limits)) &&
        known.core === lane.core &&
        known.isTrusted === lane.isTrusted;
      this.#lanes.set(name, isOther ? null : lane);
      return;
    }
    this.#lanes.set(name, lane);
    if (this.#lanes.size > this.#limit) this.#makeRoom();
  }

  /** The first that was not used gives way; those used until then get another chance. */
  #makeRoom(): void {
    for (const [name, lane] of this.#lanes) {
      this.#lanes.delete(name);
      if (lane?.isUsed !== true) return;
      lane.isUsed = false;
      this.#lanes.set(name, lane);
    }
  }
}

/** What the front has left of the time that a request may wait for the store; `undefined` where it did not ask it. */
export function budgetOf(req: HttpRequest): CallBudget | undefined {
  return visits.get(req)?.budget;
}

/**
 * What tells the front that came before, if one did, that a request has been answered from the cache, or its response been
 * stored. `undefined` where there is none.
 */
export function frontLesson(
  req: HttpRequest,
  route: FrontRoute,
  core: CacheCore,
  { key, policy }: RequestTicket,
  hints: () => ReadHints | undefined,
): (() => void) | undefined {
  const visit = visits.get(req);
  if (visit === undefined) return undefined;
  const { lanes, name, url } = visit;
  const target = targetOf(req);
  const app = (req as { readonly app?: ProxySettings }).app;
  const trusted = isTrusted(req, app);
  const limits = passedLimiters(req);
  const isAsSeen =
    target === url &&
    routedTarget(req, target) === undefined &&
    originOf(req) === expressOrigin(req, trusted) &&
    hasFieldsAsSent(req);
  return () => {
    if (!isAsSeen || limits === undefined) {
      lanes.learn(name, null);
      return;
    }
    const lane = { route, core, key, policy, hints: hints(), app, isTrusted: trusted };
    lanes.learn(name, { ...lane, limits, isUsed: false });
  };
}
