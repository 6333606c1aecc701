import { AsyncResource } from 'node:async_hooks';
import type { CacheCore } from '../cache/cache-core.js';
import type { CallBudget } from '../cache/call-budget.js';
import type { StoredEntry } from '../cache/entry.js';
import type { RunOptions } from '../cache/fill-options.js';
import type { FillTarget } from '../cache/fill-store.js';
import { fillBehind } from '../cache/fill-behind.js';
import { fillResult } from '../cache/fill.js';
import type { DueCheck } from '../cache/freshness.js';
import type { FlightResult } from '../cache/flight-table.js';
import type { LoadContext } from '../cache/load-context.js';
import type { MaybePromise } from '../cache/maybe-promise.js';
import { CacheConfigurationError } from '../errors.js';
import type { ReuseDecision } from '../http/cache-decision.js';
import type { ForwardReason } from '../http/cache-status.js';
import { outcomeFields, type CacheWord, type Outcome } from './cache-outcome.js';
import type { HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
import type { RequestTicket } from './request-ticket.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import { requestTags, responsePolicy } from './response-policy.js';
import { DirectResponse } from './raw-response.js';
import { setFields } from './response-head.js';
import { sendEmpty, sendHit, sendRecord } from './response-writer.js';
import { isRouteAnswer, type RouteAnswer } from './route-answer.js';
import { ageField, RouteRun, type RouteRunInput } from './route-run.js';
import { castShadow } from './shadow-response.js';
import { readRecord, type HttpRecord } from './stored-record.js';
import type { UncacheableKeys } from './uncacheable-keys.js';
import { findVariant, type Found } from './variants.js';

/** One request on its way through the cache. */
export interface ExchangeInput {
  readonly req: HttpRequest;
  readonly res: HttpResponse;
  readonly next: NextFunction;
  readonly core: CacheCore;
  readonly options: ResolvedHttpCacheOptions;
  readonly ticket: RequestTicket;
  readonly uncacheable: UncacheableKeys;
}

/** How often a request that waited for others in vain looks for a response again, before it runs its own handler alone. */
const MOST_ROUNDS = 3;

type RevalidateDecision = ReuseDecision & { readonly kind: 'revalidate' };

/** What a load that came too late gives: nothing, and nobody is to wait for it. */
const GIVEN_UP: RouteAnswer = Object.freeze({ kind: 'unstored', reason: 'aborted' });

/**
 * One request on its way through the cache:
 *
 *   lookup -> fresh      -> answer
 *             stale      -> answer, and run the route behind the client's back
 *             otherwise  -> fill: run the route, or wait for the request that does
 *
 * A fill takes its token before the handler starts, so whatever is invalidated after that makes the store refuse the
 * response (promise P1). Whoever runs the handler streams its response to the client as it is written; the others are
 * answered from the record, or, when there is none, run their own handlers.
 */
export class HttpExchange {
  readonly #input: ExchangeInput;
  readonly #budget: CallBudget | undefined;
  #tags: readonly string[] | undefined;
  #run: RouteRun | undefined;
  /** Whether the client is answered, gone, or being answered by its own handler outside of the fill. */
  #isOver = false;
  #rounds = 0;
  #landed: Promise<unknown> = Promise.resolve();

  constructor(input: ExchangeInput) {
    this.#input = input;
    this.#budget = input.core.startBudget();
  }

  /** Looks the response up and goes on from there. */
  start(): void {
    const { core, options, ticket, uncacheable } = this.#input;
    if (uncacheable.isHandedOver(ticket.key)) {
      this.#input.next();
      return;
    }
    const found = findVariant({
      core,
      key: ticket.key,
      headers: ticket.plan.headers,
      policy: ticket.policy,
      maxVariants: options.maxVariants,
      hints: core.runtime.storesBytes ? this.#targetPolicy().hints : undefined,
      budget: this.#budget,
    });
    if (!(found instanceof Promise)) {
      this.#decide(found);
      return;
    }
    found.then(
      (each) => this.#decide(each),
      (error: unknown) => this.#pass(error),
    );
  }

  /** A cache on the route itself takes over. Resolves when it may begin. */
  async handOver(): Promise<void> {
    this.#run?.handOver();
    await this.#landed;
  }

  #decide(found: Found): void {
    try {
      this.#answer(found);
    } catch (error) {
      this.#pass(error);
    }
  }

  #answer(found: Found): void {
    const { core, ticket } = this.#input;
    const { record, entry, key } = found;
    if (record === undefined || entry === undefined) {
      this.#miss(found, found.isOther ? 'vary-miss' : 'uri-miss', undefined);
      return;
    }
    const now = core.runtime.clock.now();
    const reuse = ticket.policy.reuse(record, ticket.plan, now);
    switch (reuse.kind) {
      case 'fresh':
        core.countHit(key, entry);
        this.#sendStored(record, 'HIT', now);
        return;
      case 'stale':
        core.countStale(key, entry);
        this.#sendStored(record, 'STALE', now);
        if (reuse.refresh) this.#refreshBehind(found);
        return;
      case 'revalidate':
        if (reuse.staleIfError && core.retries.holds(key)) {
          // Its handler has failed a short while ago.
          core.countStale(key, entry);
          this.#sendStored(record, 'STALE', now);
          return;
        }
        this.#miss(found, reuse.reason === 'request' ? 'request' : 'stale', reuse);
        return;
      default:
        this.#miss(found, reuse.reason === 'vary' ? 'vary-miss' : 'miss', undefined);
    }
  }

  #sendStored(record: HttpRecord, word: CacheWord, now: number, fwd?: ForwardReason): void {
    const { req, res, options, ticket } = this.#input;
    const { policy, plan } = ticket;
    this.#isOver = true;
    const ttl = policy.ttlSeconds(record, now);
    const answer = policy.conditional(record, plan);
    if (answer.kind === 'full' && fwd === undefined && plan.method === 'GET') {
      sendHit(res, record, options, word, policy.ageSeconds(record, now), ttl);
      return;
    }
    const collapsed = fwd === undefined ? undefined : true;
    const further = [
      ...ageField(policy, record, now),
      ...outcomeFields(options, { word, fwd, ttl, collapsed }),
    ];
    sendRecord(new DirectResponse(res), req.method, record, answer, further);
  }

  #miss(found: Found, fwd: ForwardReason, reuse: RevalidateDecision | undefined): void {
    const { core, res, next, options, ticket } = this.#input;
    const { plan } = ticket;
    // Once for each request, however often it looks.
    if (this.#rounds === 0) core.countMiss(found.key);
    if (plan.onlyIfCached) {
      const fields = outcomeFields(options, { word: 'MISS', fwd, reason: 'only-if-cached' });
      sendEmpty(new DirectResponse(res), 504, fields);
    } else if (!plan.store) {
      // A HEAD: its handler's answer has no body to keep.
      setFields(res, outcomeFields(options, { word: 'MISS', fwd }));
      next();
    } else this.#fill(found, fwd, reuse);
  }

  #fill(found: Found, fwd: ForwardReason, reuse: RevalidateDecision | undefined): void {
    const { core, options, ticket, uncacheable } = this.#input;
    const { key, entry } = found;
    const sync = options.sync ?? core.settings.sync;
    const running = core.flights.get(key);
    const waitedMs = running === undefined ? 0 : performance.now() - running.startedAt;
    const isShared =
      sync !== false &&
      !uncacheable.holds(key, ticket) &&
      waitedMs < options.collapseTimeoutMs &&
      this.#rounds < MOST_ROUNDS;
    const isClustered = isShared && core.takesTurns(sync);
    const run: RunOptions = {
      isShared,
      isClustered,
      // What is there is fresh to the store, and no answer to this request.
      isRefresh:
        this.#rounds >= MOST_ROUNDS || (entry !== undefined && entry.expiresAt > this.#now()),
      isStaleKnown: entry !== undefined,
      staleThrottleMs: reuse?.staleIfError === true ? core.settings.staleThrottleMs : 0,
      budget: this.#budget,
    };
    const load = (context: LoadContext): Promise<RouteAnswer> =>
      this.#isOver || this.#input.res.destroyed
        ? Promise.resolve(GIVEN_UP)
        : this.#runRoute(context, found, fwd, reuse);
    const result = fillResult([this.#target(key)], load, run);
    this.#landed = result.then(nothing, nothing);
    if (running !== undefined || isClustered) {
      this.#limitWaiting(options.collapseTimeoutMs - waitedMs, found, fwd);
    }
    result.then(
      (landed) => this.#land(landed, found, fwd),
      (error: unknown) => this.#pass(error),
    );
  }

  /** Runs the handler for this client, within a fill. */
  #runRoute(
    context: LoadContext,
    found: Found,
    fwd: ForwardReason,
    reuse: RevalidateDecision | undefined,
  ): Promise<RouteAnswer> {
    const { core, next } = this.#input;
    const staleIfError = reuse?.staleIfError === true;
    const run = this.#watch(
      context,
      found,
      fwd,
      staleIfError
        ? (): MaybePromise<HttpRecord | undefined> => this.#lookAgain(found, core)
        : undefined,
    );
    next();
    return run.answer;
  }

  /** Runs the handler once more for nobody but the cache. */
  #refreshBehind(found: Found): void {
    const { res, core, options, ticket } = this.#input;
    const { key } = found;
    if (!ticket.plan.store || core.flights.get(key) !== undefined || core.retries.holds(key))
      return;
    const refresh = AsyncResource.bind(() => {
      fillBehind([this.#target(key)], (context) => this.#runBehind(context, found), {
        isClustered: core.takesTurns(options.sync ?? core.settings.sync),
        staleThrottleMs: core.settings.staleThrottleMs,
        isDue: isExpired,
      });
    });
    // What a middleware before the cache does with the client's response comes first: after that it can be taken over.
    if (res.closed) setImmediate(refresh);
    else res.once('close', () => setImmediate(refresh));
  }

  #runBehind(context: LoadContext, found: Found): Promise<RouteAnswer> {
    castShadow(this.#input.res);
    const run = this.#watch(context, found, 'stale', undefined, false);
    this.#input.next();
    return run.answer.then((answer) => this.#settled(answer, found.key));
  }

  #watch(
    context: LoadContext,
    found: Found,
    fwd: ForwardReason,
    fallback: RouteRunInput['fallback'],
    isForeground = true,
  ): RouteRun {
    const { req, res, options, ticket } = this.#input;
    const { policy, plan } = ticket;
    const present = this.#presentOf(context);
    // What to ask a handler that is to say whether it still holds, whatever this request wants.
    const validation =
      present && policy.reuse(present, { ...plan, reload: true, requiredFlags: 0 }, this.#now());
    this.#run = new RouteRun({
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
      now: () => this.#now(),
      fallback,
      onFault: (error) => this.#report(error),
    });
    exchanges.set(res, this);
    return this.#run;
  }

  /** The response that is there as of the fill's token, as far as this request may have it validated. */
  #presentOf({ stale }: LoadContext): HttpRecord | undefined {
    const { ticket } = this.#input;
    const record = stale === undefined ? undefined : readRecord(stale.value);
    const isOwn = record !== undefined && ticket.policy.selects(record, ticket.plan.headers);
    return isOwn ? record : undefined;
  }

  /** A fill has ended: that of this request, or the one that it waited for. */
  #land(result: FlightResult, found: Found, fwd: ForwardReason): void {
    const { value } = result;
    const answer = isRouteAnswer(value) ? value : undefined;
    if (this.#run !== undefined) {
      if (answer === undefined) return;
      this.#input.uncacheable.learn(found.key, this.#input.ticket, answer);
      this.#settled(answer, found.key);
      return;
    }
    if (this.#isOver || this.#input.res.destroyed) return;
    const record = answer?.kind === 'stored' ? answer.record : readRecord(value);
    if (record !== undefined) {
      const { policy, plan } = this.#input.ticket;
      const now = this.#now();
      if (policy.reuse(record, plan, now).kind === 'fresh') {
        this.#sendStored(record, 'HIT', now, fwd);
        return;
      }
    }
    // Where the response was not to be shared, every client runs its own handler, at once. Otherwise there may be something to
    // find by now: another variant, or an older response to fall back on.
    this.#rounds =
      answer?.kind === 'unstored' && !isAccident(answer) ? MOST_ROUNDS : this.#rounds + 1;
    if (this.#rounds < MOST_ROUNDS) this.start();
    else this.#fill({ ...found, record: undefined }, fwd, undefined);
  }

  /** Lets the request go on by itself once it has waited long enough for another one's handler. */
  #limitWaiting(ms: number, found: Found, fwd: ForwardReason): void {
    if (ms > LONGEST_TIMER_MS) return;
    const timer = setTimeout(() => {
      if (this.#run !== undefined || this.#isOver || this.#input.res.destroyed) return;
      this.#isOver = true;
      const own = new HttpExchange(this.#input);
      own.#rounds = MOST_ROUNDS;
      own.#fill({ ...found, record: undefined }, fwd, undefined);
    }, ms);
    timer.unref();
    void this.#landed.then(() => clearTimeout(timer));
  }

  /** What is left to do once it is known what became of a run. */
  #settled(answer: RouteAnswer, key: string): RouteAnswer {
    if (answer.kind === 'unstored' && answer.isVoid === true) {
      void this.#input.core.delete([key], 'bypass');
    }
    return answer;
  }

  /** The older response, if the store still holds it to be valid. A store that fails says nothing about it. */
  #lookAgain({ key, record }: Found, core: CacheCore): MaybePromise<HttpRecord | undefined> {
    const { hints } = this.#targetPolicy();
    const judge = (entry: StoredEntry | undefined): HttpRecord | undefined => {
      const current = entry === undefined ? undefined : readRecord(entry.value);
      const { policy, plan } = this.#input.ticket;
      if (current === undefined) return undefined;
      const reuse = policy.reuse(current, plan, this.#now());
      if (reuse.kind === 'none') return undefined;
      return reuse.kind !== 'revalidate' || reuse.staleIfError ? current : undefined;
    };
    try {
      const found = core.find(key, 'throw', hints, this.#budget);
      return found instanceof Promise ? found.then(judge, () => record) : judge(found);
    } catch {
      // Reported by `find`.
      return record;
    }
  }

  #target(key: string): FillTarget {
    return { cache: this.#input.core, key, policy: this.#targetPolicy() };
  }

  #targetPolicy(): FillTarget['policy'] {
    const { req, res, core, options } = this.#input;
    this.#tags ??= requestTags(req, res, core, options);
    return responsePolicy(core, this.#tags);
  }

  /** The cache has failed before the handler ran: the handler answers as if there were none. */
  #pass(error: unknown): void {
    const { res, next } = this.#input;
    const isFatal = error instanceof CacheConfigurationError;
    if (!isFatal) this.#report(error);
    if (this.#isOver || this.#run !== undefined || res.headersSent || res.destroyed) return;
    this.#isOver = true;
    setFields(res, outcomeFields(this.#input.options, PASSED));
    if (isFatal) next(error);
    else next();
  }

  #report(error: unknown): void {
    const { core, ticket } = this.#input;
    core.failCallback('http', error, 'bypass', ticket.key);
  }

  #now(): number {
    return this.#input.core.runtime.clock.now();
  }
}

/** Which request's run stands behind a response. */
const exchanges = new WeakMap<HttpResponse, HttpExchange>();

/** The exchange whose handler is running on a response. */
export function exchangeOn(res: HttpResponse): HttpExchange | undefined {
  return exchanges.get(res);
}

const NO_CONDITIONS: Readonly<Record<string, string>> = Object.freeze({});

const PASSED: Outcome = Object.freeze({ word: 'SKIP', fwd: 'bypass', reason: 'fault' });

/** Beyond it `setTimeout` fires at once; nobody waits for so long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const nothing = (): void => undefined;

const isExpired: DueCheck = ({ expiresAt }, now) => expiresAt <= now;

/** Whether a run ended without a response that says anything about the next one. */
function isAccident({ reason }: RouteAnswer & { readonly kind: 'unstored' }): boolean {
  return reason === 'aborted' || reason === 'fault';
}
