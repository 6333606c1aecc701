/**
 * `npm run check`: every gate but the tests. All of them run, also after a failure; names select some, as in
 * `npm run check -- lint layers`.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { binary, failWith, root, runNode } from './run-command.mjs';

const STEPS = {
  build: ['scripts/compile.mjs', 'tsconfig.build.json'],
  format: [binary('prettier'), '--check', '--log-level=warn', '.'],
  lint: ['scripts/check-lint.mjs'],
  layers: ['scripts/check-layers.mjs'],
  types: ['scripts/check-types.mjs'],
  examples: ['scripts/compile.mjs', '--fast', 'examples/tsconfig.json', 'benchmarks/tsconfig.json'],
  unused: [binary('knip')],
  package: ['scripts/check-package.mjs'],
  docs: [binary('typedoc')],
};

const selected = process.argv.slice(2);
const unknown = selected.filter((name) => !(name in STEPS));
if (unknown.length > 0) {
  failWith(`no such check: ${unknown.join(', ')}; there are ${Object.keys(STEPS).join(', ')}`);
}

const results = [];
for (const [name, args] of Object.entries(STEPS)) {
  if (selected.length > 0 && !selected.includes(name)) continue;
  console.log(`\n== ${name}`);
  const startedAtMs = performance.now();
  const code = await runNode(args);
  results.push({
    name,
    passed: code === 0,
    durationMs: Math.round(performance.now() - startedAtMs),
  });
}

mkdirSync(join(root, 'build/results'), { recursive: true });
writeFileSync(join(root, 'build/results/check.json'), JSON.stringify(results));
console.log();
for (const { name, passed, durationMs } of results) {
  console.log(
    `${passed ? 'ok    ' : 'FAILED'} ${name.padEnd(8)} ${(durationMs / 1000).toFixed(1)} s`,
  );
}
process.exit(results.every(({ passed }) => passed) ? 0 : 1);
