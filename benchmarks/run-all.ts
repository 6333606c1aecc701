/*
 * Runs all benchmarks one after the other, each in a process of its own, with short rounds. `--full` gives them their
 * usual rounds, and other options go to each of them, such as `npm run bench -- --full --save`.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = new URL('./', import.meta.url);
const args = process.argv.slice(2);
const passedOn = args.includes('--full')
  ? args.filter((argument) => argument !== '--full')
  : ['--quick', ...args];
const failed: string[] = [];

const files = readdirSync(folder).filter((file) => file.endsWith('.bench.js'));
for (const file of files.sort()) {
  const { status } = spawnSync(
    process.execPath,
    [fileURLToPath(new URL(file, folder)), ...passedOn],
    { stdio: 'inherit' },
  );
  process.stdout.write('\n');
  if (status !== 0) failed.push(file);
}
if (failed.length > 0) {
  process.stderr.write(`error: ${failed.join(', ')} failed\n`);
  process.exitCode = 1;
}
