import { isCacheError } from '../../errors.js';
import { locateManager } from '../../manager/manager-locator.js';
import { errorBody, errorStatus } from '../error-body.js';
import type { HttpMiddleware, HttpRequest, HttpResponse } from '../http-middleware.js';
import { sendJson } from '../json-answer.js';
import { AdminQuery, badRequest, refusal, type AdminAnswer } from './admin-answer.js';
import { runHandlers, type CacheAdminHandler } from './admin-handler.js';
import { resolveAdminOptions, type CacheAdminOptions } from './admin-options.js';
import {
  actionOf,
  AdminRoutes,
  allowedMethods,
  noSuchRoute,
  type AdminRoute,
} from './admin-routes.js';
import { below, readTarget } from './admin-target.js';
import { isSafeMethod, markChanging } from './changing-requests.js';
import { LiveFeed } from './dashboard/live-feed.js';
import { isCrossSite, isLocalName } from './same-origin.js';

/** When the old paths were deprecated: the first day of 2026 (RFC 9745 section 2.1). */
const DEPRECATED_SINCE = '@1767225600';

/** A route that a request has found. */
interface Found {
  readonly route: AdminRoute;
  readonly key: string;
  /** The path that took this one's place. */
  readonly successor?: string;
}

/**
 * Makes the admin API of a manager's caches: keys, entries, clearing, statistics, health, and a live dashboard.
 *
 * | route | what it does |
 * |---|---|
 * | `GET /keys?cursor&count&pattern&cache` | a page of keys with what is left of their ttl, in seconds |
 * | `GET`, `DELETE /keys/{key}?cache` | looks at an entry, deletes it; the key text percent-encoded |
 * | `POST`, `DELETE /clear?pattern&cache&tag` | clears keys by pattern, a cache, entries by tag, or everything |
 * | `GET /stats`, `/metrics` · `POST /stats/reset` | the counters of this process |
 * | `GET /health`, `/ping`, `/info`, `/caches` | how the store is, facts about it, the caches of this process |
 * | `GET /dashboard`, `/events` | a page to watch all that, and its stream |
 *
 * Nothing is answered that `auth` has not let through, but for the dashboard's empty page where a token is asked for on
 * it. `GET` changes nothing. What changes something is refused to browsers on behalf of other sites, takes no body, and
 * no parameter that it does not know, so that a misspelt `pattern` does not clear everything. Answers are never stored.
 * Failures are `{"error":{"code","name","message"}}` and name no host, password or value; a store that does not answer
 * is 503, whatever `onError` says.
 *
 * The admin asks about caches that this process has made, and never makes one.
 *
 * @throws {@link CacheConfigurationError} without `auth`, and for `allowUnauthenticated` in production
 * @throws {@link InvalidOptionError} when an option is unknown or has no valid value
 *
 * @example
 * ```ts
 * import { CacheManager } from 'cachewell';
 * import { bearerAuth, cacheAdmin } from 'cachewell/express';
 * import express from 'express';
 *
 * const app = express();
 * const auth = bearerAuth(process.env['CACHE_ADMIN_TOKEN'] ?? 'only-for-development');
 * app.use('/api/cache', cacheAdmin({ auth, manager: new CacheManager() }));
 * ```
 */
