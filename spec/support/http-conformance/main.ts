import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../package-root.js';
import { startRedisServer } from '../redis-server.js';
import { parseArguments, USAGE, UsageError, type ConformanceArguments } from './arguments.js';
import { runName, type ConformanceRun } from './conformance-run.js';
import { forkRun } from './fork-run.js';
import { updatePinned, verifyPinned, type RunOutcome } from './pinned-check.js';
import { readPinned } from './pinned-verdicts.js';
import { conformancePage } from './report.js';
import { ConformanceSuite } from './suite.js';
import { compareVerdicts, scoreLine, scoreOf } from './verdicts.js';

const PAGE = join(packageRoot, 'docs/HTTP-CONFORMANCE.md');
/** The suite's own form of results, one file a run. */
const RESULTS = join(packageRoot, 'build/http-conformance');
/** How often tests whose verdict is not the pinned one are repeated, fewer at a time than in the run. */
const MOST_REPEATS = 2;
/** A lane that answers nothing would get the verdicts of the application behind it. */
const LEAST_IN_FRONT = 100;

try {
  process.exit(await main(parseArguments(process.argv.slice(2))));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(`${error.message}\n\n${USAGE}`);
  process.exit(2);
}

async function main(options: ConformanceArguments): Promise<number> {
  const suite = await ConformanceSuite.load(options.suite);
  const needsRedis = options.runs.some(({ backend }) => backend !== 'memory');
  const redis = needsRedis ? await startRedisServer() : undefined;
  try {
    if (options.only.length > 0) return await show(options, redis?.url);
    return await judge(options, suite, redis?.url);
  } finally {
    await redis?.stop();
  }
}

/** Prints every message of some tests. */
async function show(options: ConformanceArguments, redisUrl: string | undefined): Promise<number> {
  for (const run of options.runs) {
    const { results, inFront, faults, log } = await forkRun(options, run, redisUrl, {
      only: options.only,
      isVerbose: true,
    });
    console.log(log, [...faults].join('\n'));
    console.log(`${runName(run)}: ${JSON.stringify(results, undefined, 2)}`);
    if (run.isFront) console.log(`answered in front: ${inFront}`);
  }
  return 0;
}

/** Runs the suite, and compares its verdicts with the pinned ones, or pins them. */
async function judge(
  options: ConformanceArguments,
  suite: ConformanceSuite,
  redisUrl: string | undefined,
): Promise<number> {
  const outcomes = new Map<ConformanceRun, RunOutcome>();
  const disturbed: string[] = [];
  mkdirSync(RESULTS, { recursive: true });
  await inParallel(options.jobs, options.runs, async (run) => {
    const { outcome, inFront, faults } = await runUndisturbed(options, suite, run, redisUrl);
    outcomes.set(run, outcome);
    if (faults.length > 0) disturbed.push(faultText(run, faults));
    if (run.isFront && inFront < LEAST_IN_FRONT) {
      disturbed.push(`${runName(run)}: the fast lane has answered ${inFront} requests only`);
    }
    const file = join(RESULTS, `${runName(run).replaceAll(', ', '-')}.json`);
    writeFileSync(file, `${JSON.stringify(outcome.results, undefined, 2)}\n`);
    const lane = run.isFront ? `, ${inFront} requests answered in front` : '';
    console.log(`${runName(run)}: ${scoreLine(scoreOf(outcome.tests))}${lane}`);
  });
  const inOrder = options.runs.map((run) => outcomes.get(run)!);
  const isUpdate = options.update && disturbed.length === 0;
  const changes = (isUpdate ? updatePinned : verifyPinned)(suite.version, inOrder);
  const problems = [...disturbed, ...changes];
  for (const problem of problems) console.error(`\n${problem}`);
  if (problems.length > 0) return 1;
  if (options.isComplete) writeFileSync(PAGE, await conformancePage(suite, inOrder));
  return 0;
}

/** A run in which the cache itself failed says something about the machine only: it is repeated once. */
async function runUndisturbed(...given: Parameters<typeof runOnce>): ReturnType<typeof runOnce> {
  const first = await runOnce(...given);
  if (first.faults.length === 0) return first;
  const [, , run] = given;
  console.log(`${runName(run)}: runs again, for ${faultText(run, first.faults)}`);
  return runOnce(...given);
}

/**
 * Runs the suite once. Its tests count seconds, so a busy machine changes verdicts: those that are not the pinned ones are taken
 * from a repetition of these tests alone. What has really changed, changes there, too.
 */
async function runOnce(
  options: ConformanceArguments,
  suite: ConformanceSuite,
  run: ConformanceRun,
  redisUrl: string | undefined,
): Promise<{
  readonly outcome: RunOutcome;
  readonly inFront: number;
  readonly faults: readonly string[];
}> {
  const first = await forkRun(options, run, redisUrl, { only: [], isVerbose: false });
  let { results } = first;
  const faults = [...first.faults];
  const pinned = run.subject === 'cachewell' ? readPinned(run.profile) : undefined;
  for (let repeats = 0; repeats < MOST_REPEATS && pinned !== undefined; repeats++) {
    const changes = compareVerdicts(pinned.verdicts[run.mode], suite.judge(results));
    const known = changes.filter(({ after }) => after !== undefined);
    if (known.length === 0) break;
    const only = [...new Set(known.flatMap(({ id }) => suite.basesOf(id)))];
    console.log(`${runName(run)}: repeats ${only.join(', ')}`);
    const again = await forkRun(options, run, redisUrl, { only, isVerbose: false });
    results = { ...results, ...again.results };
    faults.push(...again.faults);
  }
  return { outcome: { run, tests: suite.judge(results), results }, inFront: first.inFront, faults };
}

/** A store that failed was passed by: the verdicts of such a run are about the machine. */
function faultText(run: ConformanceRun, faults: readonly string[]): string {
  return `${runName(run)}: the cache failed ${faults.length} times, first in\n  ${faults[0]}`;
}

async function inParallel<Item>(
  jobs: number,
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async (): Promise<void> => {
    for (const item of queue) await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(jobs, items.length) }, worker));
}
