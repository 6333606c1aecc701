/*
 * Question: what does a write over HTTP cost that makes 1,000 stored responses stale, when 100,000 others are stored?
 *
 * Set-up: an Express application with `httpCache` in a process of its own, over memory, and over a redis-server of its own
 * on loopback. It listens twice: with `httpInvalidation`, whose answers wait for the invalidation, and without, over the
 * same entries. In each round all items are asked for, which stores them; then the same `POST /items` is timed once in
 * either way, while nothing else is asked for. Which comes first alternates. Over Redis, some more rounds count every
 * command that reaches the server during a write (`MONITOR`).
 *
 * A difference is that of the two writes of a round; a ratio is the median of the ratios of the rounds.
 *
 * Goal, as of `bench:invalidation`: at most 3 commands, and p99 of what it adds at most 5 ms. A read of an item behind the
 * write that is no miss with what was written, or of another response that is no hit, ends the benchmark.
 */
import { measureInvalidation, type InvalidationTiming } from './http/invalidation-rounds.js';
import { describeEnvironment } from './support/environment.js';
import { startRedis } from './support/redis-server.js';
import { publish, type Section } from './support/report.js';
import { median, pairedDifferences, pairedRatio, percentile } from './support/statistics.js';
import { figure } from './support/table.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:http-invalidation';
const OPTIONS = {
  stale: { type: 'string', value: 'N', meaning: 'responses that a write makes stale' },
  foreign: { type: 'string', value: 'N', meaning: 'responses of other URLs' },
  ...COMMON_OPTIONS,
} as const;

interface StoreTiming extends InvalidationTiming {
  readonly store: string;
}

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const load = {
    rounds: wholeNumber('rounds', options.rounds, { absent: isQuick ? 10 : 200, min: 2 }),
    countedRounds: isQuick ? 3 : 20,
    warmWrites: isQuick ? 200 : 2_000,
    stale: wholeNumber('stale', options.stale, { absent: 1_000, min: 1 }),
    foreign: wholeNumber('foreign', options.foreign, {
      absent: isQuick ? 10_000 : 100_000,
      min: 1,
      max: 9_000_000,
    }),
  };
  const timings: StoreTiming[] = [
    { store: 'memory', ...(await measureInvalidation(undefined, load)) },
  ];
  const redis = await startRedis();
  try {
    timings.push({ store: 'Redis', ...(await measureInvalidation(redis.port, load)) });
  } finally {
    await redis.stop();
  }
  const { rounds, stale, foreign } = load;
  await publish(
    {
      name: 'http-invalidation',
      title: 'Invalidation over HTTP',
      page: 'docs/PERFORMANCE.md',
      command: COMMAND,
      environment: describeEnvironment(['express', 'ioredis']),
      method:
        `One POST that makes ${count(stale)} stored responses stale while ${count(foreign)} others are stored, ${rounds} rounds, ` +
        'beside the same POST at the same application without httpInvalidation in the same round.',
      sections: [writeSection(timings), addedSection(timings)],
      figures: { options: load, redis: redis.version, stores: timings },
    },
    options,
  );
});

function writeSection(timings: readonly StoreTiming[]): Section {
  return {
    title: 'The write, as its client sees it',
    table: {
      columns: [
        { title: 'store', align: 'left' },
        { title: 'POST', align: 'left' },
        { title: 'p50 ms' },
        { title: 'p99 ms' },
        { title: 'max ms' },
        { title: 'commands' },
      ],
      rows: timings.flatMap(({ store, plainMs, invalidatingMs, commands }) => [
        [store, 'without httpInvalidation', ...times(plainMs), sent(commands?.plain)],
        [store, 'with httpInvalidation', ...times(invalidatingMs), sent(commands?.invalidating)],
      ]),
    },
  };
}

function addedSection(timings: readonly StoreTiming[]): Section {
  return {
    title: 'What httpInvalidation adds to it',
    table: {
      columns: [
        { title: 'store', align: 'left' },
        { title: 'p50 ms' },
        { title: 'p99 ms' },
        { title: 'max ms' },
        { title: 'ratio' },
        { title: 'ratio of p99' },
      ],
      rows: timings.map(({ store, plainMs, invalidatingMs }) => [
        store,
        ...times(pairedDifferences(invalidatingMs, plainMs)),
        pairedRatio(invalidatingMs, plainMs).toFixed(2),
        (p99(invalidatingMs) / p99(plainMs)).toFixed(2),
      ]),
    },
    notes: timings.map(
      ({ store, fresh, untouched }) =>
        `${store}: all of ${count(fresh)} reads of stale responses were misses with what was written, all of ${count(untouched)} reads of other URLs were hits.`,
    ),
  };
}

function times(ms: readonly number[]): readonly string[] {
  return [median(ms), p99(ms), Math.max(...ms)].map(figure);
}

function p99(numbers: readonly number[]): number {
  return percentile(
    [...numbers].sort((a, b) => a - b),
    0.99,
  );
}

function sent(commands: number | undefined): string {
  return commands === undefined ? '-' : String(commands);
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
