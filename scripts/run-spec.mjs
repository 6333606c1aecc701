import { binary, failWith, runNode } from './run-command.mjs';

/**
 * Builds the library and the specs, and runs one spec file in its long form.
 *
 * @param file - below `build/spec/standard`
 * @param env - what tells the spec how long its run is to be
 * @param mochaArguments - further arguments for mocha
 * @returns the exit code
 */
export async function runSpec(file, env, mochaArguments = []) {
  const steps = [
    ['scripts/compile.mjs', 'tsconfig.build.json'],
    ['scripts/compile.mjs', '--fast', 'spec/tsconfig.json'],
  ];
  for (const step of steps) if ((await runNode(step)) !== 0) failWith(`${step[0]} failed`);
  const mocha = ['--no-config', '--node-option=enable-source-maps', '--forbid-only'];
  const args = [binary('mocha'), ...mocha, ...mochaArguments, `build/spec/standard/${file}`];
  return runNode(args, { env: { ...process.env, ...env } });
}
