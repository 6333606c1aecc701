import type {
  HttpMiddleware,
  HttpRequest,
  HttpResponse,
  NextFunction,
} from '../http-middleware.js';

/**
 * A handler that lets a request pass by `next()`, or answers it itself. Any Express handler fits: written as a method,
 * because its parameters may be narrower than the admin's.
 */
export type AdminAuthHandler = {
  handle(req: HttpRequest, res: HttpResponse, next: NextFunction): unknown;
}['handle'];

/** The admin API as a middleware. */
export interface CacheAdminHandler extends HttpMiddleware {
  /**
   * Ends the live streams of dashboards, so that `server.close()` need not wait for them. It happens by itself within a
   * second after the manager was closed. Dashboards that come back are served again.
   */
  close(): void;
}

/**
 * Runs handlers one after another, and `pass` once each of them has called `next()`. One that answers, throws, rejects,
 * or calls `next` with anything ends the row; what it gave goes to `next`.
 */
export function runHandlers(
  handlers: readonly AdminAuthHandler[],
  req: HttpRequest,
  res: HttpResponse,
  next: NextFunction,
  pass: () => void,
): void {
  const run = (index: number): void => {
    const handler = handlers[index];
    if (handler === undefined) {
      pass();
      return;
    }
    // A handler that says two things is believed the first.
    let isSettled = false;
    const settle = (error?: unknown): void => {
      if (isSettled) return;
      isSettled = true;
      // `'route'` and `'router'` mean "not here" to Express; whatever it is, it is no permission.
      if (error !== undefined && error !== null) next(error);
      else if (!res.writableEnded) run(index + 1);
    };
    const fail = (error: unknown): void => settle(error ?? 'router');
    try {
      const result = handler(req, res, settle);
      if (isThenable(result)) result.then(undefined, fail);
    } catch (error) {
      fail(error);
    }
  };
  run(0);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { readonly then?: unknown }).then === 'function'
  );
}
