/*
 * Question: what does a cached response cost over HTTP, in front of Express and within it, what does a miss, and what does
 * a limiter add to a hit?
 *
 * Set-up: every subject is a server in a process of its own that answers about 1 kB of JSON; autocannon, in another
 * process, asks over 50 connections. Subjects take turns: in each round every subject is asked for a second or two.
 * What a request costs is the server's processor time, all threads and the kernel's share included, divided by the
 * requests: other programs on the machine double the time on the wall and hardly change that. Requests per second and
 * latencies stand beside it. A ratio is the median of the ratios of each round, and what is added that of the differences.
 *
 * Peers: node:http and Express sending a constant buffer, apicache, Express without a cache.
 * Goals: `accelerate` at least 0.85 of node:http and 5 times apicache; `httpCache` at least 0.93 of the first middleware
 * that ends a constant buffer; a miss at least 0.85 of the same route without the cache.
 */
import {
  GOALS,
  goalSection,
  OVERHEADS,
  overheadSection,
  overheadsOf,
  type Pair,
} from './http/goals.js';
import { measureHttp, type HttpTiming } from './http/measure.js';
import { RAW, SUBJECTS } from './http/subjects.js';
import { describeEnvironment } from './support/environment.js';
import { publish, type Section } from './support/report.js';
import { pairedRatio, spreadOf } from './support/statistics.js';
import { COMMON_OPTIONS, runMain, UsageError, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:http';
const OPTIONS = {
  only: {
    type: 'string',
    value: 'TEXT',
    meaning: 'only subjects whose name holds the text, and node:http',
  },
  seconds: { type: 'string', value: 'N', meaning: 'how long a turn takes' },
  connections: { type: 'string', value: 'N', meaning: 'connections at a time' },
  ...COMMON_OPTIONS,
} as const;

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const rounds = wholeNumber('rounds', options.rounds, { absent: isQuick ? 3 : 9, min: 1 });
  const seconds = wholeNumber('seconds', options.seconds, { absent: isQuick ? 1 : 2, min: 1 });
  const connections = wholeNumber('connections', options.connections, { absent: 50, min: 1 });
  const names = select(options.only);
  const timings = await measureHttp(names, {
    rounds,
    warmRequests: isQuick ? 4_000 : 20_000,
    seconds,
    connections,
  });
  const raw = timings.find(({ name }) => name === RAW)!;
  const isMeasured = ({ subject, base }: Pair): boolean =>
    names.includes(subject) && names.includes(base);
  const goals = GOALS.filter(isMeasured);
  const overheads = overheadsOf(OVERHEADS.filter(isMeasured), timings);
  await publish(
    {
      name: 'http',
      title: 'Responses over HTTP',
      page: 'docs/PERFORMANCE.md',
      command: COMMAND,
      environment: describeEnvironment(['express', 'express-rate-limit', 'apicache', 'autocannon']),
      method:
        `1 kB of JSON, ${connections} connections, ${rounds} interleaved rounds of ${seconds} s a subject, each server in a ` +
        'process of its own and the load in another. Speed is node:http’s processor time per request divided by the ' +
        'subject’s, as the median of the rounds.',
      sections: [
        speedSection(timings, raw),
        goalSection(goals, timings),
        overheadSection(overheads),
      ],
      figures: {
        options: { rounds, seconds, connections },
        subjects: timings.map((timing) => ({
          ...timing,
          speed: pairedRatio(raw.cpuUs, timing.cpuUs),
        })),
        overheads,
      },
    },
    options,
  );
});

function select(only: string | boolean | undefined): readonly string[] {
  const names = Object.keys(SUBJECTS);
  if (typeof only !== 'string') return names;
  const chosen = names.filter((name) => name.includes(only) || name === RAW);
  if (chosen.length > 1 || RAW.includes(only)) return chosen;
  throw new UsageError(`--only: no subject has '${only}' in its name`);
}

function speedSection(timings: readonly HttpTiming[], base: HttpTiming): Section {
  return {
    title: 'Requests',
    table: {
      columns: [
        { title: 'subject', align: 'left' },
        { title: 'CPU µs' },
        { title: 'min..max' },
        { title: 'speed' },
        { title: 'req/s' },
        { title: 'p50 ms' },
        { title: 'p99 ms' },
        { title: 'p99 ratio' },
      ],
      rows: timings.map((timing) => {
        const cpu = spreadOf(timing.cpuUs);
        return [
          timing.name,
          cpu.median.toFixed(1),
          `${cpu.min.toFixed(1)}..${cpu.max.toFixed(1)}`,
          pairedRatio(base.cpuUs, timing.cpuUs).toFixed(3),
          Math.round(spreadOf(timing.perSecond).median).toLocaleString('en'),
          spreadOf(timing.p50Ms).median.toFixed(1),
          spreadOf(timing.p99Ms).median.toFixed(1),
          pairedRatio(timing.p99Ms, base.p99Ms).toFixed(2),
        ];
      }),
    },
  };
}
