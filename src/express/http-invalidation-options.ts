import type { IncomingMessage, ServerResponse } from 'node:http';
import { normalizeTags } from '../cache/cache-settings.js';
import { InvalidOptionError } from '../errors.js';
import { INVALIDATION_SCOPES, type InvalidationScope } from '../http/path-tags.js';
import type { CacheManager } from '../manager/cache-manager.js';
import {
  describeValue,
  expectFunction,
  expectOneOf,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../options.js';
import type { HttpRequest, HttpResponse } from './http-middleware.js';
import { expectManagerOption, type ManagerOption } from './manager-option.js';

/** A list, or a function that gives one once the head of the response is known. */
export type ListOf<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
> = readonly string[] | ((req: Request, res: Response) => readonly string[]);

/**
 * What a successful write invalidates, and when.
 *
 * Where several `httpInvalidation` see one request, such as one for the application and one on the route, they act as one:
 * `tags` and `relates` add up, of the others the later one that says something wins.
 *
 * Callbacks are synchronous, and run when the head of the response is known. The data may have been changed by then, so one
 * that throws does not keep the rest from being invalidated; its error is reported as an `error` event.
 */
export interface HttpInvalidationOptions<
  Request extends IncomingMessage = HttpRequest,
  Response extends ServerResponse = HttpResponse,
> {
  /**
   * The manager, or a function that gives it at each request.
   * @defaultValue the container's, as decorators find it
   */
  readonly manager?: CacheManager | (() => CacheManager) | undefined;
  /**
   * How far a write reaches from its path; see {@link InvalidationScope}.
   * @defaultValue 'ancestors'
   */
  readonly scope?: InvalidationScope | undefined;
  /**
   * The path above the collections, such as `/api/v1`: nothing at or above it counts as a parent.
   * @defaultValue '/'
   */
  readonly basePath?: string | undefined;
  /** Tags that a write invalidates beside its path, those of decorated methods included. */
  readonly tags?: ListOf<Request, Response> | undefined;
  /** Paths that are invalidated like the one written to, such as `/reports`. */
  readonly relates?: ListOf<Request, Response> | undefined;
  /**
   * Whether the response waits for the invalidation (`'before'`: the client's next read is fresh), or the invalidation
   * begins when the response has ended (`'after'`: a read that the client sends at once may be stale).
   * @defaultValue 'before'
   */
  readonly invalidateTiming?: 'before' | 'after' | undefined;
  /** Whether a write invalidates at all, its path included. One that throws counts as `true`. */
  readonly condition?: ((req: Request, res: Response) => boolean) | undefined;
  /**
   * The public origin, such as `https://api.example.com`. `Location` and `Content-Location` that name it count as our own,
   * beside those of the request's own host.
   */
  readonly origin?: string | undefined;
}

/** The value of `scope` when nothing says otherwise. */
export const DEFAULT_INVALIDATION_SCOPE: InvalidationScope = 'ancestors';
/** The value of `invalidateTiming` when nothing says otherwise. */
export const DEFAULT_INVALIDATE_TIMING = 'before';

/** {@link HttpInvalidationOptions}, checked. What is not said stays open, for others may say it. */
export interface ResolvedHttpInvalidationOptions {
  readonly manager: ManagerOption;
  readonly scope: InvalidationScope | undefined;
  readonly basePath: string | undefined;
  readonly tags: ListOf;
  readonly relates: ListOf;
  readonly invalidateTiming: 'before' | 'after' | undefined;
  readonly condition: ((req: HttpRequest, res: HttpResponse) => boolean) | undefined;
  /** Host and port. */
  readonly originHost: string | undefined;
}

const OWNER = 'httpInvalidation';
const KNOWN: readonly (keyof HttpInvalidationOptions)[] = [
  'manager',
  'scope',
  'basePath',
  'tags',
  'relates',
  'invalidateTiming',
  'condition',
  'origin',
];

/** @throws {@link InvalidOptionError} naming the option, the value and what was expected */
export function resolveHttpInvalidationOptions(
  options: HttpInvalidationOptions<never, never>,
): ResolvedHttpInvalidationOptions {
  expectOptions(OWNER, options);
  rejectUnknown(OWNER, options, KNOWN);
  const { manager, scope, basePath, tags, relates, invalidateTiming, condition, origin } =
    options as HttpInvalidationOptions;
  if (scope !== undefined) expectOneOf(`${OWNER}.scope`, scope, INVALIDATION_SCOPES);
  if (basePath !== undefined) expectPath(`${OWNER}.basePath`, basePath);
  if (invalidateTiming !== undefined) {
    expectOneOf(`${OWNER}.invalidateTiming`, invalidateTiming, ['before', 'after']);
  }
  if (condition !== undefined) expectFunction(`${OWNER}.condition`, condition);
  return Object.freeze({
    manager: expectManagerOption(OWNER, manager),
    scope,
    basePath,
    tags: typeof tags === 'function' ? tags : normalizeTags(tags ?? [], `${OWNER}.tags`),
    relates: typeof relates === 'function' ? relates : expectPaths(relates ?? []),
    invalidateTiming,
    condition,
    originHost: origin === undefined ? undefined : hostOf(origin),
  });
}

/** @throws {@link InvalidOptionError} when one is no path */
export function expectPaths(paths: unknown): readonly string[] {
  if (!Array.isArray(paths)) {
    throw new InvalidOptionError(
      `${OWNER}.relates`,
      `expected a list of paths, got ${describeValue(paths)}`,
    );
  }
  return paths.map((path, index) => expectPath(`${OWNER}.relates[${index}]`, path));
}

function expectPath(option: string, path: unknown): string {
  if (expectText(option, path).startsWith('/')) return path as string;
  throw new InvalidOptionError(
    option,
    `expected a path that begins with a slash, got ${describeValue(path)}`,
  );
}

function hostOf(origin: unknown): string {
  const url = URL.canParse(origin as string) ? new URL(origin as string) : undefined;
  const isOrigin = url !== undefined && /^https?:$/.test(url.protocol) && url.origin === origin;
  if (isOrigin) return url.host;
  throw new InvalidOptionError(
    `${OWNER}.origin`,
    `expected scheme and host, such as 'https://api.example.com', got ${describeValue(origin)}`,
  );
}
