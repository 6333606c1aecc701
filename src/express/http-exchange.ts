import type { CallBudget } from '../cache/call-budget.js';
import type { RunOptions } from '../cache/fill-options.js';
import { fillResult } from '../cache/fill.js';
import { nextOrder, type FlightResult } from '../cache/flight-table.js';
import type { LoadContext } from '../cache/load-context.js';
import { CacheBackendError, CacheConfigurationError } from '../errors.js';
import type { ReuseDecision } from '../http/cache-decision.js';
import type { ForwardReason } from '../http/cache-status.js';
import { ageField, outcomeFields, type CacheWord, type Outcome } from './cache-outcome.js';
import { checkByHead } from './head-check.js';
import { notePassage, type RunningExchange } from './passage.js';
import { methodsOf, rawResponse } from './raw-response.js';
import { setFields } from './response-head.js';
import { hitForm, sendEmpty, sendHit, sendRecord } from './response-writer.js';
import { isRefusal, isRouteAnswer, type RouteAnswer } from './route-answer.js';
import type { RouteRun } from './route-run.js';
import { RouteRunner, type ExchangeInput } from './route-runner.js';
import { readRecord, type HttpRecord } from './stored-record.js';
import { findVariant, type Found } from './variants.js';

type Revalidation = ReuseDecision & { readonly kind: 'revalidate' };

/** How often a request that waited for others in vain looks for a response again, before it runs its own handler alone. */
const MOST_ROUNDS = 3;

/** What a load that came too late gives: nothing, and nobody is to wait for it. */
const GIVEN_UP: RouteAnswer = Object.freeze({ kind: 'unstored', reason: 'aborted' });

const PASSED: Outcome = Object.freeze({ word: 'SKIP', fwd: 'bypass', reason: 'fault' });

