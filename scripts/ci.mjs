/** Runs the tests and the checks, and ends with one line that counts both. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { root, runNode } from './run-command.mjs';

const TEST = join(root, 'build/results/test.json');
const CHECK = join(root, 'build/results/check.json');

rmSync(TEST, { force: true });
rmSync(CHECK, { force: true });

const total = { passed: 0, failed: 0, skipped: 0 };
const testCode = await runNode(['scripts/test.mjs']);
const test = read(TEST);
if (test !== undefined) {
  total.passed += test.passed;
  total.failed += test.failed;
  total.skipped += test.skipped;
}
// A run that failed without a failing test (a compile error, a crash, no test at all) counts as one failure.
if (testCode !== 0 && (test?.failed ?? 0) === 0) total.failed++;

const checkCode = await runNode(['scripts/check.mjs']);
const checks = read(CHECK) ?? [];
total.passed += checks.filter(({ passed }) => passed).length;
total.failed += checks.filter(({ passed }) => !passed).length;
if (checkCode !== 0 && checks.every(({ passed }) => passed)) total.failed++;

// Once more at the end, where a log that was cut to its last lines still has them.
for (const { title, error } of test?.failures ?? []) {
  console.log(`\nfailed: ${title}\n${error}`);
}
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
process.exit(total.failed === 0 ? 0 : 1);

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Absent or cut off: the exit code tells that something went wrong.
    return undefined;
  }
}
