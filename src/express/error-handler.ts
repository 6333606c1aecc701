import { toMilliseconds, type Duration } from '../duration.js';
import { isCacheError, type CacheError } from '../errors.js';
import { expectBoolean, expectOptions, rejectUnknown } from '../options.js';
import { errorBody, errorStatus } from './error-body.js';
import type { HttpRequest, HttpResponse, NextFunction } from './http-middleware.js';
import { sendJson } from './json-answer.js';

/** Options of {@link cacheErrorHandler}. */
export interface CacheErrorHandlerOptions {
  /**
   * Whether the body holds the error's own message, which may name hosts, keys and options, instead of a general one.
   * For development.
   * @defaultValue false
   */
  readonly exposeDetails?: boolean | undefined;
  /**
   * What `Retry-After` says where the store does not answer (status 503). The errors of a limiter bring their own time.
   * Whole seconds, rounded up; 0 = no `Retry-After`.
   * @defaultValue '5s'
   */
  readonly retryAfter?: Duration | undefined;
}

/** A middleware for errors, as Express takes it: it is told apart by its four parameters. */
export type HttpErrorMiddleware = (
  error: unknown,
  req: HttpRequest,
  res: HttpResponse,
  next: NextFunction,
) => void;

/** What `Retry-After` says of a store that does not answer when nothing says otherwise. */
export const DEFAULT_RETRY_AFTER: Duration = '5s';

/**
 * Answers the errors of this library with JSON, `{"error":{"code","name","message"}}`, and the status that stands on
 * each of them (`httpStatus`): 400 for a key, 429 for a limit, 503 for a store out of reach or closed, 504 for a load
 * that took too long, else 500. Every other error goes to the next error handler untouched, and so does everything
 * once the head of the answer is sent.
 *
 * The answer is never stored, and what the route had set for its own body is taken off.
 *
 * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
 *
 * @example
 * ```ts
 * import express from 'express';
 * import { cacheErrorHandler } from 'cachewell/express';
 *
 * const app = express();
 * app.use(cacheErrorHandler()); // after all routes
 * ```
 */
export function cacheErrorHandler(options: CacheErrorHandlerOptions = {}): HttpErrorMiddleware {
  const owner = 'cacheErrorHandler';
  expectOptions(owner, options);
  rejectUnknown(owner, options, ['exposeDetails', 'retryAfter']);
  const exposesMessage = expectBoolean(`${owner}.exposeDetails`, options.exposeDetails ?? false);
  const retryAfterMs = toMilliseconds(
    options.retryAfter ?? DEFAULT_RETRY_AFTER,
    `${owner}.retryAfter`,
  );
  return (error, req, res, next) => {
    if (!isCacheError(error) || res.headersSent) {
      next(error);
      return;
    }
    const status = errorStatus(error);
    const seconds = retryAfterSeconds(error, status, retryAfterMs);
    // A limiter in front knows better.
    if (seconds > 0 && !res.hasHeader('Retry-After')) res.setHeader('Retry-After', seconds);
    sendJson(req.method, res, status, errorBody(error, exposesMessage));
  };
}

/** Seconds until another attempt is worth it (RFC 9110 section 10.2.3); 0 when nobody can tell. */
function retryAfterSeconds(error: CacheError, status: number, unreachableMs: number): number {
  const ownMs = (error as { readonly retryAfterMs?: unknown }).retryAfterMs;
  const ms = typeof ownMs === 'number' ? ownMs : status === 503 ? unreachableMs : 0;
  return Number.isFinite(ms) && ms > 0 ? Math.ceil(ms / 1000) : 0;
}
