/**
 * Runs a million random schedules against promise P1, from a seed that it prints: `node scripts/schedules.mjs`.
 *
 * `SCHEDULES` is how many, `SCHEDULES_SEED` where they begin. A failure is printed with the steps that led to it.
 */
import { binary, failWith, runNode } from './run-command.mjs';

const count = Number(process.env.SCHEDULES ?? 1_000_000);
const seed = Number(process.env.SCHEDULES_SEED ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(count) || count < 1) failWith(`SCHEDULES is no number: ${count}`);
if (!Number.isSafeInteger(seed) || seed < 0) failWith(`SCHEDULES_SEED is no number: ${seed}`);

const steps = [
  ['scripts/compile.mjs', 'tsconfig.build.json'],
  ['scripts/compile.mjs', '--fast', 'spec/tsconfig.json'],
];
for (const step of steps) if ((await runNode(step)) !== 0) failWith(`${step[0]} failed`);

console.log(`${count} schedules from seed ${seed}`);
const mocha = ['--no-config', '--node-option=enable-source-maps', '--forbid-only'];
process.exit(
  await runNode([binary('mocha'), ...mocha, 'build/spec/standard/property/schedules.spec.js'], {
    env: { ...process.env, SCHEDULES: String(count), SCHEDULES_SEED: String(seed) },
  }),
);
