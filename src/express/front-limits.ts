import type { IncomingMessage } from 'node:http';
import type { HttpRequest } from './http-middleware.js';

/** A field that a limiter has set on a response, or added a line to. */
export interface LimitField {
  readonly name: string;
  readonly value: string;
  /** Whether it stands beside lines of its name that were there. */
  readonly isAdded: boolean;
}

/** What a limiter has made of one request that it counted. */
export interface LimitCount {
  /** Whether the request is within the limit. */
  readonly isAllowed: boolean;
  readonly fields: readonly LimitField[];
}

/** A `rateLimit`, as the front sees it. */
export interface FrontLimiter {
  /** Whether whom it counts can be told in front of the application. */
  readonly isFront: boolean;
  /**
   * Counts a request as the middleware would, once. Never rejects. `undefined`: nothing was counted, and the application is to
   * ask the limiter by itself.
   *
   * @param place - where the middleware stands
   */
  count(req: IncomingMessage, place: LimiterPlace): Promise<LimitCount | undefined>;
}

/** What Express had made of a request when it came to a limiter. The same for all requests of one URL. */
export interface LimiterPlace {
  readonly limiter: FrontLimiter;
  /** What requests of the application inherit from; `undefined` where there is no Express. */
  readonly prototype: object | undefined;
  readonly url: string | undefined;
  readonly baseUrl: string | undefined;
  readonly params: unknown;
}

/** What is known of the limits of a request that a front hands on. */
interface Visit {
  /** The limiters that it has passed, in order. */
  readonly passed: LimiterPlace[];
  /** Those that have counted it in front, with what they made of it. */
  readonly counted: { readonly limiter: FrontLimiter; readonly count: LimitCount }[];
}

/** Nothing is set on a request that the application gets, so what the front knows of it stands here. */
const visits = new WeakMap<IncomingMessage, Visit>();

/** From now on the limiters that a request passes are noted. */
export function noteLimits(req: IncomingMessage): void {
  visitOf(req);
}

/** Takes note that a request has come to a limiter, if a front wants to know. */
export function passLimiter(req: HttpRequest, limiter: FrontLimiter): void {
  const passed = visits.get(req)?.passed;
  if (passed === undefined) return;
  const { app, url, baseUrl, params } = req as HttpRequest & {
    readonly app?: { readonly request?: object };
    readonly params?: unknown;
  };
  passed.push({ limiter, prototype: app?.request, url, baseUrl, params });
}

/** The limiters that a request has passed until now. `undefined`: one of them can be asked by the application alone. */
export function passedLimiters(req: IncomingMessage): readonly LimiterPlace[] | undefined {
  const passed = visits.get(req)?.passed ?? [];
  const isFront = passed.every(
    ({ limiter, prototype }) => limiter.isFront && prototype !== undefined,
  );
  return isFront ? [...passed] : undefined;
}

/** Whether two requests have passed the same limiters in the same places. */
export function isSameLimits(a: readonly LimiterPlace[], b: readonly LimiterPlace[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ limiter, prototype, url, baseUrl }, index) => {
      const other = b[index]!;
      return (
        limiter === other.limiter &&
        prototype === other.prototype &&
        url === other.url &&
        baseUrl === other.baseUrl
      );
    })
  );
}

/**
 * Has limiters count a request, in the order in which the application would.
 *
 * @returns the fields of its answer, flat; `undefined` when it has to go on to the application, where no limiter counts it
 *   again
 */
export async function countInFront(
  req: IncomingMessage,
  places: readonly LimiterPlace[],
): Promise<readonly string[] | undefined> {
  const { counted } = visitOf(req);
  for (const place of places) {
    const { limiter } = place;
    const count = await limiter.count(req, place);
    if (count === undefined) return undefined;
    counted.push({ limiter, count });
    if (!count.isAllowed) return undefined;
  }
  return flatFields(counted.flatMap(({ count }) => count.fields));
}

/** What a limiter has made of a request in front; it is given once. `undefined` where it has yet to count it. */
export function takeCount(req: IncomingMessage, limiter: FrontLimiter): LimitCount | undefined {
  const counted = visits.get(req)?.counted;
  if (counted === undefined || counted.length === 0) return undefined;
  const index = counted.findIndex((each) => each.limiter === limiter);
  return index === -1 ? undefined : counted.splice(index, 1)[0]!.count;
}

function visitOf(req: IncomingMessage): Visit {
  let visit = visits.get(req);
  if (visit === undefined) {
    visit = { passed: [], counted: [] };
    visits.set(req, visit);
  }
  return visit;
}

function flatFields(fields: readonly LimitField[]): readonly string[] {
  const kept: LimitField[] = [];
  for (const field of fields) {
    if (!field.isAdded) {
      const lower = field.name.toLowerCase();
      const before = kept.filter(({ name }) => name.toLowerCase() !== lower);
      kept.splice(0, kept.length, ...before);
    }
    kept.push(field);
  }
  return kept.flatMap(({ name, value }) => [name, value]);
}
