/**
 * Mocha's `spec` reporter, plus a file of the counts and the failures for whoever sums several runs up.
 *
 * The file is written at the end only: a run that crashed leaves none, which counts as a failure. A process that does not
 * come to rest afterwards, because a test left something open, is ended as a failure.
 */
const { mkdirSync, writeFileSync } = require('node:fs');
const { dirname } = require('node:path');
const { reporters } = require('mocha');

const GRACE_MS = 30_000;
// Specs may put a clock of their own in its place.
const { setTimeout } = globalThis;

module.exports = class SummaryReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const { output } = options.reporterOption ?? {};
    const failures = [];
    runner.on('fail', (test, error) => {
      failures.push({
        title: test.fullTitle(),
        file: test.file,
        error: error?.stack ?? String(error),
      });
    });
    runner.once('end', () => {
      endAtRest();
      if (output === undefined) return;
      const { stats } = runner;
      mkdirSync(dirname(output), { recursive: true });
      writeFileSync(
        output,
        JSON.stringify({
          passed: stats.passes,
          failed: stats.failures,
          skipped: stats.pending,
          durationMs: stats.duration,
          failures,
        }),
      );
    });
  }
};

function endAtRest() {
  // Node's own clean-up of what hundreds of specs have opened and closed has been seen to spin for ever (20.20): a process
  // that has nothing left to do is ended before it. Mocha sets the exit code as the process exits.
  process.once('beforeExit', () => process.exit());
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().filter((name) => name !== 'Timeout');
    console.error(`the tests left something open: ${[...new Set(open)].join(', ') || 'timers'}`);
    // Behind mocha's own listener, which knows of no failure.
    process.once('exit', () => (process.exitCode = 1));
    process.exit();
  }, GRACE_MS).unref();
}
