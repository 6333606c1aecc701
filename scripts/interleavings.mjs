/**
 * Runs every pair of a way to fill and a way to invalidate in every order of their steps, in every world, each to its
 * end, against promise P1: `node scripts/interleavings.mjs`. It prints how many orders each world has.
 *
 * `--grep` picks some, as in `--grep "tiered, 2 nodes"`.
 */
import { runSpec } from './run-spec.mjs';

process.exit(
  await runSpec('property/interleavings.spec.js', { INTERLEAVINGS: 'all' }, process.argv.slice(2)),
);
