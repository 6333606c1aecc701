import { validateHeaderName, validateHeaderValue, type IncomingMessage } from 'node:http';
import { InvalidOptionError } from '../errors.js';
import {
  describeValue,
  expectFunction,
  expectInteger,
  expectOptions,
  rejectUnknown,
} from '../options.js';
import { isRateLimiter } from './rate-limit.js';

/** How `accelerate` answers. */
export interface AccelerateOptions {
  /**
   * Counts an answer against a limit of another kind than `rateLimit`, whose limiters count by themselves: called once for each
   * request that is about to be answered in front of the application. Anything but `true`, an error, too, hands the request
   * on, so that the application's limiter refuses it.
   * @defaultValue none
   */
  readonly limit?: ((req: IncomingMessage) => boolean | Promise<boolean>) | undefined;
  /**
   * Which requests may be answered in front of the application, beside the mark of their route: such as those without
   * `Origin`, where the application adds fields for those with one. Synchronous; one that throws hands the request on.
   * @defaultValue all
   */
  readonly condition?: ((req: IncomingMessage) => boolean) | undefined;
  /**
   * Fields that every answer given here carries, in place of those that middleware of the application would have set, such as
   * `{ 'X-Content-Type-Options': 'nosniff' }`.
   * @defaultValue none
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * How many URLs are known at a time. One that has not been asked for since the last time that room was needed is forgotten;
   * its next request goes through the application. 1 or more.
   * @defaultValue 10000
   */
  readonly maxUrls?: number | undefined;
}

/** {@link AccelerateOptions}, checked, with every default in place. */
export interface ResolvedAccelerateOptions {
  readonly limit: AccelerateOptions['limit'];
  readonly condition: AccelerateOptions['condition'];
  /** Flat. */
  readonly fields: readonly string[];
  readonly maxUrls: number;
}

/** How many URLs are known when nothing says otherwise. */
export const DEFAULT_MAX_URLS = 10_000;

const OWNER = 'accelerate';

/**
 * Checks options and puts the defaults in.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 */
export function resolveAccelerateOptions(options: AccelerateOptions): ResolvedAccelerateOptions {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, [
    'limit',
    'condition',
    'headers',
    'maxUrls',
  ] satisfies (keyof AccelerateOptions)[]);
  const { limit, condition, headers = {}, maxUrls = DEFAULT_MAX_URLS } = options;
  if (limit !== undefined) expectFunction(`${OWNER}.limit`, limit);
  if (limit !== undefined && isRateLimiter(limit)) {
    throw new InvalidOptionError(
      `${OWNER}.limit`,
      "expected a function that asks some other limiter, got a 'rateLimit'; it counts hits in front by itself, where it stands before the route's cache",
    );
  }
  if (condition !== undefined) expectFunction(`${OWNER}.condition`, condition);
  return Object.freeze({
    limit,
    condition,
    fields: flatFields(headers),
    maxUrls: expectInteger(`${OWNER}.maxUrls`, maxUrls, 1, Infinity),
  });
}

function flatFields(headers: Readonly<Record<string, string>>): readonly string[] {
  const option = `${OWNER}.headers`;
  expectOptions(option, headers);
  const fields: string[] = [];
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw new InvalidOptionError(
        option,
        `expected names of fields with texts that a field can hold, got ${describeValue({ [name]: value })}`,
      );
    }
    if (typeof value !== 'string') {
      throw new InvalidOptionError(
        option,
        `expected a text for '${name}', got ${describeValue(value)}`,
      );
    }
    fields.push(name, value);
  }
  return fields;
}
