import { singleton } from 'tsyringe';
import type { Item } from './item.js';

/** Stands for a database. */
@singleton()
export class ItemStore {
  readonly #items = new Map<number, Item>();
  #lastId = 0;

  async list(): Promise<readonly Item[]> {
    return [...this.#items.values()];
  }

  async find(id: number): Promise<Item | undefined> {
    return this.#items.get(id);
  }

  async create(item: Omit<Item, 'id'>): Promise<Item> {
    return this.#save({ ...item, id: ++this.#lastId });
  }

  /** Without effect where there is no such item. */
  async replace(id: number, item: Omit<Item, 'id'>): Promise<Item | undefined> {
    return this.#items.has(id) ? this.#save({ ...item, id }) : undefined;
  }

  async remove(id: number): Promise<boolean> {
    return this.#items.delete(id);
  }

  #save(item: Item): Item {
    this.#items.set(item.id, item);
    return item;
  }
}
