import type { IncomingMessage, ServerResponse } from 'node:http';
import { toMilliseconds, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';
import type { CacheManager } from '../manager/cache-manager.js';
import {
  describeValue,
  expectBoolean,
  expectFunction,
  expectOneOf,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../options.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';
import { expectManagerOption, type ManagerOption } from './manager-option.js';

/** The length of one unit, in milliseconds. */
const PERIOD_MS = {
  s: 1000,
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
} as const;

/** How long a window of a limit is: a unit, or a duration such as `15m`. */
export type RatePeriod = keyof typeof PERIOD_MS | Exclude<Duration, number>;

/** So many requests in each window of a client, such as `100/minute` or `20/15m`. The window begins with its first request. */
export type Rate = `${number}/${RatePeriod}`;

/** How `rateLimit` counts, and what it does beyond the limit. */
export interface RateLimitOptions<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
> {
  /**
   * The manager whose backend keeps the counters, or a function that gives it at each request.
   * @defaultValue the container's, as decorators find it
   */
  readonly manager?: CacheManager | (() => CacheManager) | undefined;
  /**
   * Whose counters these are: part of their keys, and the name of the quota in `RateLimit`. Limiters of one manager with one name
   * and one rate count together; those with one name and different rates are an error. Letters, digits, `-`, `_`, `.` and `/`.
   * @defaultValue the rate, such as `100/minute`
   */
  readonly name?: string | undefined;
  /**
   * Who is counted: one counter per text. Keys hold a digest of it. `undefined` = the client's address.
   * @defaultValue the client's address as Express sees it (`trust proxy`), of IPv6 the /56 network
   */
  readonly key?: ((req: Request, res: Response) => string | undefined) | undefined;
  /** Requests that do not count and are never refused. */
  readonly skip?: ((req: Request, res: Response) => boolean) | undefined;
  /**
   * What happens while the counters are out of reach: `'pass'` = requests are answered uncounted, with an `error` event;
   * `'reject'` = they fail with the {@link CacheBackendError}, status 503.
   * @defaultValue 'pass'
   */
  readonly onStoreError?: 'pass' | 'reject' | undefined;
  /**
   * What happens beyond the limit: `'next'` = a {@link RateLimitError} goes to the error handlers (`cacheErrorHandler`, or
   * Express' own, which answers 429 as well); `'answer'` = 429 at once, with the error as JSON.
   * @defaultValue 'next'
   */
  readonly onLimit?: 'next' | 'answer' | undefined;
  /**
   * Which version of the draft of the `RateLimit` fields is sent; `false` = none.
   * @defaultValue 'draft-8'
   */
  readonly headers?: 'draft-6' | 'draft-7' | 'draft-8' | false | undefined;
  /**
   * Whether hits of routes behind this limiter may be counted, and answered, in front of the application (`accelerate`). `true` is
   * the author's word that `key` and `skip` need nothing but what the client has sent: the request that they get there has the
   * methods and properties of Express' own, such as `get()`, `ip`, `params` and `query`, but nothing that middleware sets, such
   * as `user`, and they must leave the response alone. With `false` such hits go through the application.
   * @defaultValue true without `key` and `skip`, else false
   */
  readonly front?: boolean | undefined;
}

/** The value of `onStoreError` when nothing says otherwise. */
export const DEFAULT_ON_STORE_ERROR = 'pass';
/** The value of `onLimit` when nothing says otherwise. */
export const DEFAULT_ON_LIMIT = 'next';
/** The value of `headers` when nothing says otherwise. */
export const DEFAULT_RATE_LIMIT_HEADERS = 'draft-8';

/** {@link RateLimitOptions}, checked, with every default in place. */
export interface ResolvedRateLimitOptions {
  readonly limit: number;
  readonly windowMs: number;
  readonly manager: ManagerOption;
  readonly name: string;
  readonly key: ((req: HttpRequest, res: HttpResponse) => string | undefined) | undefined;
  readonly skip: ((req: HttpRequest, res: HttpResponse) => boolean) | undefined;
  readonly onStoreError: 'pass' | 'reject';
  readonly onLimit: 'next' | 'answer';
  readonly headers: 'draft-6' | 'draft-7' | 'draft-8' | false;
  readonly isFront: boolean;
}

const OWNER = 'rateLimit';
const KNOWN: readonly (keyof RateLimitOptions)[] = [
  'manager',
  'name',
  'key',
  'skip',
  'onStoreError',
  'onLimit',
  'headers',
  'front',
];
/** Timers, and Redis' expiries with them, go no further. */
const LONGEST_WINDOW_MS = 2 ** 31 - 1;

/** @throws {@link InvalidOptionError} naming the option, the value and what was expected */
export function resolveRateLimitOptions(
  rate: Rate,
  options: RateLimitOptions<never, never>,
): ResolvedRateLimitOptions {
  const { limit, windowMs } = parseRate(rate);
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, KNOWN);
  const given = options as RateLimitOptions;
  const { key, skip } = given;
  if (key !== undefined) expectFunction(`${OWNER}.key`, key);
  if (skip !== undefined) expectFunction(`${OWNER}.skip`, skip);
  return Object.freeze({
    limit,
    windowMs,
    manager: expectManagerOption(OWNER, given.manager),
    name: expectName(given.name ?? rate),
    key,
    skip,
    onStoreError: expectOneOf(
      `${OWNER}.onStoreError`,
      given.onStoreError ?? DEFAULT_ON_STORE_ERROR,
      ['pass', 'reject'],
    ),
    onLimit: expectOneOf(`${OWNER}.onLimit`, given.onLimit ?? DEFAULT_ON_LIMIT, ['next', 'answer']),
    headers: expectOneOf(`${OWNER}.headers`, given.headers ?? DEFAULT_RATE_LIMIT_HEADERS, [
      'draft-6',
      'draft-7',
      'draft-8',
      false,
    ]),
    isFront: expectBoolean(
      `${OWNER}.front`,
      given.front ?? (key === undefined && skip === undefined),
    ),
  });
}

/**
 * What a rate means.
 *
 * @throws {@link InvalidOptionError} when it is none, allows nothing, or its window is below 1 s or above 24.8 days
 */
export function parseRate(rate: unknown): { readonly limit: number; readonly windowMs: number } {
  const match = typeof rate === 'string' ? /^(\d{1,9})\/(\w+|[\d.]+\w+)$/.exec(rate) : null;
  const windowMs = match === null ? Number.NaN : periodMs(match[2]!);
  const limit = match === null ? 0 : Number(match[1]);
  if (limit > 0 && windowMs >= 1000 && windowMs <= LONGEST_WINDOW_MS) return { limit, windowMs };
  throw new InvalidOptionError(
    OWNER,
    `expected requests per period, such as '100/minute', '5/s' or '20/15m', from 1 to 999999999 of them, of 1 s to 24 days, got ${describeValue(rate)}`,
  );
}

function periodMs(period: string): number {
  if (Object.hasOwn(PERIOD_MS, period)) return PERIOD_MS[period as keyof typeof PERIOD_MS];
  return /^[\d.]+(?:ms|s|m|h|d)$/.test(period)
    ? toMilliseconds(period as Duration, OWNER)
    : Number.NaN;
}

/** It stands in a header as it is. */
function expectName(name: unknown): string {
  if (/^[-\w./]{1,64}$/.test(expectText(`${OWNER}.name`, name))) return name as string;
  throw new InvalidOptionError(
    `${OWNER}.name`,
    `expected up to 64 letters, digits, '-', '_', '.' and '/', got ${describeValue(name)}`,
  );
}
