import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallBudget } from '../cache/call-budget.js';
import type { MaybePromise } from '../cache/maybe-promise.js';
import { CacheConfigurationError } from '../errors.js';
import type { RequestPlan } from '../http/cache-decision.js';
import type { ResolvedAccelerateOptions } from './accelerate-options.js';
import { ageField, outcomeFields } from './cache-outcome.js';
import { isTrusted } from './front-key.js';
import type { FrontLane } from './front-lanes.js';
import { countInFront } from './front-limits.js';
import { hideResponseFields } from './hide-response-fields.js';
import { methodsOf, rawResponse } from './raw-response.js';
import { missingFields } from './response-head.js';
import { hitForm, sendHit, sendRecord } from './response-writer.js';
import { findVariant, type Found } from './variants.js';

/**
 * Gives a request the fresh response that lies in the cache for it, if there is one, by the rules of its route's `httpCache`.
 */
export class FrontAnswer {
  readonly #options: ResolvedAccelerateOptions;

  constructor(options: ResolvedAccelerateOptions) {
    this.#options = options;
  }

  /**
   * Whether the request has been answered. If not, nothing has happened to it. Never throws, and never rejects. At once where
   * the store answers at once and there is no limit to ask.
   */
  give(
    lane: FrontLane,
    req: IncomingMessage,
    res: ServerResponse,
    budget: CallBudget | undefined,
  ): MaybePromise<boolean> {
    try {
      const { options } = lane.route;
      const core = lane.route.locate();
      if (core !== lane.core || !core.runtime.isEnabled) return false;
      if (isTrusted(req, lane.app) !== lane.isTrusted) return false;
      const { headers } = req;
      if (options.obeysRequest !== undefined && headers['cache-control'] !== undefined) {
        return false;
      }
      const plan = lane.policy.request(req as { method: string } & IncomingMessage);
      if (plan.bypass !== undefined) return false;
      if (this.#options.condition !== undefined && !this.#options.condition(req)) return false;
      const found = findVariant({
        core,
        key: lane.key,
        headers,
        policy: lane.policy,
        maxVariants: options.maxVariants,
        hints: lane.hints,
        budget,
      });
      if (found instanceof Promise) return this.#later(found, lane, plan, req, res);
      return this.#useFound(found, lane, plan, req, res);
    } catch (error) {
      return refuse(lane, error);
    }
  }

  async #later(
    found: Promise<Found>,
    lane: FrontLane,
    plan: RequestPlan,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<boolean> {
    try {
      return await this.#useFound(await found, lane, plan, req, res);
    } catch (error) {
      return refuse(lane, error);
    }
  }

  #useFound(
    found: Found,
    lane: FrontLane,
    plan: RequestPlan,
    req: IncomingMessage,
    res: ServerResponse,
  ): MaybePromise<boolean> {
    const { record } = found;
    if (record?.front !== true) return false;
    const now = lane.core.runtime.clock.now();
    if (lane.policy.reuse(record, plan, now).kind !== 'fresh') return false;
    const { limit, fields } = this.#options;
    if (limit === undefined && lane.limits.length === 0) {
      return this.#send(found, lane, plan, res, fields);
    }
    return this.#count(found, lane, plan, req, res);
  }

  /** Has every limit count the answer before it goes out. */
  async #count(
    found: Found,
    lane: FrontLane,
    plan: RequestPlan,
    req: IncomingMessage,
    res: ServerResponse,
  ): Promise<boolean> {
    try {
      const { limit, fields } = this.#options;
      const counted = await countInFront(req, lane.limits);
      if (counted === undefined) return false;
      if (limit !== undefined && (await limit(req)) !== true) return false;
      const all = counted.length === 0 ? fields : [...fields, ...counted];
      return this.#send(found, lane, plan, res, all);
    } catch (error) {
      return refuse(lane, error);
    }
  }

  #send(
    found: Found,
    lane: FrontLane,
    plan: RequestPlan,
    res: ServerResponse,
    fields: readonly string[],
  ): boolean {
    const { core, policy, route } = lane;
    const record = found.record!;
    // Anew: a limiter may have taken its time.
    const now = core.runtime.clock.now();
    core.countHit(found.key, found.entry!);
    lane.isUsed = true;
    const age = policy.ageSeconds(record, now);
    const ttl = policy.ttlSeconds(record, now);
    const { hideFields } = route.options;
    if (hideFields.length > 0) hideResponseFields(res, hideFields);
    try {
      const answer = policy.conditional(record, plan);
      const form = hitForm(answer, plan.method);
      if (form !== undefined) {
        sendHit(res, record, form, route.options, 'HIT', age, ttl, fields);
      } else {
        const outcome = outcomeFields(route.options, { word: 'HIT', fwd: undefined, ttl });
        const further = [...ageField(policy, record, now), ...outcome];
        const added = missingFields([...record.headers, ...further], fields);
        const raw = rawResponse(res, methodsOf(res));
        sendRecord(raw, plan.method, record, answer, [...further, ...added]);
      }
    } catch (error) {
      refuse(lane, error);
      if (!res.headersSent) return false;
      // Half an answer cannot be taken back.
      res.destroy();
    }
    return true;
  }
}

/** The application answers, and meets what is wrong with the configuration by itself. */
function refuse({ core, key }: FrontLane, error: unknown): false {
  if (!(error instanceof CacheConfigurationError)) {
    core.failCallback('accelerate', error, 'bypass', key);
  }
  return false;
}
