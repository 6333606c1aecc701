import { CONFORMANCE_PROFILES, runName, type ConformanceRun } from './conformance-run.js';
import { hasEveryMode, readPinned, writePinned } from './pinned-verdicts.js';
import type { RawResults } from './suite.js';
import { compareVerdicts, type Judged, type VerdictChange } from './verdicts.js';

/** What one run of the suite gave. */
export interface RunOutcome {
  readonly run: ConformanceRun;
  readonly tests: readonly Judged[];
  readonly results: RawResults;
}

/**
 * Compares our runs with the pinned verdicts.
 *
 * @returns what differs, one text a run; none = every verdict is as it was
 */
export function verifyPinned(suite: string, outcomes: readonly RunOutcome[]): readonly string[] {
  return own(outcomes).flatMap(({ run, tests, results }) => {
    const pinned = readPinned(run.profile);
    if (pinned === undefined) return [`${runName(run)}: no verdicts are pinned yet; use --update.`];
    const changes = compareVerdicts(pinned.verdicts[run.mode], tests);
    if (changes.length === 0) return [];
    const other =
      pinned.suite === suite ? '' : ` (pinned with suite ${pinned.suite}, this is ${suite})`;
    return [`${runName(run)}: ${changesText(changes, results)}${other}`];
  });
}

/**
 * Pins the verdicts of profiles that ran in every mode.
 *
 * @returns what stands in the way: verdicts that depend on the store or the fast lane, and modes that did not run
 */
export function updatePinned(suite: string, outcomes: readonly RunOutcome[]): readonly string[] {
  const problems: string[] = [];
  for (const profile of CONFORMANCE_PROFILES) {
    const runs = own(outcomes).filter(({ run }) => run.profile === profile);
    if (runs.length === 0) continue;
    const verdicts: Partial<Record<ConformanceRun['mode'], readonly Judged[]>> = {};
    for (const { run, tests, results } of runs) {
      const first = (verdicts[run.mode] ??= tests);
      const changes = compareVerdicts(first, tests);
      if (changes.length > 0) {
        problems.push(
          `${runName(run)} differs from other stores: ${changesText(changes, results)}`,
        );
      }
    }
    if (!hasEveryMode(verdicts)) problems.push(`${profile} did not run in every mode.`);
    else if (problems.length === 0) writePinned(profile, { suite, verdicts });
  }
  return problems;
}

function own(outcomes: readonly RunOutcome[]): readonly RunOutcome[] {
  return outcomes.filter(({ run }) => run.subject === 'cachewell');
}

/** One line a test: what it was, what it is, and what the test says. */
function changesText(changes: readonly VerdictChange[], results: RawResults): string {
  const lines = changes.map(({ id, before, after }) => {
    const result = results[id];
    const why = result === undefined || result === true ? '' : `  ${result[0]}: ${result[1]}`;
    return `  ${id}: ${before ?? 'no such test'} -> ${after ?? 'gone'}${why}`;
  });
  return `${changes.length} verdicts changed\n${lines.join('\n')}`;
}
