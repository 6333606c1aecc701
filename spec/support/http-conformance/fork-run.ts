import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ConformanceArguments } from './arguments.js';
import { runName, type ConformanceRun } from './conformance-run.js';
import type { RunRequest, RunResult } from './run-suite.js';

/** What came out, and what was printed meanwhile. */
export type ForkedResult = RunResult & { readonly log: string };

/** Runs the suite, or some tests of it, in a process of its own: the suite keeps results in its modules. */
export function forkRun(
  { suite: suitePath, chunkSize }: ConformanceArguments,
  run: ConformanceRun,
  redisUrl: string | undefined,
  tests: Pick<RunRequest, 'only' | 'isVerbose'>,
): Promise<ForkedResult> {
  const request: RunRequest = { suitePath, run, redisUrl, chunkSize, ...tests };
  const program = fileURLToPath(new URL('run-suite.js', import.meta.url));
  return new Promise((resolve, reject) => {
    const child = fork(program, [JSON.stringify(request)], { silent: true });
    let log = '';
    let result: RunResult | undefined;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (log += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (log += text));
    child.on('message', (message) => (result = message as RunResult));
    child.on('error', reject);
    child.on('close', (code) => {
      if (result !== undefined) resolve({ ...result, log });
      else reject(new Error(`${runName(run)} ended with ${code}:\n${log.slice(-5_000)}`));
    });
  });
}
