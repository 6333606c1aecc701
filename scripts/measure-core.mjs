/**
 * Measures what the core entry costs a program that imports it: the time of a cold import (median of 15 processes),
 * and the bytes of the files that it loads, its own and its peers' apart.
 *
 *   node scripts/measure-core.mjs [entry]       `cachewell` when absent; prints JSON
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { captureNode, failWith, root } from './run-command.mjs';

const RUNS = 15;
const entry = process.argv[2] ?? 'cachewell';

const TIMED = `
  const startedAtMs = performance.now();
  await import(${JSON.stringify(entry)});
  console.log(performance.now() - startedAtMs);
`;

function evaluate(code, args = [], env = process.env) {
  const { status, stdout, stderr } = captureNode([...args, '--input-type=module', '-e', code], {
    env,
  });
  if (status !== 0) failWith(`importing ${entry} failed:\n${stderr}`);
  return stdout;
}

const timesMs = Array.from({ length: RUNS }, () => Number(evaluate(TIMED))).sort((a, b) => a - b);

const directory = mkdtempSync(join(tmpdir(), 'cachewell-measure-'));
const log = join(directory, 'imports.jsonl');
evaluate(
  `await import(${JSON.stringify(entry)})`,
  ['--import', join(root, 'scripts/record-imports.mjs')],
  {
    ...process.env,
    RECORD_IMPORTS_TO: log,
  },
);
const files = new Set(
  readFileSync(log, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).url)
    .filter((url) => url.startsWith('file:'))
    .map((url) => fileURLToPath(url)),
);
rmSync(directory, { recursive: true });

const own = [...files].filter((file) => file.startsWith(join(root, 'dist')));
const sources = own.map((file) => readFileSync(file));
console.log(
  JSON.stringify(
    {
      entry,
      node: process.version,
      runs: RUNS,
      coldImportMs: {
        median: round(timesMs[(RUNS - 1) / 2]),
        min: round(timesMs[0]),
        max: round(timesMs[RUNS - 1]),
      },
      files: own.length,
      bytes: sources.reduce((sum, source) => sum + source.length, 0),
      gzipBytes: sources.reduce((sum, source) => sum + gzipSync(source).length, 0),
      peerFiles: files.size - own.length,
    },
    null,
    2,
  ),
);

function round(value) {
  return Math.round(value * 10) / 10;
}
