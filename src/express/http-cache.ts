import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ReadHints } from '../cache/backend.js';
import type { CacheCore } from '../cache/cache-core.js';
import { readHints } from '../cache/set-policy.js';
import { locateManager, managerEpoch } from '../manager/manager-locator.js';
import type { CacheManager } from '../manager/cache-manager.js';
import { outcomeFields } from './cache-outcome.js';
import { budgetOf, frontLesson, type FrontRoute } from './front-lanes.js';
import { hideResponseFields } from './hide-response-fields.js';
import type { HttpCacheOptions } from './http-cache-options.js';
import { HttpExchange } from './http-exchange.js';
import type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
import { notePassage, passageOf } from './passage.js';
import { PostExchange } from './post-exchange.js';
import { setFields } from './response-head.js';
import { RequestKeys } from './request-key.js';
import { openRequest, type RefusedRequest, type RequestTicket } from './request-ticket.js';
import {
  resolveHttpCacheOptions,
  type ResolvedHttpCacheOptions,
} from './resolve-http-cache-options.js';
import { requestTags } from './response-policy.js';
import { recordBytes } from './stored-record.js';
import { shareShapes } from './shared-shape.js';
import { UncacheableKeys } from './uncacheable-keys.js';

/**
 * Caches the responses of a route, or of a whole application, as a shared HTTP cache does (RFC 9111).
 *
 * On a route, its `ttl` is the origin's word for responses that say nothing about their lifetime. For a whole
 * application (`app.use`) without a `ttl`, only responses that say so themselves are stored; a route can be marked by an
 * `httpCache` of its own, which then takes over. Each of the two answers from what it has stored itself, so whatever stands
 * between them, such as a guard, runs for every request.
 *
 * Only GET is stored, and in the profile `rfc9111` a POST whose answer names its URL; HEAD, conditional and range requests are
 * answered from what is stored. Requests of one key that come together run the handler once: the first one's response is
 * streamed to its client as it is written, the others wait for the record, or, when there is none to share, run their own
 * handlers. What is invalidated while a handler runs, by a tag, its path or its key, is not stored.
 *
 * Never stored: what says `private` or `no-store` in whatever spelling, event streams, responses cut short, larger than
 * `maxResponseSize`, or sent to a client who has gone. A failing or hanging store costs a request at most the backend's
 * `commandTimeout` and never its response.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { httpCache } from 'cachewell/express';
 *
 * const app = express();
 * app.get('/items', httpCache({ ttl: '1m', tags: ['items'] }), (_req, res) => {
 *   res.json([{ id: 1 }]);
 * });
 * ```
 */
export function httpCache<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
>(options: HttpCacheOptions<Request, Response> = {}): HttpMiddleware<Request, Response> {
  const cache = new ResponseCache(options as unknown as HttpCacheOptions);
  return (req, res, next) => cache.handle(req as HttpRequest, res as HttpResponse, next);
}

/** What stands behind one `httpCache`. */
class ResponseCache implements FrontRoute {
  readonly options: ResolvedHttpCacheOptions;
  /** By the number of caches that stand before this one. */
  readonly #keys: RequestKeys[] = [];
  readonly #onMissing = (name: string): void => this.#warn(name);
  readonly #uncacheable = new WeakMap<CacheCore, UncacheableKeys>();
  readonly #warned = new Set<string>();
  #manager: CacheManager | undefined;
  #core: CacheCore | undefined;
  #epoch = -1;

  constructor(options: HttpCacheOptions) {
    this.options = resolveHttpCacheOptions(options);
  }

  handle(req: HttpRequest, res: HttpResponse, next: NextFunction): void {
    const passage = passageOf(res);
    if (passage === undefined) shareShapes(req, res);
    const { hideFields } = this.options;
    // Whoever invalidates stands before this, and finds in the answers to writes what they name.
    if (hideFields.length > 0 && (req.method === 'GET' || req.method === 'HEAD')) {
      hideResponseFields(res, hideFields);
    }
    const before = passage?.caches ?? 0;
    const keys = (this.#keys[before] ??= new RequestKeys(this.options, before));
    const handOn: NextFunction = (error) => {
      notePassage(res).caches = before + 1;
      next(error);
    };
    if (passage?.exchange === undefined) this.#handle(req, res, handOn, keys);
    else {
      passage.exchange
        .handOver()
        .then(() => this.#handle(req, res, handOn, keys))
        .catch(handOn);
    }
  }

  #handle(req: HttpRequest, res: HttpResponse, next: NextFunction, keys: RequestKeys): void {
    let core: CacheCore;
    let opened: RequestTicket | RefusedRequest;
    try {
      core = this.locate();
    } catch (error) {
      next(error);
      return;
    }
    try {
      opened = openRequest(req, res, core, this.options, keys, this.#onMissing);
    } catch (error) {
      core.failCallback('http', error, 'bypass');
      opened = { fwd: 'bypass', reason: 'callback' };
    }
    if ('reason' in opened) {
      if (!res.headersSent)
        setFields(res, outcomeFields(this.options, { word: 'SKIP', ...opened }));
      next();
      return;
    }
    const uncacheable = this.#uncacheableOf(core);
    const { options } = this;
    const hints = (): ReadHints | undefined =>
      core.runtime.storesBytes
        ? readHints(core, requestTags(req, res, core, options), core.settings)
        : undefined;
    const onKept = options.isFront ? frontLesson(req, this, core, opened, hints) : undefined;
    const input = { req, res, next, core, options, ticket: opened, uncacheable, onKept };
    if (opened.plan.method === 'POST') {
      new PostExchange(input).start();
      return;
    }
    const budget = (options.isFront ? budgetOf(req) : undefined) ?? core.startBudget();
    new HttpExchange(input, budget).start();
  }

  /** The cache of a request. A manager that was closed is looked for anew where it was found by default. */
  locate(): CacheCore {
    const { manager: given, cache } = this.options;
    const epoch = managerEpoch();
    const isKept = this.#epoch === epoch && this.#manager?.isClosed === false;
    if (this.#core !== undefined && isKept && typeof given !== 'function') return this.#core;
    const manager = locateManager(undefined, given);
    if (manager !== this.#manager || this.#core === undefined) {
      this.#core = manager.core(cache);
      this.#core.bytesOf = recordBytes;
    }
    this.#manager = manager;
    this.#epoch = epoch;
    return this.#core;
  }

  #uncacheableOf(core: CacheCore): UncacheableKeys {
    let keys = this.#uncacheable.get(core);
    if (keys === undefined) {
      keys = new UncacheableKeys(core.runtime.clock);
      this.#uncacheable.set(core, keys);
    }
    return keys;
  }

  /** Once for each attribute: it is missing in the set-up, or for everybody who is not signed in. */
  #warn(attribute: string): void {
    if (this.#warned.has(attribute)) return;
    this.#warned.add(attribute);
    this.#core?.runtime.logger?.warn(
      `httpCache: a request has no '${attribute}' in res.locals, req or req.user; it is not cached, nor are others without it.`,
      { cache: this.options.cache },
    );
  }
}
