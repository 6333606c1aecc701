import type { MaybePromise } from '../cache/maybe-promise.js';
import type { RequestPlan } from '../http/cache-decision.js';
import type { ForwardReason } from '../http/cache-status.js';
import type { HttpCachePolicy } from '../http/http-cache-policy.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';
import type { ResolvedHttpCacheOptions } from './resolve-http-cache-options.js';
import type { HttpRecord } from './stored-record.js';

/** What a run of a route has to know. */
export interface RouteRunInput {
  readonly req: HttpRequest;
  readonly res: HttpResponse;
  readonly options: ResolvedHttpCacheOptions;
  readonly policy: HttpCachePolicy;
  readonly plan: RequestPlan;
  readonly fwd: ForwardReason;
  /** Whether there is a client to answer. */
  readonly isForeground: boolean;
  /** The response that the handler is to validate, as of the token that the result is stored with. */
  readonly present: HttpRecord | undefined;
  readonly conditions: Readonly<Record<string, string>>;
  /** The id that a variant has to carry; `undefined` = it is the first of its URL. */
  readonly variants: string | undefined;
  /** Whether what it makes may be sent in front of the application. */
  readonly isFront: boolean;
  readonly now: () => number;
  /** The older response that may be served in place of a 5xx, if it still may. */
  readonly fallback: (() => MaybePromise<HttpRecord | undefined>) | undefined;
  readonly onFault: (error: unknown) => void;
}