export function cacheAdmin(options: CacheAdminOptions = {}): CacheAdminHandler {
  const resolved = resolveAdminOptions(options);
  const feed = new LiveFeed(resolved);
  const routes = new AdminRoutes(resolved, feed);

  const handler: HttpMiddleware = (req, res, next) => {
    const target = readTarget(req);
    const path = target === undefined ? undefined : below(resolved.basePath, target.path);
    const legacy =
      target !== undefined && resolved.hasLegacyRoutes ? routes.findLegacy(target.path) : undefined;
    const isElsewhere = path === undefined && legacy === undefined;
    if (target === undefined || (isElsewhere && resolved.basePath !== '')) {
      next();
      return;
    }
    protect(res);
    const found: Found | undefined =
      legacy !== undefined
        ? { route: legacy.route, key: '', successor: resolved.basePath + legacy.successor }
        : routes.find(path!);
    const action = found === undefined ? undefined : actionOf(found.route, req.method);
    if (action?.isChange === true) markChanging(req);

    const answer = async (): Promise<void> => {
      const refused = refuseUnfit(req, resolved.isOpen);
      if (refused !== undefined) return send(req, res, refused);
      if (found === undefined) return send(req, res, noSuchRoute());
      if (req.method === 'OPTIONS') {
        return send(req, res, { status: 204, headers: { Allow: allowedMethods(found.route) } });
      }
      if (action === undefined) return send(req, res, notAllowed(found.route));
      const query = new AdminQuery(target.query);
      const fault = query.fault(action.parameters, action.repeatable);
      if (fault !== undefined) return send(req, res, badRequest(fault));
      if (action.isChange === true) {
        const refusedChange = refuseChange(req);
        if (refusedChange !== undefined) return send(req, res, refusedChange);
      }
      const key = decoded(found.key);
      if (key === undefined) return send(req, res, badRequest('The key is not well encoded.'));
      if (found.successor !== undefined) {
        res.setHeader('Deprecation', DEPRECATED_SINCE);
        res.setHeader('Link', `<${found.successor}>; rel="successor-version"`);
      }
      const manager = locateManager(undefined, resolved.manager);
      const result = await action.run({ manager, query, key }, req, res);
      if (result !== undefined) send(req, res, result);
    };
    const run = (): void => {
      answer().catch((error: unknown) => {
        if (res.headersSent || !isCacheError(error)) next(error);
        else send(req, res, { status: errorStatus(error), body: errorBody(error, false) });
      });
    };

    const isPage = path === '/dashboard' || path === '/';
    const isPublicPage = resolved.dashboard === 'public' && isPage && isSafeMethod(req.method);
    if (isPublicPage) run();
    else runHandlers(resolved.auth, req, res, next, run);
  };
  return Object.assign(handler, { close: () => feed.close() });
}

/** What every answer carries, also those of the user's own guard. */
function protect(res: HttpResponse): void {
  if (res.headersSent) return;
  res.setHeader('Cache-Control', 'no-store');
  res.setHeader('X-Content-Type-Options', 'nosniff');
  res.setHeader('Cross-Origin-Resource-Policy', 'same-origin');
  res.setHeader('Referrer-Policy', 'no-referrer');
  res.setHeader('X-Frame-Options', 'DENY');
}

function refuseUnfit(req: HttpRequest, isOpen: boolean): AdminAnswer | undefined {
  if (!isOpen || isLocalName(req.headers.host)) return undefined;
  return refusal(
    403,
    'ERR_ADMIN_FORBIDDEN',
    "Without 'auth' the admin answers only where it is asked for as localhost or by its address.",
  );
}

function refuseChange(req: HttpRequest): AdminAnswer | undefined {
  if (isCrossSite(req)) {
    return refusal(403, 'ERR_ADMIN_CROSS_SITE', 'Another site asked for this change.');
  }
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = req.headers;
  if (length === '0' && encoding === undefined) return undefined;
  return badRequest('Parameters stand in the query; a body is not read, so it must be empty.');
}

function notAllowed(route: AdminRoute): AdminAnswer {
  return refusal(405, 'ERR_ADMIN_METHOD', 'This route does not know the method.', {
    Allow: allowedMethods(route),
  });
}

/** @returns `undefined` when the encoding is broken */
function decoded(key: string): string | undefined {
  try {
    return decodeURIComponent(key);
  } catch {
    return undefined;
  }
}

function send(req: HttpRequest, res: HttpResponse, answer: AdminAnswer): void {
  for (const [name, value] of Object.entries(answer.headers ?? {})) res.setHeader(name, value);
  if (answer.body === undefined) {
    res.statusCode = answer.status;
    res.end();
  } else {
    sendJson(req.method, res, answer.status, answer.body);
  }
}
