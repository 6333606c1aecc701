import 'reflect-metadata';
import {
  type CacheBackend,
  configureCaching,
  resetCaching,
  type CachingConfiguration,
} from 'cachewell';
import { Lz4Compressor } from 'cachewell/lz4';
import { MsgpackCodec } from 'cachewell/msgpack';
import { RedisBackend } from 'cachewell/redis';
import { container } from 'tsyringe';
import { CityDatabase } from './city-database.js';
import { CityService } from './city-service.js';
import { measure, type Measurement } from './measurement.js';
import { findRedis } from './redis-process.js';
import { workload } from './workload.js';

/** How many requests are sent; `DEMO_REQUESTS` shortens a run. */
const STEPS = Number(process.env['DEMO_REQUESTS'] ?? 20_000);

/** The same service and the same stream of calls on each backend; only the container's registration changes. */
async function main(): Promise<void> {
  console.log('Loading 135,000 places of GeoNames into an embedded Postgres …');
  if (!Number.isInteger(STEPS) || STEPS < 100) {
    throw new Error(
      `DEMO_REQUESTS: expected a whole number >= 100, got '${process.env['DEMO_REQUESTS']}'`,
    );
  }
  const database = await CityDatabase.open();
  const redis = await findRedis();
  const steps = workload(await database.idsByPopulation(10_000), STEPS);
  const runs: (readonly [name: string, configuration: CachingConfiguration])[] = [['memory', {}]];
  if (redis === undefined) {
    console.log(
      'No Redis was found (REDIS_URL, or redis-server on the PATH), so only memory is shown.',
    );
  } else {
    console.log(`Redis: ${redis.origin}.`);
    const prefix = `demo-${process.pid}`;
    const backend = (part: string): (() => CacheBackend) => {
      return () => new RedisBackend({ url: redis.url, prefix: `${prefix}-${part}` });
    };
    runs.push(
      ['Redis, JSON', { backend: backend('json') }],
      [
        'Redis, msgpack + LZ4',
        { backend: backend('msgpack'), codec: MsgpackCodec, compressor: Lz4Compressor },
      ],
    );
  }
  const measurements: Measurement[] = [];
  for (const [name, configuration] of runs) {
    container.reset();
    await resetCaching();
    const manager = configureCaching(container, configuration);
    const service = new CityService(database);
    measurements.push(await measure(name, service, database, steps, progressOf(name)));
    await manager.clearAll();
    await manager.close();
  }
  printTable(measurements);
  await redis?.stop();
  await database.close();
  const stale = measurements.reduce((sum, each) => sum + each.stale, 0);
  if (stale > 0) {
    console.error(`${stale} stale reads: this must not happen.`);
    process.exitCode = 1;
  }
}

/** A line that grows on a terminal, and one line per quarter elsewhere. */
function progressOf(name: string): (done: number) => void {
  let shown = 0;
  return (done) => {
    const percent = Math.floor((done / STEPS) * 100);
    const step = process.stdout.isTTY ? 1 : 25;
    if (percent < shown + step) return;
    shown = percent;
    const line = `${name}: ${percent} % of ${STEPS} requests`;
    if (process.stdout.isTTY) process.stdout.write(`\r${line}${percent === 100 ? '\n' : ''}`);
    else console.log(line);
  };
}

function printTable(measurements: readonly Measurement[]): void {
  const rows = [
    [
      '',
      'requests',
      'queries',
      'hit ratio',
      'hit p50',
      'hit p99',
      'miss p50',
      'miss p99',
      'stale reads',
    ],
    ...measurements.map(({ name, requests, queries, hitRatio, hitMs, missMs, stale }) => [
      name,
      `${requests}`,
      `${queries}`,
      `${(hitRatio * 100).toFixed(1)} %`,
      ...[hitMs.p50, hitMs.p99, missMs.p50, missMs.p99].map((ms) => `${ms.toFixed(3)} ms`),
      `${stale}`,
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  console.log();
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
        )
        .join('  '),
    );
  }
  console.log(
    '\nA hit is answered from the cache; a miss ran the method. A stale read is an answer older than an',
  );
  console.log('update that the database had acknowledged before the question was asked.');
}

await main();
