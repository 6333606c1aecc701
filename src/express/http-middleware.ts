import type { IncomingMessage, ServerResponse } from 'node:http';

/** Hands the request to the next handler; with an argument other than `'route'` and `'router'`, to the error handlers. */
export type NextFunction = (error?: unknown) => void;

/**
 * What the bridge uses of a request beside Node's own: Express' fields, where they are there. Requests of Express 4 and 5
 * fit as they are.
 */
export interface HttpRequest extends IncomingMessage {
  /** The target as it came. */
  readonly originalUrl?: string;
  /** The path that the router was mounted at. */
  readonly baseUrl?: string;
  /** `http` or `https`, as the application's proxy settings say. */
  readonly protocol?: string;
  /** The host as the application's proxy settings say. */
  readonly host?: string;
  /** There inside a route, absent in what `app.use` runs. */
  readonly route?: unknown;
}

/** What the bridge uses of a response beside Node's own. */
export interface HttpResponse extends ServerResponse {
  readonly locals?: Record<string, unknown>;
}

/** A middleware, as Express, Connect and kin take it. */
export type HttpMiddleware<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
> = (req: Request, res: Response, next: NextFunction) => void;
