/**
 * Runs a million random schedules against promise P1, from a seed that it prints: `node scripts/schedules.mjs`.
 *
 * `SCHEDULES` is how many, `SCHEDULES_SEED` where they begin. A failure is printed with the steps that led to it.
 */
import { failWith } from './run-command.mjs';
import { runSpec } from './run-spec.mjs';

const count = Number(process.env.SCHEDULES ?? 1_000_000);
const seed = Number(process.env.SCHEDULES_SEED ?? Date.now() % 2 ** 31);
if (!Number.isSafeInteger(count) || count < 1) failWith(`SCHEDULES is no number: ${count}`);
if (!Number.isSafeInteger(seed) || seed < 0) failWith(`SCHEDULES_SEED is no number: ${seed}`);

console.log(`${count} schedules from seed ${seed}`);
process.exit(
  await runSpec('property/schedules.spec.js', {
    SCHEDULES: String(count),
    SCHEDULES_SEED: String(seed),
  }),
);
