import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallBudget } from '../cache/call-budget.js';
import {
  resolveAccelerateOptions,
  type AccelerateOptions,
  type ResolvedAccelerateOptions,
} from './accelerate-options.js';
import { FrontAnswer } from './front-answer.js';
import { frontKey } from './front-key.js';
import { FrontLanes } from './front-lanes.js';
import { shareShapes } from './shared-shape.js';

/** What answers requests of an `http` server. An Express application is one. */
export type RequestListener = (req: IncomingMessage, res: ServerResponse) => unknown;

/**
 * Puts a fast lane in front of an Express application: fresh responses of routes whose `httpCache` is marked `front` are
 * sent before Express sees the request, which costs a fraction of what Express does. Everything else goes to the
 * application as it came: the same objects, with nothing set on them.
 *
 * What is answered is what the `httpCache` of the route would have sent: by the same lookup, the same rules for
 * conditionals, ranges, variants, credentials and request directives, and the same statistics and events. A URL is answered here
 * once a request for it has gone through its `httpCache`, with the same method, scheme, host and proxy fields. Stale
 * responses are left to the application, which refreshes them.
 *
 * Each `rateLimit` that stands before the route's `httpCache` counts such an answer, once, and sets its fields; a request beyond
 * the limit goes to the application, where the same limiter refuses it without counting it again.
 *
 * No other middleware runs for such an answer, and no field that one would have set is on it: headers of `helmet` and `cors`,
 * `X-Powered-By`, sessions, access logs, authentication, compression outside of the cache. See the options for what can
 * take their place.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 *
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import express from 'express';
 * import { accelerate, httpCache } from 'cachewell/express';
 *
 * const app = express();
 * app.get('/items', httpCache({ ttl: '1m', front: true }), (_req, res) => {
 *   res.json([{ id: 1 }]);
 * });
 * createServer(accelerate(app)).listen(3000);
 * ```
 */
export function accelerate(
  app: RequestListener,
  options: AccelerateOptions = {},
): (req: IncomingMessage, res: ServerResponse) => void {
  const lane = new FastLane(app, resolveAccelerateOptions(options));
  return (req, res) => lane.handle(req, res);
}

/** What stands behind one `accelerate`. */
class FastLane {
  readonly #app: RequestListener;
  readonly #lanes: FrontLanes;
  readonly #answer: FrontAnswer;

  constructor(app: RequestListener, options: ResolvedAccelerateOptions) {
    this.#app = app;
    this.#lanes = new FrontLanes(options.maxUrls);
    this.#answer = new FrontAnswer(options);
  }

  handle(req: IncomingMessage, res: ServerResponse): void {
    const name = frontKey(req);
    if (name === undefined) {
      this.#handOn(req, res, undefined, undefined);
      return;
    }
    const lane = this.#lanes.find(name);
    if (lane === undefined || lane === null) {
      this.#handOn(req, res, lane === null ? undefined : name, undefined);
      return;
    }
    const budget = lane.core.startBudget();
    const answered = this.#answer.give(lane, req, res, budget);
    if (answered === true) return;
    if (answered === false) this.#handOn(req, res, name, budget);
    else {
      void answered.then((isAnswered) => {
        // What the application throws is its own, and no rejection of this promise.
        if (!isAnswered) process.nextTick(() => this.#handOn(req, res, name, budget));
      });
    }
  }

  #handOn(
    req: IncomingMessage,
    res: ServerResponse,
    name: string | undefined,
    budget: CallBudget | undefined,
  ): void {
    if (name !== undefined) this.#lanes.expect(req, name, budget);
    shareShapes(req, res);
    this.#app(req, res);
  }
}
