/**
 * Runs a thousand chaos rounds on tiers with their real times against promise P3: `node scripts/chaos.mjs`.
 *
 * `CHAOS_ROUNDS` is how many, `CHAOS_SCALE` by what heartbeat and `maxStaleness` are multiplied. The summary tells how
 * many reads gave a value that was overtaken, and for how long at the most; what breaks the promise fails the run.
 */
import { failWith } from './run-command.mjs';
import { runSpec } from './run-spec.mjs';

const rounds = Number(process.env.CHAOS_ROUNDS ?? 1_000);
const scale = Number(process.env.CHAOS_SCALE ?? 1);
if (!Number.isSafeInteger(rounds) || rounds < 1) failWith(`CHAOS_ROUNDS is no number: ${rounds}`);
if (!(scale > 0 && scale <= 10)) failWith(`CHAOS_SCALE is not above 0 and at most 10: ${scale}`);

process.exit(
  await runSpec('integration/redis/chaos.it.spec.js', {
    CHAOS_ROUNDS: String(rounds),
    CHAOS_SCALE: String(scale),
  }),
);
