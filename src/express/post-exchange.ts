import { isPending } from '../cache/maybe-promise.js';
import type { FillStart, FillToken } from '../cache/backend.js';
import { LoadContext } from '../cache/load-context.js';
import { storeAll } from '../cache/fill-store.js';
import { outcomeFields } from './cache-outcome.js';
import type { ExchangeInput } from './route-runner.js';
import { invalidationsOf } from './http-invalidation.js';
import { notePassage, type RunningExchange } from './passage.js';
import { requestTags, responsePolicy } from './response-policy.js';
import { setFields } from './response-head.js';
import type { RouteAnswer } from './route-answer.js';
import { RouteRun } from './route-run.js';

type Stored = RouteAnswer & { readonly kind: 'stored' };

/**
 * A POST whose answer may be what a GET of the same URL would get: it says so by `Content-Location`, and how long it is fresh
 * (RFC 9110 section 9.3.3).
 *
 * The write that it is makes void what its path holds, its own answer included. So the answer is stored after that, as of a second
 * token, and only if nothing else was invalidated anywhere since the first one was taken, before the handler ran: the store counts
 * invalidations, and those of this very request are known. Any other write in between, however far away, leaves the key empty,
 * so no GET that begins after that write is given what was computed before it (promise P1).
 */
export class PostExchange implements RunningExchange {
  readonly #input: ExchangeInput;
  #tags: readonly string[] = [];
  #run: RouteRun | undefined;

  constructor(input: ExchangeInput) {
    this.#input = input;
  }

  start(): void {
    const { req, res, core, options } = this.#input;
    try {
      this.#tags = requestTags(req, res, core, options);
    } catch (error) {
      this.#report(error);
      this.#handle(undefined);
      return;
    }
    const begun = this.#begin();
    if (!isPending(begun)) this.#handle(begun?.[0]?.token);
    else begun.then((starts) => this.#handle(starts?.[0]?.token)).catch(this.#input.next);
  }

  /** A cache on the route itself takes over. */
  handOver(): Promise<void> {
    this.#run?.handOver();
    return Promise.resolve();
  }

  #begin(): ReturnType<ExchangeInput['core']['begin']> {
    const { core, ticket } = this.#input;
    const { hints } = responsePolicy(core, this.#tags);
    return core.begin([ticket.key], 'bypass', hints, core.startBudget());
  }

  #handle(token: FillToken | undefined): void {
    const { req, res, next, core, options, ticket } = this.#input;
    if (token === undefined) {
      // There is nowhere to store.
      setFields(res, outcomeFields(options, { word: 'SKIP', fwd: 'method', reason: 'method' }));
      next();
      return;
    }
    this.#run = new RouteRun({
      req,
      res,
      options,
      policy: ticket.policy,
      plan: ticket.plan,
      fwd: 'method',
      isForeground: true,
      present: undefined,
      conditions: {},
      variants: undefined,
      isFront: false,
      now: () => core.runtime.clock.now(),
      fallback: undefined,
      onFault: (error) => this.#report(error),
    });
    notePassage(res).exchange = this;
    const release = (): void => core.release([token]);
    void this.#run.answer.then((answer) => {
      if (answer.kind === 'stored') this.#whenSent(() => this.#store(token, answer), release);
      else release();
    }, release);
    next();
  }

  /** What the write invalidates, it does before its last byte goes out. */
  #whenSent(store: () => Promise<void>, release: () => void): void {
    const { res } = this.#input;
    let isSent = false;
    const send = (): void => {
      isSent = true;
      void store().finally(release);
    };
    if (res.writableFinished) {
      send();
      return;
    }
    res.once('finish', send);
    res.once('close', () => {
      if (!isSent) release();
    });
  }

  #report(error: unknown): void {
    const { core, ticket } = this.#input;
    core.failCallback('http', error, 'bypass', ticket.key);
  }

  /** Never rejects: `'bypass'` makes events of failures. */
  async #store(first: FillToken, answer: Stored): Promise<void> {
    const { res, core, ticket } = this.#input;
    const start = (await this.#begin())?.[0];
    if (start === undefined) return;
    if (!isUndisturbed(first, start, invalidationsOf(res))) {
      core.release([start.token]);
      return;
    }
    const target = { cache: core, key: ticket.key, policy: responsePolicy(core, this.#tags) };
    const context = new LoadContext();
    const { requestedAt, respondedAt } = answer.record;
    await storeAll(
      [target],
      [start.token],
      Math.max(0, respondedAt - requestedAt),
      (policy) => policy.plan(answer, context),
      core.startBudget(),
    );
  }
}

/** Whether nothing was invalidated between two tokens of a key but what this request did itself, `own` times. */
function isUndisturbed(first: FillToken, { token }: FillStart, own: number): boolean {
  const isSameClaim = first.claim !== undefined && token.claim === first.claim;
  return isSameClaim && token.sequence === first.sequence + own;
}
