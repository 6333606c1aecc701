/**
 * Runs benchmarks: `npm run bench` all of them, one after the other; `npm run bench -- codecs` those whose path has the
 * name in it. Arguments that begin with a dash go to the benchmark, as in `npm run bench -- codecs --records=100`.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { failWith, root, runNode } from './run-command.mjs';

const DIRECTORY = 'build/benchmarks';

const names = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const options = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const all = readdirSync(join(root, DIRECTORY), { recursive: true })
  .filter((file) => file.endsWith('.bench.js'))
  .sort();
const selected = all.filter(
  (file) => names.length === 0 || names.some((name) => file.includes(name)),
);
if (selected.length === 0) failWith(`no such benchmark; there are:\n${all.join('\n')}`);

let failed = false;
for (const file of selected) {
  console.log(`\n== ${file}`);
  const code = await runNode(['--expose-gc', join(DIRECTORY, file), ...options]);
  failed ||= code !== 0;
}
process.exit(failed ? 1 : 0);
