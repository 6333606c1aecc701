/**
 * `npm test`: builds, compiles the specs in both decorator dialects, sees to a redis-server and a Chromium, and runs
 * them all.
 *
 * What follows `--` goes to mocha, such as `npm test -- --grep MemoryBackend`. `--only=unit/cache` runs the specs below
 * one folder, or one file; `--coverage` measures the run.
 */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findOrInstallChromium } from './ensure-chromium.mjs';
import { findOrInstallRedis } from './ensure-redis.mjs';
import { binary, failWith, root, runNode } from './run-command.mjs';

const SUMMARY = 'build/results/test.json';

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

const mocha = [
  binary('mocha'),
  ...(only === undefined ? [] : selection(only)),
  '--reporter=scripts/summary-reporter.cjs',
  `--reporter-option=output=${SUMMARY}`,
  ...mochaArguments,
];
const measured = [
  binary('c8'),
  ...typeOnlyFiles().map((file) => `--exclude=${file}`),
  process.execPath,
];
const code = await runNode(isMeasured ? [...measured, ...mocha] : mocha, {
  env: { ...process.env, REDIS_SERVER_BIN: server, CHROMIUM_BIN: browser },
});
if (!existsSync(join(root, SUMMARY))) failWith('mocha ended without a result');
const { passed, failed } = JSON.parse(readFileSync(join(root, SUMMARY), 'utf8'));
if (passed + failed === 0) failWith('no test was run');
process.exit(code);

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

/** Specs named on the command line are added to those of `.mocharc.json`, so a selection has to replace the file. */
function selection(path) {
  const { spec: _, ...settings } = JSON.parse(readFileSync(join(root, '.mocharc.json'), 'utf8'));
  const options = Object.entries(settings).flatMap(([name, value]) => {
    if (typeof value === 'boolean') return value ? [`--${name}`] : [];
    return [value].flat().map((each) => `--${name}=${each}`);
  });
  const pattern = path.endsWith('.spec.ts') ? path.replace(/ts$/, 'js') : `${path}/**/*.spec.js`;
  return ['--no-config', ...options, `build/spec/*/${pattern}`];
}
