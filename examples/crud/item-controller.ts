import { httpCache, rateLimit } from 'cachewell/express';
import { type Request, type Response, Router } from 'express';
import { inject, injectable } from 'tsyringe';
import { type Item, ItemDto, ItemUpdateDto } from './item.js';
import { ItemStore } from './item-store.js';
import { validateBody } from './validate-body.js';

type OfItem = Request<{ id: string }>;

/** The routes of the items. Limits stand before the cache, so that hits count. */
@injectable()
export class ItemController {
  readonly routes = Router();
  readonly #items: ItemStore;

  constructor(@inject(ItemStore) items: ItemStore) {
    this.#items = items;
    const lists = rateLimit('100/minute', { name: 'lists' });
    const details = rateLimit('200/minute', { name: 'details' });
    const changes = rateLimit('50/minute', { name: 'changes' });
    this.routes
      .get('/', lists, httpCache({ ttl: '10m' }), (_req, res) => this.#list(res))
      .get('/:id', details, httpCache({ ttl: '10m' }), (req, res) => this.#find(req, res))
      .post('/', changes, validateBody(ItemDto), (req, res) => this.#create(req, res))
      .put('/:id', changes, validateBody(ItemDto), (req: OfItem, res) => this.#replace(req, res))
      .patch('/:id', changes, validateBody(ItemUpdateDto), (req: OfItem, res) =>
        this.#update(req, res),
      )
      .delete('/:id', changes, (req, res) => this.#remove(req, res));
  }

  async #list(res: Response): Promise<void> {
    res.json({ items: await this.#items.list() });
  }

  async #find(req: OfItem, res: Response): Promise<void> {
    sendItem(res, await this.#items.find(Number(req.params.id)));
  }

  async #create(req: Request, res: Response): Promise<void> {
    const item = await this.#items.create(req.body as ItemDto);
    res.status(201).location(`${req.baseUrl}/${item.id}`).json({ item });
  }

  async #replace(req: OfItem, res: Response): Promise<void> {
    sendItem(res, await this.#items.replace(Number(req.params.id), req.body as ItemDto));
  }

  async #update(req: OfItem, res: Response): Promise<void> {
    const id = Number(req.params.id);
    const item = await this.#items.find(id);
    const update = req.body as ItemUpdateDto;
    sendItem(res, item && (await this.#items.replace(id, { ...item, ...given(update) })));
  }

  async #remove(req: OfItem, res: Response): Promise<void> {
    const isThere = await this.#items.remove(Number(req.params.id));
    if (isThere) res.status(204).end();
    else sendItem(res, undefined);
  }
}

function sendItem(res: Response, item: Item | undefined): void {
  if (item === undefined) res.status(404).json({ error: 'There is no such item.' });
  else res.json({ item });
}

/** Fields that a class declares are there without being given. */
function given<Body extends object>(body: Body): Partial<Body> {
  const fields = Object.entries(body).filter(([, value]) => value !== undefined);
  return Object.fromEntries(fields) as Partial<Body>;
}
