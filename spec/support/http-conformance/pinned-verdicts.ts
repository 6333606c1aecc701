import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../package-root.js';
import {
  CONFORMANCE_MODES,
  type ConformanceMode,
  type ConformanceProfile,
} from './conformance-run.js';
import {
  compareVerdicts,
  KINDS,
  verdictText,
  type Judged,
  type Kind,
  type Verdict,
} from './verdicts.js';

/**
 * The verdicts that a profile is known to get, test by test. They may depend on where the handler is, because a proxy has a
 * connection of its own to the origin; they never depend on the store or on the fast lane.
 */
export interface PinnedVerdicts {
  /** The suite that they were given by. */
  readonly suite: string;
  readonly verdicts: Readonly<Record<ConformanceMode, readonly Judged[]>>;
}

interface PinnedFile {
  readonly suite: string;
  /** By group and id: kind and verdict of the run in one process. */
  readonly verdicts: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** By id: what is different when the application is a proxy. */
  readonly proxy: Readonly<Record<string, string>>;
}

/** The pinned verdicts of a profile; `undefined` when it has none yet. */
export function readPinned(profile: ConformanceProfile): PinnedVerdicts | undefined {
  const path = pinnedPath(profile);
  if (!existsSync(path)) return undefined;
  const { suite, verdicts, proxy } = JSON.parse(readFileSync(path, 'utf8')) as PinnedFile;
  const inProcess = Object.entries(verdicts).flatMap(([group, tests]) =>
    Object.entries(tests).map(([id, text]) => ({ group, id, ...parseVerdict(text) })),
  );
  const behindProxy = inProcess.map((each) => {
    const text = proxy[each.id];
    return text === undefined ? each : { ...each, ...parseVerdict(text) };
  });
  return { suite, verdicts: { 'in-process': inProcess, proxy: behindProxy } };
}

export function writePinned(
  profile: ConformanceProfile,
  { suite, verdicts: { 'in-process': inProcess, proxy } }: PinnedVerdicts,
): void {
  const verdicts: Record<string, Record<string, string>> = {};
  for (const each of inProcess) (verdicts[each.group] ??= {})[each.id] = verdictText(each);
  const file: PinnedFile = {
    suite,
    verdicts,
    proxy: Object.fromEntries(
      compareVerdicts(inProcess, proxy).flatMap(({ id, after }) =>
        after === undefined ? [] : [[id, after]],
      ),
    ),
  };
  mkdirSync(dirname(pinnedPath(profile)), { recursive: true });
  writeFileSync(pinnedPath(profile), `${JSON.stringify(file, undefined, 2)}\n`);
}

/** Whether every mode has verdicts: only then can they be pinned. */
export function hasEveryMode(
  verdicts: Partial<PinnedVerdicts['verdicts']>,
): verdicts is PinnedVerdicts['verdicts'] {
  return CONFORMANCE_MODES.every((mode) => verdicts[mode] !== undefined);
}

function parseVerdict(text: string): { readonly kind: Kind; readonly verdict: Verdict } {
  const [kind, verdict, ...rest] = text.split(' ');
  if (!KINDS.includes(kind as Kind) || verdict === undefined || rest.length > 0) {
    throw new Error(`A pinned verdict is no kind and verdict: ${text}`);
  }
  return { kind: kind as Kind, verdict: verdict as Verdict };
}

function pinnedPath(profile: ConformanceProfile): string {
  return join(packageRoot, `spec/golden/http-conformance/verdicts-${profile}.json`);
}
