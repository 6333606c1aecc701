import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Answer, Query } from './city-database-worker.js';

/** A row of the table `city`. */
export interface City {
  readonly id: number;
  readonly name: string;
  readonly country: string;
  readonly population: number;
  readonly latitude: number;
  readonly longitude: number;
  /** Counts the updates of the row, so that a stale copy gives itself away. */
  readonly version: number;
}

const COLUMNS = 'id, name, country, population, latitude, longitude, version';

/**
 * Postgres, compiled to WebAssembly and embedded, holding the 135,000 places of GeoNames with over 1,000 people. It
 * runs in a thread of its own, as a database runs in a process of its own: a query does not stop the service.
 */
export class CityDatabase {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #lastQuery = 0;
  #queries = 0;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on('message', (answer: Answer) => {
      this.#waiting.get(answer.query)?.(answer);
      this.#waiting.delete(answer.query);
    });
  }

  static async open(): Promise<CityDatabase> {
    const worker = new Worker(new URL('city-database-worker.js', import.meta.url));
    await once(worker, 'message');
    return new CityDatabase(worker);
  }

  /** How many queries the service has sent; the checks of the demo itself do not count. */
  get queries(): number {
    return this.#queries;
  }

  async findById(id: number): Promise<City | null> {
    this.#queries++;
    return this.check(id);
  }

  async largestOf(country: string, limit: number): Promise<readonly City[]> {
    this.#queries++;
    return this.#ask<City>(
      `SELECT ${COLUMNS} FROM city WHERE country = $1 ORDER BY population DESC, id LIMIT $2`,
      [country, limit],
    );
  }

  async setPopulation(id: number, population: number): Promise<City> {
    this.#queries++;
    const [city] = await this.#ask<City>(
      `UPDATE city SET population = $2, version = version + 1 WHERE id = $1 RETURNING ${COLUMNS}`,
      [id, population],
    );
    return city!;
  }

  async rename(id: number, name: string): Promise<void> {
    this.#queries++;
    await this.#ask('UPDATE city SET name = $2, version = version + 1 WHERE id = $1', [id, name]);
  }

  /** What the table holds now, for comparison. */
  async check(id: number): Promise<City | null> {
    const [city] = await this.#ask<City>(`SELECT ${COLUMNS} FROM city WHERE id = $1`, [id]);
    return city ?? null;
  }

  /** Ids by descending population: the order of their popularity in the workload. */
  async idsByPopulation(limit: number): Promise<readonly number[]> {
    const rows = await this.#ask<{ id: number }>(
      'SELECT id FROM city ORDER BY population DESC, id LIMIT $1',
      [limit],
    );
    return rows.map(({ id }) => id);
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  async #ask<Row>(sql: string, parameters: readonly unknown[]): Promise<readonly Row[]> {
    const query = ++this.#lastQuery;
    const answered = new Promise<Answer>((resolve) => this.#waiting.set(query, resolve));
    this.#worker.postMessage({ query, sql, parameters } satisfies Query);
    const answer = await answered;
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer.rows as readonly Row[];
  }
}
