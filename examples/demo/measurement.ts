import { Probe } from './probe.js';
import type { CityDatabase } from './city-database.js';
import type { CityService } from './city-service.js';
import type { Step } from './workload.js';

/** What one run of the workload showed. */
export interface Measurement {
  readonly name: string;
  readonly requests: number;
  readonly queries: number;
  readonly hitRatio: number;
  readonly hitMs: Percentiles;
  readonly missMs: Percentiles;
  /** Answers that were older than an update acknowledged before the question, or than the table at the end. */
  readonly stale: number;
}

/** The middle, and the slowest hundredth, in milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

const CLIENTS = 8;
/** How many of the entries that were read are compared with the table at the end. */
const COMPARED = 2000;

/** Runs the workload with 8 clients at a time and checks every answer against what the database has acknowledged. */
export async function measure(
  name: string,
  service: CityService,
  database: CityDatabase,
  steps: readonly Step[],
  onProgress: (done: number) => void,
): Promise<Measurement> {
  const acknowledged = new Map<number, number>();
  const seen = new Set<number>();
  const hits: number[] = [];
  const misses: number[] = [];
  const queriesBefore = database.queries;
  let stale = 0;
  let next = 0;

  function acknowledge(id: number, version: number): void {
    acknowledged.set(id, Math.max(version, acknowledged.get(id) ?? 1));
  }

  async function read(step: Extract<Step, { kind: 'find' | 'largest' }>): Promise<void> {
    const due = new Map(acknowledged);
    const probe = new Probe();
    const startedAt = performance.now();
    const found =
      step.kind === 'find'
        ? [await probe.run(() => service.find(step.id))]
        : await probe.run(() => service.largestOf(step.country, 20));
    (probe.isLoaded ? misses : hits).push(performance.now() - startedAt);
    for (const city of found) {
      if (city === null) continue;
      if (step.kind === 'find') seen.add(city.id);
      if (city.version < (due.get(city.id) ?? 1)) stale++;
    }
  }

  async function client(): Promise<void> {
    for (let index = next++; index < steps.length; index = next++) {
      const step = steps[index]!;
      if (step.kind === 'setPopulation') {
        const { version } = await service.setPopulation(step.id, step.population);
        acknowledge(step.id, version);
      } else if (step.kind === 'rename') {
        await service.rename(step.id, step.name);
        acknowledge(step.id, (await database.check(step.id))!.version);
      } else await read(step);
      onProgress(index + 1);
    }
  }

  await Promise.all(Array.from({ length: CLIENTS }, client));
  const queries = database.queries - queriesBefore;
  // At rest, what the cache answers must be what the table holds.
  for (const id of [...seen].slice(0, COMPARED)) {
    const [cached, stored] = [await service.find(id), await database.check(id)];
    if (JSON.stringify(cached) !== JSON.stringify(stored)) stale++;
  }
  return {
    name,
    requests: steps.length,
    queries,
    hitRatio: hits.length / (hits.length + misses.length),
    hitMs: percentiles(hits),
    missMs: percentiles(misses),
    stale,
  };
}

function percentiles(samples: readonly number[]): Percentiles {
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (fraction: number): number => sorted[Math.floor((sorted.length - 1) * fraction)] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}