/** Beyond it `setTimeout` fires at once; nobody waits for so long. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

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
export class HttpExchange implements RunningExchange {
  readonly #input: ExchangeInput;
  readonly #budget: CallBudget | undefined;
  readonly #runner: RouteRunner;
  #run: RouteRun | undefined;
  /** Whether the client is answered, or was left to a handler outside of this exchange. */
  #isOver = false;
  readonly #arrivedAt = nextOrder();
  #rounds = 0;
  /** What the exchange ends with: a fill, or a run behind the client's back. */
  #ending: Promise<unknown> | undefined;

  /** @param budget - the time that the request may wait for the store */
  constructor(input: ExchangeInput, budget: CallBudget | undefined) {
    this.#input = input;
    this.#budget = budget;
    this.#runner = new RouteRunner(input, this.#budget);
  }

  /** Looks the response up and goes on from there. */
  start(): void {
    const { core, options, ticket } = this.#input;
    const { key, plan, policy } = ticket;
    try {
      const found = findVariant({
        core,
        key,
        headers: plan.headers,
        policy,
        maxVariants: options.maxVariants,
        hints: core.runtime.storesBytes ? this.#runner.target(key).policy.hints : undefined,
        budget: this.#budget,
      });
      if (found instanceof Promise) {
        found.then((each) => this.#answer(each)).catch((error: unknown) => this.#pass(error));
      } else this.#answer(found);
    } catch (error) {
      this.#pass(error);
    }
  }

  /** A cache on the route itself takes over. Resolves when it may begin. */
  async handOver(): Promise<void> {
    this.#run?.handOver();
    await this.#ending?.catch(() => undefined);
  }

  #answer(found: Found): void {
    const { core, ticket } = this.#input;
    const { record, entry, key } = found;
    if (record === undefined || entry === undefined) {
      this.#miss(found, found.fwd, undefined);
      return;
    }
    const now = this.#now();
    const reuse = ticket.policy.reuse(record, ticket.plan, now);
    if (reuse.kind === 'fresh') {
      core.countHit(key, entry);
      this.#sendStored(record, 'HIT', now);
      this.#input.onKept?.();
    } else if (reuse.kind === 'stale') {
      core.countStale(key, entry);
      this.#sendStored(record, 'STALE', now);
      if (reuse.refresh) {
        this.#runner.runBehind(found, (run, landed) => {
          this.#ending = landed;
          this.#started(run);
        });
      }
    } else if (reuse.kind === 'none') {
      this.#miss(found, reuse.reason === 'range' ? 'partial' : found.fwd, undefined);
    } else if (reuse.staleIfError && core.retries.holds(key)) {
      // Its handler has failed a short while ago.
      core.countStale(key, entry);
      this.#sendStored(record, 'STALE', now);
    } else this.#miss(found, reuse.reason === 'request' ? 'request' : 'stale', reuse);
  }

  #sendStored(record: HttpRecord, word: CacheWord, now: number, fwd?: ForwardReason): void {
    const { res, next } = this.#input;
    try {
      this.#send(record, word, now, fwd);
    } catch (error) {
      // As where the handler itself sends what cannot go out: the application answers.
      this.#runner.report(error);
      if (res.headersSent || res.destroyed) res.destroy();
      else next(error);
    }
  }

  #send(record: HttpRecord, word: CacheWord, now: number, fwd?: ForwardReason): void {
    const { req, res, options, ticket } = this.#input;
    const { policy, plan } = ticket;
    this.#isOver = true;
    const ttl = policy.ttlSeconds(record, now);
    const answer = policy.conditional(record, plan);
    const form = fwd === undefined ? hitForm(answer, plan.method) : undefined;
    if (form !== undefined) {
      sendHit(res, record, form, options, word, policy.ageSeconds(record, now), ttl);
      return;
    }
    const collapsed = fwd === undefined ? undefined : true;
    const outcome = outcomeFields(options, { word, fwd, ttl, collapsed });
    const raw = rawResponse(res, methodsOf(res));
    sendRecord(raw, req.method, record, answer, [...ageField(policy, record, now), ...outcome]);
  }

  #miss(found: Found, fwd: ForwardReason, reuse: Revalidation | undefined): void {
    const { core, res, next, options, ticket, uncacheable } = this.#input;
    const { plan } = ticket;
    const uncached = uncacheable.passes(found.key, ticket);
    // Once for each request, however often it looks.
    if (this.#rounds === 0) core.countMiss(found.key);
    if (plan.onlyIfCached) {
      const fields = outcomeFields(options, { word: 'MISS', fwd, reason: 'only-if-cached' });
      sendEmpty(rawResponse(res, methodsOf(res)), 504, fields);
    } else if (!plan.store) {
      // A HEAD: its handler's answer has no body to keep.
      setFields(res, outcomeFields(options, { word: 'MISS', fwd }));
      if (reuse !== undefined)
        checkByHead(this.#input, found, (error) => this.#runner.report(error));
      next();
    } else if (uncached !== undefined && reuse === undefined) {
      // A cache on the route itself says what becomes of it.
      if (uncached !== 'handed-over') {
        setFields(res, outcomeFields(options, { word: 'SKIP', fwd, reason: uncached }));
      }
      next();
    } else this.#fill(found, fwd, reuse);
  }

  #fill(found: Found, fwd: ForwardReason, reuse: Revalidation | undefined): void {
    const { core, options, ticket, uncacheable, res } = this.#input;
    const { key, entry } = found;
    const sync = options.sync ?? core.settings.sync;
    const other = core.flights.get(key);
    const waitedMs = other === undefined ? 0 : performance.now() - other.startedAt;
    const isShared =
      sync !== false &&
      !uncacheable.holds(key, ticket) &&
      waitedMs < options.collapseTimeoutMs &&
      this.#rounds < MOST_ROUNDS;
    const isClustered = isShared && core.takesTurns(sync);
    const mayFallBack = reuse?.staleIfError === true;
    const run: RunOptions = {
      isShared,
      isClustered,
      isUntracked: !isClustered,
      // What is there is fresh to the store, and no answer to this request.
      isRefresh:
        ticket.plan.reload ||
        this.#rounds >= MOST_ROUNDS ||
        (entry !== undefined && entry.expiresAt > this.#now()),
      isStaleKnown: entry !== undefined,
      endsUnshared: true,
      staleThrottleMs: mayFallBack ? core.settings.staleThrottleMs : 0,
      budget: this.#budget,
      arrivedAt: this.#arrivedAt,
    };
    const load = (context: LoadContext): Promise<RouteAnswer> =>
      this.#isOver || res.destroyed
        ? Promise.resolve(GIVEN_UP)
        : this.#runRoute(context, found, fwd, mayFallBack);
    const result = fillResult([this.#runner.target(key)], load, run);
    this.#ending = result;
    if (other !== undefined || isClustered) {
      this.#limitWaiting(options.collapseTimeoutMs - waitedMs, found, fwd);
    }
    result
      .then((landed) => this.#land(landed, found, fwd))
      .catch((error: unknown) => this.#pass(error));
  }

  async #runRoute(
    context: LoadContext,
    found: Found,
    fwd: ForwardReason,
    mayFallBack: boolean,
  ): Promise<RouteAnswer> {
    try {
      return await this.#runner.run(context, found, fwd, mayFallBack, (run) => this.#started(run));
    } catch (error) {
      // The response could not be watched: its handler has not run.
      if (this.#run !== undefined) throw error;
      this.#pass(error);
      return GIVEN_UP;
    }
  }

  #started(run: RouteRun): void {
    this.#run = run;
    notePassage(this.#input.res).exchange = this;
  }

  /** A fill has ended: that of this request, or the one that it waited for. */
  #land(result: FlightResult, found: Found, fwd: ForwardReason): void {
    const { ticket, uncacheable, res } = this.#input;
    const { value } = result;
    const answer = isRouteAnswer(value) ? value : undefined;
    if (this.#run !== undefined) {
      if (answer === undefined) return;
      uncacheable.learn(found.key, ticket, answer);
      if (answer.kind === 'stored') this.#input.onKept?.();
      this.#runner.settle(answer, found.key);
      return;
    }
    if (this.#isOver || res.destroyed) return;
    const record = readRecord(answer?.kind === 'stored' ? answer.record : value);
    const now = this.#now();
    // Whoever reloads has waited for a run that began after the request came.
    const plan = ticket.plan.reload ? { ...ticket.plan, reload: false } : ticket.plan;
    if (record !== undefined && ticket.policy.reuse(record, plan, now).kind === 'fresh') {
      this.#sendStored(record, 'HIT', now, fwd);
      return;
    }
    // Where the response was not to be shared, every client runs its own handler, at once. Otherwise there may be something to
    // find by now: another variant, or an older response to fall back on.
    const isRefused = isRefusal(answer) || result.isUnshared === true;
    this.#rounds = isRefused ? Math.max(MOST_ROUNDS, this.#rounds + 1) : this.#rounds + 1;
    if (this.#rounds < MOST_ROUNDS) this.start();
    else if (this.#rounds > MOST_ROUNDS + 1)
      this.#pass(new CacheBackendError('No response came of several rounds.'));
    else this.#fill({ ...found, record: undefined }, fwd, undefined);
  }

  /** Lets the request go on by itself once it has waited long enough for another one's handler. */
  #limitWaiting(ms: number, found: Found, fwd: ForwardReason): void {
    if (ms > LONGEST_TIMER_MS) return;
    const timer = setTimeout(() => {
      if (this.#run !== undefined || this.#isOver || this.#input.res.destroyed) return;
      this.#isOver = true;
      const own = new HttpExchange(this.#input, this.#budget?.fork());
      own.#rounds = MOST_ROUNDS;
      try {
        own.#fill({ ...found, record: undefined }, fwd, undefined);
      } catch (error) {
        own.#pass(error);
      }
    }, ms);
    timer.unref();
    const stop = (): void => clearTimeout(timer);
    this.#ending?.then(stop, stop);
  }

  /** The cache has failed before the handler ran: the handler answers as if there were none. */
  #pass(error: unknown): void {
    const { res, next, options } = this.#input;
    const isMisconfigured = error instanceof CacheConfigurationError;
    if (!isMisconfigured) this.#runner.report(error);
    if (this.#isOver || this.#run !== undefined || res.headersSent || res.destroyed) return;
    this.#isOver = true;
    if (isMisconfigured) {
      next(error);
      return;
    }
    setFields(res, outcomeFields(options, PASSED));
    next();
  }

  #now(): number {
    return this.#input.core.runtime.clock.now();
  }
}
