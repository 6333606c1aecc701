/** Holds the measured coverage of `src` against what each part has to reach. */
import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { failWith, root } from './run-command.mjs';

/** Percentages of covered lines and branches; the first folder that fits a file is its folder. */
const REQUIRED = {
  'src/manager/': { lines: 100, branches: 95 },
  'src/decorators/': { lines: 95, branches: 90 },
  'src/': { lines: 95, branches: 90 },
};

const { total: _, ...files } = JSON.parse(
  readFileSync(join(root, 'coverage/coverage-summary.json'), 'utf8'),
);
const shortfalls = [];
for (const [folder, required] of Object.entries(REQUIRED)) {
  const inside = Object.entries(files).filter(([file]) => relative(root, file).startsWith(folder));
  if (inside.length === 0) failWith(`coverage: no file of ${folder} was measured`);
  for (const [kind, percent] of Object.entries(required)) {
    const covered = inside.reduce((sum, [, counts]) => sum + counts[kind].covered, 0);
    const all = inside.reduce((sum, [, counts]) => sum + counts[kind].total, 0);
    const reached = all === 0 ? 100 : (100 * covered) / all;
    console.log(`coverage: ${folder} ${kind} ${reached.toFixed(1)} % (required ${percent} %)`);
    if (reached < percent) shortfalls.push(`${folder} ${kind}`);
  }
}
if (shortfalls.length > 0) failWith(`coverage too low: ${shortfalls.join(', ')}`);
