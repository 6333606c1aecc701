/**
 * Runs the public suite http-tests/cache-tests against Express applications with the bridge, and compares its verdicts with
 * the pinned ones: `npm run http-conformance -- --suite PATH`. Without a suite it lists the options.
 */
import { failWith, runNode } from './run-command.mjs';

const steps = [
  ['scripts/compile.mjs', 'tsconfig.build.json'],
  ['scripts/compile.mjs', '--fast', 'spec/tsconfig.json'],
];
for (const step of steps) if ((await runNode(step)) !== 0) failWith(`${step[0]} failed`);

process.exit(
  await runNode([
    '--enable-source-maps',
    'build/spec/standard/support/http-conformance/main.js',
    ...process.argv.slice(2),
  ]),
);
