/**
 * `npm test`: builds, compiles the specs in both decorator dialects, sees to a redis-server and a Chromium, and runs
 * them all.
 *
 * The long properties run beside all other specs; what they print comes behind theirs. What follows `--` goes to mocha,
 * such as `npm test -- --grep MemoryBackend`. `--only=unit/cache` runs the specs below one folder, or one file;
 * `--coverage` measures the run.
 *
 * Specs of real servers and browsers depend on real time, so a busy machine can disturb them. In a whole run, files of
 * such specs that failed, a few at most, run once more by themselves; the report names each that passed only then. All
 * other specs have one run.
 */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { findOrInstallChromium } from './ensure-chromium.mjs';
import { findOrInstallRedis } from './ensure-redis.mjs';
import { binary, failWith, root, runNode } from './run-command.mjs';

const FOLDER = 'build/results';
const SUMMARY = `${FOLDER}/test.json`;
const LONG = 'property';
/** Where specs depend on real time. Those that search for violations of the promises are not among them: they find, or do not. */
const REAL_TIME =
  /^build\/spec\/[^/]+\/(?:integration|express|examples|package|contract\/redis)(?!.*(?:consistency|chaos|fences|interleavings|fresh-reads|in-front))/;
const MOST_DISTURBED_FILES = 4;

const MOCHA_SETTINGS = JSON.parse(readFileSync(join(root, '.mocharc.json'), 'utf8'));

const OWN_ARGUMENT = /^--(?:coverage$|only=)/;

const mochaArguments = process.argv.slice(2).filter((argument) => !OWN_ARGUMENT.test(argument));
const isMeasured = process.argv.includes('--coverage');
const only = process.argv
  .find((argument) => argument.startsWith('--only='))
  ?.slice('--only='.length);

rmSync(join(root, SUMMARY), { force: true });
await step('the build', ['scripts/compile.mjs', 'tsconfig.build.json']);
await step('compiling the specs', [
  'scripts/compile.mjs',
  '--fast',
  'spec/tsconfig.json',
  'spec/tsconfig.legacy.json',
]);
let server;
let browser;
try {
  server = await findOrInstallRedis();
  browser = await findOrInstallChromium();
} catch (error) {
  failWith(error.message);
}

const isWhole = only === undefined && !isMeasured && mochaArguments.length === 0;
const lanes = isWhole
  ? [selection(undefined, { without: LONG }), selection(LONG)]
  : [selection(only)];
mkdirSync(join(root, FOLDER), { recursive: true });
const results = await Promise.all(lanes.map(runLane));
for (const { output } of results) process.stdout.write(output);
const summaries = results.map(({ summary }) => readSummary(summary));
const sum = (name) => summaries.reduce((total, each) => total + each[name], 0);
const total = { passed: sum('passed'), failed: sum('failed'), skipped: sum('skipped') };
if (total.passed + total.failed === 0) failWith('no test was run');

let failures = summaries.flatMap((each) => each.failures);
let hasFailed = results.some(({ code }) => code !== 0);
const disturbed = new Set(failures.map(({ file }) => relative(root, file ?? '')));
if (
  isWhole &&
  failures.length > 0 &&
  disturbed.size <= MOST_DISTURBED_FILES &&
  [...disturbed].every((file) => REAL_TIME.test(file))
) {
  console.log(`\nonce more, by themselves: ${[...disturbed].join(', ')}`);
  const { code, summary } = await runLane(['--no-config', ...mochaOptions(), ...disturbed], 0);
  const again = readSummary(summary);
  if (code === 0 && again.failed === 0 && again.passed > 0) {
    for (const { title, error } of failures) {
      console.log(`\npassed only when run by itself: ${title}\n${error}`);
    }
    total.passed += failures.length;
    total.failed -= failures.length;
    hasFailed = false;
  }
  failures = again.failures;
}
writeFileSync(join(root, SUMMARY), JSON.stringify({ ...total, failures }));
console.log(
  `\n  ${total.passed} passing, ${total.failed} failing, ${total.skipped} pending in all`,
);
// Not `exit`, which would cut off what a pipe has not taken yet.
process.exitCode = hasFailed ? 1 : 0;

function readSummary(file) {
  if (!existsSync(file)) failWith('mocha ended without a result');
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Runs one mocha process. The first one shows what it prints; that of the others is kept until all have ended. */
async function runLane(files, index) {
  const summary = join(root, FOLDER, `test-${index}.json`);
  rmSync(summary, { force: true });
  const mocha = [
    binary('mocha'),
    ...files,
    '--reporter=scripts/summary-reporter.cjs',
    `--reporter-option=output=${summary}`,
    ...mochaArguments,
  ];
  const measured = [
    binary('c8'),
    ...typeOnlyFiles().map((file) => `--exclude=${file}`),
    process.execPath,
  ];
  const env = { ...process.env, REDIS_SERVER_BIN: server, CHROMIUM_BIN: browser };
  const args = isMeasured ? [...measured, ...mocha] : mocha;
  if (index === 0) return { code: await runNode(args, { env }), output: '', summary };
  const log = join(root, FOLDER, `test-${index}.log`);
  const file = openSync(log, 'w');
  const code = await runNode(args, { env, stdio: ['ignore', file, file] });
  closeSync(file);
  return { code, output: readFileSync(log, 'utf8'), summary };
}

/** Files of types alone: nothing of them is left to run, so they would count as never covered. */
function typeOnlyFiles() {
  return readdirSync(join(root, 'dist'), { recursive: true })
    .filter((file) => file.endsWith('.js'))
    .filter((file) =>
      /^(?:\/\*[^]*?\*\/|\/\/.*|\s)*export \{\};/.test(
        readFileSync(join(root, 'dist', file), 'utf8'),
      ),
    )
    .map((file) => `src/${file.replace(/js$/, 'ts')}`);
}

async function step(what, args) {
  const status = await runNode(args);
  if (status !== 0) failWith(`${what} failed`);
}

/**
 * The arguments for a part of the specs. Those named on the command line are added to those of `.mocharc.json`, so a
 * selection has to replace the file.
 */
function selection(path, { without } = {}) {
  const { spec } = MOCHA_SETTINGS;
  const options = mochaOptions();
  const ignored = without === undefined ? [] : [`--ignore=build/spec/*/${without}/**`];
  if (path === undefined) return ['--no-config', ...options, ...ignored, ...spec];
  const pattern = path.endsWith('.spec.ts') ? path.replace(/ts$/, 'js') : `${path}/**/*.spec.js`;
  return ['--no-config', ...options, ...ignored, `build/spec/*/${pattern}`];
}

function mochaOptions() {
  const { spec: _spec, ...settings } = MOCHA_SETTINGS;
  return Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [`--${name}`] : [];
    return [value].flat().map((each) => `--${name}=${each}`);
  });
}
