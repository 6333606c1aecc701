/*
 * Question: how many reads return a value that an acknowledged invalidation had made void?
 *
 * Set-up: the consistency checker of `cachewell/testing`, unchanged, on each subject in turn, with a redis-server of its
 * own and several processes. Every subject does the kinds of operations that it offers; the weights are the same.
 *
 * Peers: bentocache and cacheable, on Redis alone and with memory over it and their bus, and a cache by hand.
 * Goal: 0 for cachewell.
 *
 * The long run, to its end: `--subject cachewell-redis --invalidations 1000000`. A subject whose time ends before it has
 * acknowledged what `--invalidations` asks for has not been checked as asked: the exit code is 1.
 */
import { renderConsistencyReport, runConsistency, type ConsistencyReport } from 'cachewell/testing';
import { describeEnvironment, environmentLine } from '../support/environment.js';
import { startRedis } from '../support/redis-server.js';
import { writeBlock } from '../support/report.js';
import { tableMarkdown, tableText, type Table } from '../support/table.js';
import { runMain, UsageError, wholeNumber, type OptionValues } from '../support/usage.js';
import type { SubjectOptions } from './subject-options.js';

const COMMAND = 'npm run bench:consistency';
const PAGE = 'docs/CONSISTENCY.md';

/** How long an invalidation may stay unknown to the memories of other processes before it counts. */
const DEFAULT_BOUND_MS = 1000;

interface Subject {
  readonly name: string;
  readonly title: string;
  readonly hasCopies: boolean;
  readonly processes?: number;
}

const SUBJECTS: readonly Subject[] = [
  { name: 'cachewell-memory', title: 'cachewell, memory', hasCopies: false, processes: 1 },
  { name: 'cachewell-redis', title: 'cachewell, Redis', hasCopies: false },
  { name: 'bentocache-redis', title: 'bentocache, Redis', hasCopies: false },
  { name: 'cacheable-redis', title: 'cacheable, Redis', hasCopies: false },
  { name: 'by-hand-redis', title: 'GET, load, SET by hand', hasCopies: false },
  { name: 'cachewell-tiered', title: 'cachewell, memory over Redis', hasCopies: true },
  { name: 'bentocache-tiered', title: 'bentocache, memory over Redis', hasCopies: true },
  { name: 'cacheable-tiered', title: 'cacheable, memory over Redis', hasCopies: true },
];

const OPTIONS = {
  subject: { type: 'string', value: 'NAMES', meaning: 'only these, separated by commas' },
  invalidations: { type: 'string', value: 'N', meaning: 'acknowledged, per subject (20000)' },
  duration: {
    type: 'string',
    value: 'TIME',
    meaning:
      'the longest that a subject may take, such as 10m; a run that it cuts short has failed',
  },
  processes: { type: 'string', value: 'N', meaning: 'that use the cache (3)' },
  actors: { type: 'string', value: 'N', meaning: 'operations at a time in each process (8)' },
  keys: { type: 'string', value: 'N', meaning: 'that they use (64)' },
  bound: { type: 'string', value: 'MS', meaning: 'lateness allowed to copies in memory (1000)' },
  seed: { type: 'string', value: 'N', meaning: 'of the choices (1)' },
  save: { type: 'boolean', meaning: `writes the table into ${PAGE}` },
  help: { type: 'boolean', meaning: 'this text' },
} as const;

interface Outcome {
  readonly subject: Subject;
  /** A text when it could not be checked. */
  readonly report: ConsistencyReport | string;
}

