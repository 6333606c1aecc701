import { Cacheable, CacheManager } from 'cachewell';
import { LRUCache } from 'lru-cache';
import { seededRandom } from '../support/random.js';
import type { Subject } from '../support/rounds.js';

/** How many keys are warm. */
export const KEYS = 1000;
const TTL_MS = 3_600_000;

interface User {
  readonly id: number;
  readonly name: string;
  readonly notes: string;
}

/** What identifies a user where ids are not enough. */
interface Query {
  readonly tenant: string;
  readonly id: number;
  readonly locale: string;
}

/** Whose caches are measured. */
export const manager = new CacheManager({ ttl: TTL_MS });
const random = seededRandom(1);
const table: readonly User[] = Array.from({ length: KEYS }, (_, id) => ({
  id,
  name: `User ${id}`,
  notes: random.bytes(480).toString('hex'),
}));
const ids: readonly number[] = shuffled(table.map(({ id }) => id));
const queries: readonly Query[] = ids.map((id) => ({
  tenant: `tenant-${id % 7}`,
  id,
  locale: 'pt-PT',
}));

/** The method behind all caches. It is never called once they are warm. */
async function load(id: number): Promise<User> {
  return table[id]!;
}

class DecoratedUsers {
  @Cacheable({ cache: 'users', key: (id: number) => id, manager })
  async find(id: number): Promise<User> {
    return load(id);
  }
}

class DefaultKeyUsers {
  @Cacheable({ cache: 'default-key-users', manager })
  async find(id: number): Promise<User> {
    return load(id);
  }
}

class DecoratedQueries {
  @Cacheable({ cache: 'queries', manager })
  async find(query: Query): Promise<User> {
    return load(query.id);
  }
}

class LruTtlUsers {
  readonly #entries = new LRUCache<number, User>({ max: 10_000, ttl: TTL_MS });

  async find(id: number): Promise<User> {
    const hit = this.#entries.get(id);
    if (hit !== undefined) return hit;
    const user = await load(id);
    this.#entries.set(id, user);
    return user;
  }
}

class LruUsers {
  readonly #entries = new LRUCache<number, User>({ max: 10_000 });

  async find(id: number): Promise<User> {
    const hit = this.#entries.get(id);
    if (hit !== undefined) return hit;
    const user = await load(id);
    this.#entries.set(id, user);
    return user;
  }
}

class MapUsers {
  readonly #entries = new Map<number, User>();

  async find(id: number): Promise<User> {
    const hit = this.#entries.get(id);
    if (hit !== undefined) return hit;
    const user = await load(id);
    this.#entries.set(id, user);
    return user;
  }
}

class LruTtlQueries {
  readonly #entries = new LRUCache<string, User>({ max: 10_000, ttl: TTL_MS });

  async find(query: Query): Promise<User> {
    // The key that one writes by hand: right as long as no text holds a colon.
    const key = `${query.tenant}:${query.id}:${query.locale}`;
    const hit = this.#entries.get(key);
    if (hit !== undefined) return hit;
    const user = await load(query.id);
    this.#entries.set(key, user);
    return user;
  }
}

class LruTtlJsonQueries {
  readonly #entries = new LRUCache<string, User>({ max: 10_000, ttl: TTL_MS });

  async find(query: Query): Promise<User> {
    const key = JSON.stringify(query);
    const hit = this.#entries.get(key);
    if (hit !== undefined) return hit;
    const user = await load(query.id);
    this.#entries.set(key, user);
    return user;
  }
}

const mapUsers = new MapUsers();
const lruUsers = new LruUsers();
const lruTtlUsers = new LruTtlUsers();
const decoratedUsers = new DecoratedUsers();
const defaultKeyUsers = new DefaultKeyUsers();
const cache = manager.cache<[id: number], User>('direct-users');
const lruTtlQueries = new LruTtlQueries();
const lruTtlJsonQueries = new LruTtlJsonQueries();
const decoratedQueries = new DecoratedQueries();

/** A cache that has nothing to do with the library, warm. */
export const MAP_BY_HAND = 'Map, by hand';

/** What ratios refer to where the argument is a number. */
export const NUMBER_BASE = 'lru-cache with ttl, by hand';
/** What ratios refer to where the argument is an object. */
export const QUERY_BASE = 'lru-cache with ttl, `a:b:c` by hand';

/** Subjects whose argument is a number. Each loop is written out: see {@link Subject.run}. */
export const byNumber: readonly Subject[] = [
  {
    name: MAP_BY_HAND,
    run: async (count) => {
      for (let call = 0; call < count; call++) await mapUsers.find(ids[call % KEYS]!);
    },
  },
  {
    name: 'lru-cache, by hand',
    run: async (count) => {
      for (let call = 0; call < count; call++) await lruUsers.find(ids[call % KEYS]!);
    },
  },
  {
    name: NUMBER_BASE,
    run: async (count) => {
      for (let call = 0; call < count; call++) await lruTtlUsers.find(ids[call % KEYS]!);
    },
  },
  {
    name: '@Cacheable with key',
    run: async (count) => {
      for (let call = 0; call < count; call++) await decoratedUsers.find(ids[call % KEYS]!);
    },
  },
  {
    name: '@Cacheable, default key',
    run: async (count) => {
      for (let call = 0; call < count; call++) await defaultKeyUsers.find(ids[call % KEYS]!);
    },
  },
  {
    name: 'cache.get',
    run: async (count) => {
      for (let call = 0; call < count; call++) await cache.get(ids[call % KEYS]!);
    },
  },
];

/** Subjects whose argument is an object of three fields. */
export const byQuery: readonly Subject[] = [
  {
    name: QUERY_BASE,
    run: async (count) => {
      for (let call = 0; call < count; call++) await lruTtlQueries.find(queries[call % KEYS]!);
    },
  },
  {
    name: 'lru-cache with ttl, JSON.stringify by hand',
    run: async (count) => {
      for (let call = 0; call < count; call++) await lruTtlJsonQueries.find(queries[call % KEYS]!);
    },
  },
  {
    name: '@Cacheable, default key',
    run: async (count) => {
      for (let call = 0; call < count; call++) await decoratedQueries.find(queries[call % KEYS]!);
    },
  },
];

/** Work that promises have no part in: a unit to measure others by. */
export const arithmetic: Subject = {
  name: 'arithmetic',
  run: (count) => {
    let hash = 0;
    for (let call = 0; call < count; call++) {
      for (let step = 0; step < 100; step++) hash = Math.imul(hash ^ (call + step), 0x0100_0193);
    }
    if (hash === 1) throw new RangeError('The compiler must not drop the loop.');
  },
};

/** Fills the Map alone, before the library has done anything. */
export async function warmMap(): Promise<void> {
  for (const id of ids) await mapUsers.find(id);
}

/** Fills all caches. */
export async function warmAll(): Promise<void> {
  for (const [index, id] of ids.entries()) {
    await lruUsers.find(id);
    await lruTtlUsers.find(id);
    await decoratedUsers.find(id);
    await defaultKeyUsers.find(id);
    await cache.set(id, table[id]!);
    await lruTtlQueries.find(queries[index]!);
    await lruTtlJsonQueries.find(queries[index]!);
    await decoratedQueries.find(queries[index]!);
  }
  manager.resetStatistics();
}

/** A subject that misses would be measured as something else. */
export function expectNoMiss(): void {
  const { misses } = manager.statistics();
  if (misses > 0)
    throw new RangeError(`${misses} lookups missed; the figures are not those of hits`);
}

function shuffled(numbers: readonly number[]): readonly number[] {
  const order = [...numbers];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.integer(0, last);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
