import type { IncomingMessage } from 'node:http';
import type { FrontLimiter, LimitCount, LimiterPlace, LimitField } from './front-limits.js';
import type { HttpMiddleware, HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
import type { RateLimitCount } from './rate-limit-peers.js';

/** A count, and what it takes to have the middleware act on it. */
interface RepeatableCount extends LimitCount {
  /** What the middleware tells handlers. */
  readonly info: RateLimitCount | undefined;
  /** Why it could not be counted, where that refuses the request. */
  readonly failure: unknown;
}

/** What a limiter does with a request once it is counted. */
export interface LimitAnswers {
  /** The middleware of express-rate-limit. */
  readonly middleware: HttpMiddleware;
  /** Whether the counters have failed with an error. */
  readonly isStoreFailure: (error: unknown) => boolean;
  /** Refuses a request that is beyond the limit. */
  readonly refuse: (req: HttpRequest, res: HttpResponse, next: NextFunction) => void;
}

/**
 * Counts requests in front of an application by the very middleware that counts those within: it gets a request that looks
 * as the client's would in its place, and a response that keeps what is set on it. So the key, the counter and the fields are the
 * same, and one that is refused in front is refused by the application without being counted again.
 */
export class LimiterInFront implements FrontLimiter {
  readonly isFront: boolean;
  readonly #answers: LimitAnswers;

  constructor(isFront: boolean, answers: LimitAnswers) {
    this.isFront = isFront;
    this.#answers = answers;
  }

  count(req: IncomingMessage, place: LimiterPlace): Promise<RepeatableCount | undefined> {
    return new Promise((resolve) => {
      const seen = requestIn(place, req);
      const end = (isAllowed: boolean, failure?: unknown): void => {
        const { rateLimit: info } = seen as { readonly rateLimit?: RateLimitCount };
        resolve({ isAllowed, fields: res.fields, info, failure });
      };
      const res = new CountingResponse(() => end(false));
      const { middleware, isStoreFailure } = this.#answers;
      middleware(seen, res as unknown as HttpResponse, (error) => {
        if (error === undefined) end(true);
        else if (isStoreFailure(error)) end(false, error);
        // The user's functions have failed before anything was counted.
        else resolve(undefined);
      });
    });
  }

  /** Does with a request what the middleware would have done, had it counted it itself. */
  answer(count: LimitCount, req: HttpRequest, res: HttpResponse, next: NextFunction): void {
    const { isAllowed, fields, info, failure } = count as RepeatableCount;
    for (const { name, value, isAdded } of fields) {
      if (isAdded) res.appendHeader(name, value);
      else res.setHeader(name, value);
    }
    if (info !== undefined) Object.assign(req, { rateLimit: info });
    if (isAllowed) next();
    else if (failure !== undefined) next(failure);
    else this.#answers.refuse(req, res, next);
  }
}

/** Stands for the response of a request that is counted in front. */
export class CountingResponse {
  readonly headersSent = false;
  readonly fields: LimitField[] = [];
  /** What the middleware calls beyond the limit. */
  readonly refuse: () => void;

  constructor(refuse: () => void) {
    this.refuse = refuse;
  }

  setHeader(name: string, value: unknown): this {
    this.fields.push({ name, value: String(value), isAdded: false });
    return this;
  }

  append(name: string, value: unknown): this {
    this.fields.push({ name, value: String(value), isAdded: true });
    return this;
  }
}

/** A request as Express would show it to the limiter in its place: what the client sent, and Express' own properties. */
function requestIn(
  { prototype, url, baseUrl, params }: LimiterPlace,
  { headers, rawHeaders, socket, method, url: target, httpVersion }: IncomingMessage,
): HttpRequest {
  const seen = Object.create(prototype!) as object;
  return Object.assign(seen, {
    headers,
    rawHeaders,
    socket,
    method,
    httpVersion,
    originalUrl: target,
    url,
    baseUrl,
    params,
  }) as unknown as HttpRequest;
}
