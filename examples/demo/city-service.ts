import { CacheConfig, CacheEvict, CachePut, Cacheable } from 'cachewell';
import { Probe } from './probe.js';
import type { City, CityDatabase } from './city-database.js';

/** What an application would write: its queries, and on each a decorator that says how it is cached. */
@CacheConfig({ cache: 'cities', ttl: '10m' })
export class CityService {
  readonly #database: CityDatabase;

  constructor(database: CityDatabase) {
    this.#database = database;
  }

  @Cacheable({ key: (id: number) => id, nullTtl: '30s' })
  async find(id: number): Promise<City | null> {
    Probe.current()?.loaded();
    return this.#database.findById(id);
  }

  @Cacheable({
    cache: 'largest-cities',
    ttl: '1m',
    tagsOf: (cities: readonly City[]) => cities.map(({ id }) => `city:${id}`),
  })
  async largestOf(country: string, limit: number): Promise<readonly City[]> {
    Probe.current()?.loaded();
    return this.#database.largestOf(country, limit);
  }

  @CachePut({ key: (id: number) => id })
  @CacheEvict({ tags: (id: number) => [`city:${id}`] })
  async setPopulation(id: number, population: number): Promise<City> {
    return this.#database.setPopulation(id, population);
  }

  @CacheEvict({ key: (id: number) => id, tags: (id: number) => [`city:${id}`] })
  async rename(id: number, name: string): Promise<void> {
    await this.#database.rename(id, name);
  }
}
