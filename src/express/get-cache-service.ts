import { CacheConfigurationError } from '../errors.js';
import type { CacheManager } from '../manager/cache-manager.js';

/** An Express application, as far as it is looked at here. */
interface ApplicationNode {
  readonly locals: Readonly<Record<string, unknown>>;
  /** The application that it is mounted in. */
  readonly parent?: ApplicationNode | undefined;
}

/**
 * The manager that `setupCache` has given to a request's application, or to one that it is mounted in: for routes that warm,
 * read or invalidate by themselves.
 *
 * @throws {@link CacheConfigurationError} when none of them was set up
 *
 * @example
 * ```ts
 * import { getCacheService, noInvalidation } from 'cachewell/express';
 * import express from 'express';
 *
 * const admin = express.Router();
 * admin.post('/warm-cache', noInvalidation(), async (req, res) => {
 *   await getCacheService(req).cache('reports').set('today', { sold: 3 }, { ttl: '5m' });
 *   res.json({ status: 'cache warmed' });
 * });
 * ```
 */
export function getCacheService({ app }: { readonly app: ApplicationNode }): CacheManager {
  let node: ApplicationNode | undefined = app;
  do {
    const { cache } = node.locals;
    if (cache !== undefined) return cache as CacheManager;
    node = node.parent;
  } while (node !== undefined);
  throw new CacheConfigurationError(
    'getCacheService: the application has no manager. Call setupCache(app) before its routes are added, or put one into app.locals.cache.',
  );
}