async function main(options: OptionValues<keyof typeof OPTIONS>): Promise<void> {
  const count = (name: keyof typeof OPTIONS, absent: number, min = 1): number =>
    wholeNumber(name, options[name], { absent, min });
  const run = {
    invalidations: count('invalidations', 20_000),
    actors: count('actors', 8),
    keys: count('keys', 64),
    seed: count('seed', 1, 0),
    ...(typeof options.duration === 'string' && { duration: options.duration as '10m' }),
  };
  const processes = count('processes', 3);
  const bound = count('bound', DEFAULT_BOUND_MS, 0);
  const outcomes: Outcome[] = [];
  let redis = 'unknown';
  for (const subject of selected(options.subject)) {
    const server = await startRedis();
    redis = server.version;
    process.stdout.write(`\n${subject.title}\n`);
    const subjectOptions: SubjectOptions = { url: `redis://127.0.0.1:${server.port}` };
    const report = await runConsistency({
      ...run,
      subject: new URL(`./subjects/${subject.name}.js`, import.meta.url),
      subjectOptions,
      processes: subject.processes ?? processes,
      bound: subject.hasCopies ? bound : 0,
      examples: 1,
    }).catch((error: unknown) => {
      if (error instanceof Error && error.name === 'ConsistencyRunError') return error.message;
      throw error;
    });
    await server.stop();
    process.stdout.write(
      `${typeof report === 'string' ? report : `${renderConsistencyReport(report)}\n${endOf(report, run.invalidations)}`}\n`,
    );
    outcomes.push({ subject, report });
  }
  const environment = environmentLine(describeEnvironment(['bentocache', 'cacheable', 'ioredis']));
  process.stdout.write(`\n${tableText(tableOf(outcomes))}\n${environment}, Redis ${redis}\n`);
  if (options.save === true) {
    const command = [COMMAND, '--', ...process.argv.slice(2)].join(' ');
    const head = `\`${command}\`: ${environment}, Redis ${redis}.`;
    await writeBlock(PAGE, 'consistency', `${head}\n\n${tableMarkdown(tableOf(outcomes))}`);
  }
  const own = outcomes.filter(({ subject }) => subject.name.startsWith('cachewell'));
  const isBroken = ({ report }: Outcome): boolean =>
    typeof report === 'string' || report.violations > 0;
  if (own.some(isBroken)) process.exitCode = 1;
  for (const { subject, report } of outcomes) {
    if (typeof report === 'string' || !isShort(report, run.invalidations)) continue;
    process.stderr.write(
      `error: ${subject.title}: ${endOf(report, run.invalidations)}; give it a longer --duration, or none\n`,
    );
    process.exitCode = 1;
  }
}

/** Only its time ends a run before all invalidations were acknowledged. */
function isShort({ acknowledged }: ConsistencyReport, invalidations: number): boolean {
  return acknowledged < invalidations;
}

/** Which of its limits ended a run. */
function endOf(report: ConsistencyReport, invalidations: number): string {
  const asked = invalidations.toLocaleString('en-US');
  if (!isShort(report, invalidations)) return `ended by --invalidations: ${asked} were reached`;
  const seconds = (report.durationMs / 1000).toFixed(1);
  return `ended by --duration after ${seconds} s: ${report.acknowledged.toLocaleString('en-US')} of ${asked} invalidations`;
}

function names(): readonly string[] {
  return SUBJECTS.map(({ name }) => name);
}

function selected(given: string | boolean | undefined): readonly Subject[] {
  if (typeof given !== 'string') return SUBJECTS;
  return given.split(',').map((name) => {
    const subject = SUBJECTS.find((each) => each.name === name.trim());
    if (subject !== undefined) return subject;
    throw new UsageError(`--subject: expected some of ${names().join(', ')}, got '${name}'`);
  });
}

function tableOf(outcomes: readonly Outcome[]): Table {
  const whole = (count: number): string => count.toLocaleString('en-US');
  return {
    columns: [
      { title: 'cache', align: 'left' },
      { title: 'invalidations' },
      { title: 'reads' },
      { title: 'hits' },
      { title: 'races' },
      { title: 'stale reads' },
      { title: 'of these in the own process or a shared store' },
      { title: 'of these later than the bound' },
      { title: 'void values served, p99 ms' },
      { title: 'max ms' },
    ],
    rows: outcomes.map(({ subject, report }) => {
      if (typeof report === 'string') {
        return [subject.title, ...Array.from({ length: 8 }, () => '-'), 'could not be checked'];
      }
      const { acknowledged, reads, hits, races, violations, stale, late, staleness } = report;
      return [
        subject.title,
        ...[acknowledged, reads, hits, races, violations, stale, late].map(whole),
        staleness.p99Ms.toFixed(1),
        staleness.maxMs.toFixed(1),
      ];
    }),
  };
}

await runMain(COMMAND, OPTIONS, main, `subjects: ${names().join(', ')}`);
