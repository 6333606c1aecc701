import type { IncomingMessage, ServerResponse } from 'node:http';
import { invalidates } from '../http/safe-methods.js';
import {
  resolveHttpInvalidationOptions,
  type HttpInvalidationOptions,
} from './http-invalidation-options.js';
import { InvalidationPlan } from './http-invalidation-plan.js';
import { InvalidatingResponse } from './http-invalidation-response.js';
import type { HttpMiddleware, HttpRequest, HttpResponse } from './http-middleware.js';

const plans = new WeakMap<HttpResponse, InvalidationPlan>();

/**
 * Makes void what a write has made untrue: cached responses of its path, of the parents' lists, of the resource that it
 * names in `Location` or `Content-Location`, and everything with the declared tags, results of decorated methods included.
 *
 * It acts on every method that is not safe, unknown ones too, when the answer is a 2xx or 3xx (RFC 9111 section 4.4), and
 * needs nothing from the handler. A write that answers 4xx or 5xx, or never begins to answer, invalidates nothing: a handler
 * that changes data and fails afterwards has to roll back, or to invalidate by itself (`cache.invalidateTags`).
 *
 * The response is held until the store has acknowledged the invalidation, so the writer's next read is fresh, on whichever
 * process. A response that goes out in parts is held twice: its head, and its end, for the data may change in between. A
 * hold costs at most the backend's `commandTimeout` and 100 ms for it to give up. An invalidation that the store cannot take
 * is kept, holds in this process at once, and is replayed (see `deferred` events); the write is answered all the same.
 *
 * A response that was loading when the write came is not stored: fills that began earlier are refused.
 *
 * Stands before the routes that write: `app.use(httpInvalidation())`, or on one of them, to add `tags` and `relates` or to
 * narrow the `scope`. HTTP/2 responses of Node's compatibility layer are not held.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { httpCache, httpInvalidation } from 'cachewell/express';
 *
 * const app = express();
 * app.use(httpInvalidation());
 * app.get('/items', httpCache({ ttl: '1m' }), (_req, res) => void res.json([]));
 * app.post('/items', httpInvalidation({ relates: ['/reports'] }), (_req, res) => void res.sendStatus(201));
 * ```
 */
export function httpInvalidation<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
>(options: HttpInvalidationOptions<Request, Response> = {}): HttpMiddleware {
  const resolved = resolveHttpInvalidationOptions(options);
  return (req, res, next) => {
    const method = req.method ?? '';
    // Whether the method could, if it succeeded.
    if (invalidates(method, 200)) {
      const known = plans.get(res);
      const plan = known ?? new InvalidationPlan(req, res);
      plan.add(resolved);
      if (known === undefined) {
        plans.set(res, plan);
        new InvalidatingResponse(method, res, plan).watch();
      }
    }
    next();
  };
}

/** How often the write that a response answers has invalidated until now; `NaN` when that failed. */
export function invalidationsOf(res: HttpResponse): number {
  return plans.get(res)?.invalidations ?? 0;
}

/** Keeps the writes of a route from invalidating anything, whatever `httpInvalidation` before it says. */
export function noInvalidation(): HttpMiddleware {
  return httpInvalidation({ condition: () => false });
}
