/*
 * Question: what does a decorated method's hit in memory cost, compared with a cache written by hand?
 *
 * Set-up: 1,000 warm keys, asked for in a fixed shuffled order, values of about 1 kB, everything awaited one after the
 * other. Each subject has a loop and a service class of its own, all values are the same objects, nobody misses.
 * Interleaved rounds in one process; a ratio is the median of the ratios of each round. Times are processor time.
 *
 * Beside it: what an await elsewhere in the process costs before the library's first load, and after it.
 *
 * Peers: the same `async` method written by hand over lru-cache, with a ttl and without, and over a Map.
 * Goal: the decorated hit at most 1.5 times lru-cache with a ttl.
 */
import {
  arithmetic,
  byNumber,
  byQuery,
  expectNoMiss,
  KEYS,
  manager,
  MAP_BY_HAND,
  NUMBER_BASE,
  QUERY_BASE,
  warmAll,
  warmMap,
} from './memory/hit-subjects.js';
import { describeEnvironment } from './support/environment.js';
import { publish, type Section } from './support/report.js';
import { measureInRounds, type RoundOptions, type Subject, type Timing } from './support/rounds.js';
import { pairedRatio, spreadOf } from './support/statistics.js';
import { COMMON_OPTIONS, runMain, UsageError, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:memory';
const OPTIONS = {
  only: {
    type: 'string',
    value: 'TEXT',
    meaning: 'only subjects whose name holds the text, such as for a profile',
  },
  ...COMMON_OPTIONS,
} as const;

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const rounds = wholeNumber('rounds', options.rounds, {
    absent: isQuick ? 7 : 25,
    min: 1,
    max: 10_000,
  });
  const schedule = { rounds, turnMs: isQuick ? 20 : 50, warmUps: 4 };
  const sections: Section[] = [];
  const last: Section[] = [];
  const figures: Record<string, object> = {};
  if (options.only === undefined) {
    const elsewhere = await measureElsewhere({ ...schedule, turnMs: schedule.turnMs / 2 });
    last.push(elsewhere.section);
    figures['elsewhere'] = elsewhere.figures;
  }
  await warmAll();
  for (const group of [
    { name: 'number', title: 'One number as the argument', base: NUMBER_BASE, subjects: byNumber },
    {
      name: 'object',
      title: 'An object of three fields as the argument',
      base: QUERY_BASE,
      subjects: byQuery,
    },
  ]) {
    const subjects = select(group.subjects, options.only);
    if (subjects.length === 0) continue;
    const timings = await measureInRounds(subjects, schedule);
    const base = timings.find(({ name }) => name === group.base);
    sections.push(sectionOf(group.title, timings, base));
    figures[group.name] = timings.map((timing) => figuresOf(timing, base));
  }
  if (sections.length === 0) {
    throw new UsageError(`--only: no subject has '${String(options.only)}' in its name`);
  }
  expectNoMiss();

  await publish(
    {
      name: 'memory-hit',
      title: 'Hits in memory',
      command: COMMAND,
      environment: describeEnvironment(['lru-cache']),
      method:
        `${KEYS} warm keys, one awaited call after the other, ${rounds} interleaved rounds of ${schedule.turnMs} ms a ` +
        "subject. Times are processor time per hit; a ratio is the median of each round's. Goal: a decorated hit at " +
        'most 1.5 times the same method by hand over lru-cache with a ttl.',
      sections: [...sections, ...last],
      figures: { options: { rounds, keys: KEYS }, ...figures },
    },
    options,
  );
  await manager.close();
});

function select(
  subjects: readonly Subject[],
  only: string | boolean | undefined,
): readonly Subject[] {
  return typeof only === 'string' ? subjects.filter(({ name }) => name.includes(only)) : subjects;
}

/**
 * The cost of an await in code that has nothing to do with the library, before its first load and after: the promise
 * hooks of Node 20 and 22, once on, slow every promise of the process.
 */
async function measureElsewhere(
  schedule: RoundOptions,
): Promise<{ readonly section: Section; readonly figures: object }> {
  const subjects = [...byNumber.filter(({ name }) => name === MAP_BY_HAND), arithmetic];
  await warmMap();
  const [before, unitBefore] = await measureInRounds(subjects, schedule);
  await warmAll();
  const [after, unitAfter] = await measureInRounds(subjects, schedule);
  const [beforeNs, afterNs] = [spreadOf(before!.cpuNs), spreadOf(after!.cpuNs)];
  // The two cannot take turns, so each is measured against work that promises have no part in.
  const ratio =
    pairedRatio(after!.cpuNs, unitAfter!.cpuNs) / pairedRatio(before!.cpuNs, unitBefore!.cpuNs);
  return {
    section: {
      title: 'An await elsewhere in the process (Map, by hand)',
      table: {
        columns: [
          { title: '', align: 'left' },
          { title: 'ns' },
          { title: 'min..max' },
          { title: 'ratio' },
        ],
        rows: [
          ["before the library's first load", beforeNs, '1.00'] as const,
          ['after it', afterNs, ratio.toFixed(2)] as const,
        ].map(([name, { median, min, max }, shown]) => [
          name,
          median.toFixed(0),
          `${min.toFixed(0)}..${max.toFixed(0)}`,
          shown,
        ]),
      },
    },
    figures: { beforeNs, afterNs, ratio },
  };
}

function sectionOf(title: string, timings: readonly Timing[], base: Timing | undefined): Section {
  return {
    title,
    table: {
      columns: [
        { title: 'subject', align: 'left' },
        { title: 'ns per hit' },
        { title: 'min..max' },
        { title: 'ratio' },
        { title: 'wall ns' },
      ],
      rows: timings.map((timing) => {
        const { median, min, max } = spreadOf(timing.cpuNs);
        return [
          timing.name,
          median.toFixed(0),
          `${min.toFixed(0)}..${max.toFixed(0)}`,
          base === undefined ? '-' : pairedRatio(timing.cpuNs, base.cpuNs).toFixed(2),
          spreadOf(timing.wallNs).median.toFixed(0),
        ];
      }),
    },
  };
}

function figuresOf({ name, cpuNs, wallNs }: Timing, base: Timing | undefined): object {
  return {
    name,
    cpuNs: spreadOf(cpuNs),
    wallNs: spreadOf(wallNs),
    ratio: base === undefined ? null : pairedRatio(cpuNs, base.cpuNs),
    rounds: cpuNs,
  };
}
