/**
 * Runs every pair of a way to fill and a way to invalidate in every order of their steps, in every world, each to its
 * end, against promise P1: `node scripts/interleavings.mjs`. It prints how many orders each world has.
 *
 * `--grep` picks some, as in `--grep "tiered, 2 nodes"`.
 */
import { binary, failWith, runNode } from './run-command.mjs';

const steps = [
  ['scripts/compile.mjs', 'tsconfig.build.json'],
  ['scripts/compile.mjs', '--fast', 'spec/tsconfig.json'],
];
for (const step of steps) if ((await runNode(step)) !== 0) failWith(`${step[0]} failed`);

const mocha = ['--no-config', '--node-option=enable-source-maps', '--forbid-only'];
const spec = 'build/spec/standard/property/interleavings.spec.js';
process.exit(
  await runNode([binary('mocha'), ...mocha, ...process.argv.slice(2), spec], {
    env: { ...process.env, INTERLEAVINGS: 'all' },
  }),
);
