import { expect } from 'chai';
import { LANE_VARIABLE } from '../http-listener.js';
import { packageRoot } from '../package-root.js';
import { runProcess } from '../run-process.js';

/**
 * Runs specs in a process of their own where every `httpCache` is marked `front`, as far as it can be, and a fast lane stands
 * in front of every application. Fails when a spec fails, or fewer requests than that were answered in front.
 *
 * @param files - compiled, from the root of the package
 * @returns what they printed
 */
export async function expectMarkedSpecs(
  files: readonly string[],
  leastInFront: number,
  env: NodeJS.ProcessEnv = {},
): Promise<string> {
  expect(files.length, 'files').to.be.greaterThan(0);
  const { code, stdout, stderr } = await runProcess(
    process.execPath,
    [`${packageRoot}build/spec/standard/support/front/run-marked.js`, ...files],
    { cwd: packageRoot, env: { ...process.env, ...env, [LANE_VARIABLE]: '1' } },
  );
  expect(code, `${stdout}${stderr}`).to.equal(0);
  const inFront = Number(/answered in front: (\d+)/.exec(stdout)?.[1]);
  expect(inFront, 'answers in front of an application').to.be.at.least(leastInFront);
  return stdout;
}
