import { escapeGlob } from 'cachewell';
import { getCacheService, noInvalidation } from 'cachewell/express';
import { type Request, type Response, Router } from 'express';
import { inject, injectable } from 'tsyringe';
import { ItemStore } from './item-store.js';

/** What is asked of all items at once, which is worth more to cache than a list. */
interface Report {
  readonly items: number;
  readonly total: number;
}

/** An entry of the application's own, beside the responses. Every write of an item makes it void, by its tag. */
const KEPT = { ttl: '5m', tags: ['items'] } as const;

/**
 * Routes that work on the cache by hand, through the manager that `setupCache` has given to the application. They belong
 * behind a guard. They change no items, so nothing is invalidated behind them.
 */
@injectable()
export class AdminController {
  readonly routes = Router();
  readonly #items: ItemStore;

  constructor(@inject(ItemStore) items: ItemStore) {
    this.#items = items;
    this.routes
      .use(noInvalidation())
      .get('/report', (req, res) => this.#report(req, res))
      .post('/warm-cache', (req, res) => this.#warm(req, res))
      .post('/invalidate/:resource', (req: Request<{ resource: string }>, res) =>
        this.#invalidate(req, res),
      );
  }

  async #report(req: Request, res: Response): Promise<void> {
    res.json(await reportsOf(req).getOrSet('items', () => this.#sum(), KEPT));
  }

  async #warm(req: Request, res: Response): Promise<void> {
    await reportsOf(req).set('items', await this.#sum(), KEPT);
    res.json({ status: 'cache warmed' });
  }

  /** The name of a resource is text from outside, so it is escaped: `*` is no pattern in it. */
  async #invalidate(req: Request<{ resource: string }>, res: Response): Promise<void> {
    const pattern = `GET:${escapeGlob(req.params.resource)}:*`;
    res.json({ cleared: await getCacheService(req).cache('http').deletePattern(pattern) });
  }

  async #sum(): Promise<Report> {
    const items = await this.#items.list();
    return { items: items.length, total: items.reduce((sum, { price }) => sum + price, 0) };
  }
}

function reportsOf(req: Request) {
  return getCacheService(req).cache<readonly string[], Report>('reports');
}
