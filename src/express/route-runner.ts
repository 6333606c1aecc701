import { AsyncResource } from 'node:async_hooks';
import type { CacheCore } from '../cache/cache-core.js';
import type { CallBudget } from '../cache/call-budget.js';
import type { StoredEntry } from '../cache/entry.js';
import { fillBehind } from '../cache/fill-behind.js';
import type { FillTarget } from '../cache/fill-store.js';
import type { DueCheck } from '../cache/freshness.js';
import type { LoadContext } from '../cache/load-context.js';
import type { MaybePromise } from '../cache/maybe-promise.js';
import type { ForwardReason } from '../http/cache-status.js';
import type { HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
import type { RequestTicket } from './request-ticket.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import { requestTags, responsePolicy } from './response-policy.js';
import type { RouteAnswer } from './route-answer.js';
import type { RouteRunInput } from './route-run-input.js';
import { RouteRun } from './route-run.js';
import { hasFieldsAsSent } from './sent-fields.js';
import { castShadow } from './shadow-response.js';
import { readRecord, type HttpRecord } from './stored-record.js';
import type { UncacheableKeys } from './uncacheable-keys.js';
import type { Found } from './variants.js';

/** One request on its way through the cache. */
export interface ExchangeInput {
  readonly req: HttpRequest;
  readonly res: HttpResponse;
  readonly next: NextFunction;
  readonly core: CacheCore;
  readonly options: ResolvedHttpCacheOptions;
  readonly ticket: RequestTicket;
  readonly uncacheable: UncacheableKeys;
  /** Told when a fresh response to the request lies in the cache. */
  readonly onKept?: (() => void) | undefined;
}

/** Runs the route of one request: for its client, or behind the client's back. */
export class RouteRunner {
  readonly #input: ExchangeInput;
  readonly #budget: CallBudget | undefined;
  #policy: FillTarget['policy'] | undefined;

  constructor(input: ExchangeInput, budget: CallBudget | undefined) {
    this.#input = input;
    this.#budget = budget;
  }

  /** Where the route's response goes. Throws what the user's `tags` throw. */
  target(key: string): FillTarget {
    const { req, res, core, options } = this.#input;
    this.#policy ??= responsePolicy(core, requestTags(req, res, core, options));
    return { cache: core, key, policy: this.#policy };
  }

  /** Lets the handler run for this client, within a fill. */
  run(
    context: LoadContext,
    found: Found,
    fwd: ForwardReason,
    mayFallBack: boolean,
    onStart: (run: RouteRun) => void,
  ): Promise<RouteAnswer> {
    const fallback = mayFallBack
      ? (): MaybePromise<HttpRecord | undefined> => this.#lookAgain(found)
      : undefined;
    const run = this.#watch(context, found, fwd, fallback, true);
    onStart(run);
    this.#input.next();
    return run.answer;
  }

  /** Runs the handler once more for nobody but the cache, unless somebody does so already. */
  runBehind(found: Found, onStart: (run: RouteRun, landed: Promise<unknown>) => void): void {
    const { res, core, options, ticket } = this.#input;
    const { key } = found;
    if (!ticket.plan.store || core.flights.get(key) !== undefined || core.retries.holds(key))
      return;
    const isClustered = core.takesTurns(options.sync ?? core.settings.sync);
    const load = (context: LoadContext): Promise<RouteAnswer> => {
      castShadow(res);
      const run = this.#watch(context, found, 'stale', undefined, false);
      onStart(run, landed!);
      this.#input.next();
      return run.answer.then((answer) => this.settle(answer, key));
    };
    let landed: Promise<unknown> | undefined;
    const { staleThrottleMs } = core.settings;
    const refresh = AsyncResource.bind(() => {
      try {
        landed = fillBehind([this.target(key)], load, {
          isClustered,
          isUntracked: !isClustered,
          staleThrottleMs,
          isDue: isExpired,
        })?.catch(() => undefined);
      } catch (error) {
        // The user's function for tags has failed, and there is no caller left to tell.
        this.report(error);
      }
    });
    // What a middleware before the cache does with the client's response comes first: after that it can be taken over.
    if (res.closed) setImmediate(refresh);
    else res.once('close', () => setImmediate(refresh));
  }

  /** Does what is left to do once it is known what a run came to. */
  settle(answer: RouteAnswer, key: string): RouteAnswer {
    if (answer.kind === 'unstored' && answer.isVoid === true) {
      void this.#input.core.delete([key], 'bypass');
    }
    return answer;
  }

  /** Tells of a failure of the cache itself. */
  report(error: unknown): void {
    const { core, ticket } = this.#input;
    core.failCallback('http', error, 'bypass', ticket.key);
  }

  #watch(
    context: LoadContext,
    found: Found,
    fwd: ForwardReason,
    fallback: RouteRunInput['fallback'],
    isForeground: boolean,
  ): RouteRun {
    const { req, res, core, options, ticket } = this.#input;
    const { policy, plan } = ticket;
    const now = (): number => core.runtime.clock.now();
    const present = this.#presentOf(context);
    // What to ask a handler that is to say whether it still holds, whatever this request wants. Nobody is asked about a response
    // that is not for him: a handler may have one tag for what it makes for everybody and what it makes for one.
    const validation = present && policy.reuse(present, { ...plan, reload: true }, now());
    return new RouteRun({
      req,
      res,
      options,
      policy,
      plan,
      fwd,
      isForeground,
      present,
      conditions: validation?.kind === 'revalidate' ? validation.conditions : NO_CONDITIONS,
      variants: found.variants,
      isFront: options.isFront && hasFieldsAsSent(req),
      now,
      fallback,
      onFault: (error) => this.report(error),
    });
  }

  /** The response that is there as of the fill's token, if it is one that this request selects. */
  #presentOf({ stale }: LoadContext): HttpRecord | undefined {
    const { policy, plan } = this.#input.ticket;
    const record = stale === undefined ? undefined : readRecord(stale.value);
    return record !== undefined && policy.selects(record, plan.headers) ? record : undefined;
  }

  /** The older response, if the store still holds it to be valid. A store that fails says nothing about it. */
  #lookAgain({ key, record }: Found): MaybePromise<HttpRecord | undefined> {
    const { core } = this.#input;
    const { hints } = this.target(key).policy;
    try {
      const found = core.find(key, 'throw', hints, this.#budget);
      return found instanceof Promise
        ? found.then(
            (entry) => this.#insteadOfError(entry),
            () => record,
          )
        : this.#insteadOfError(found);
    } catch {
      // Reported by `find`.
      return record;
    }
  }

  #insteadOfError(entry: StoredEntry | undefined): HttpRecord | undefined {
    const { core, ticket } = this.#input;
    const record = entry === undefined ? undefined : readRecord(entry.value);
    if (record === undefined) return undefined;
    const reuse = ticket.policy.reuse(record, ticket.plan, core.runtime.clock.now());
    if (reuse.kind === 'none') return undefined;
    return reuse.kind !== 'revalidate' || reuse.staleIfError ? record : undefined;
  }
}

const NO_CONDITIONS: Readonly<Record<string, string>> = Object.freeze({});

const isExpired: DueCheck = ({ expiresAt }, now) => expiresAt <= now;
