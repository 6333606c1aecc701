/**
 * Mocha's `spec` reporter, plus a file of the counts for whoever sums several runs up.
 *
 * The file is written at the end only: a run that crashed leaves none, which counts as a failure. A process that does not
 * end by itself afterwards, because a test left something open, is ended as a failure.
 */
const { mkdirSync, writeFileSync } = require('node:fs');
const { dirname } = require('node:path');
const { reporters } = require('mocha');

const GRACE_MS = 30_000;

module.exports = class SummaryReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { output } = options.reporterOption ?? {};
    runner.once('end', () => {
      if (output === undefined) return;
      const { passes, failures, pending, duration } = runner.stats;
      mkdirSync(dirname(output), { recursive: true });
      writeFileSync(
        output,
        JSON.stringify({
          passed: passes,
          failed: failures,
          skipped: pending,
          durationMs: duration,
        }),
      );
      setTimeout(() => {
        const open = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout');
        console.error(
          `the tests left something open: ${[...new Set(open)].join(', ') || 'timers'}`,
        );
        process.exit(1);
      }, GRACE_MS).unref();
    });
  }
};
