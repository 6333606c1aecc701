import { parseArgs } from 'node:util';
import {
  CONFORMANCE_BACKENDS,
  CONFORMANCE_MODES,
  CONFORMANCE_PROFILES,
  CONFORMANCE_SUBJECTS,
  type ConformanceRun,
} from './conformance-run.js';

export const USAGE = `usage: npm run http-conformance -- --suite PATH [option]…

  --suite PATH      a checkout of http-tests/cache-tests, in which 'npm install undici@7' was run
  --update          take what comes out as the verdicts that later runs have to give
  --subject NAME    none | apicache | cachewell (default: all three)
  --profile NAME    rfc9111 | safe (default: both)
  --backend NAME    memory | redis | tiered (default: all)
  --mode NAME       in-process | proxy (default: both)
  --front WORD      on | off: with and without accelerate() in front (default: both)
  --only ID,…       only these tests or groups; prints every message, compares nothing
  --jobs N          how many runs at a time (default: 3)
  --chunk N         how many tests of a run at a time (default: 25, as the suite itself)

Each option but --update may be given several times. Without a choice of runs the page docs/HTTP-CONFORMANCE.md is written.`;

export interface ConformanceArguments {
  /** Path of the suite. */
  readonly suite: string;
  readonly runs: readonly ConformanceRun[];
  /** Whether these are all runs there are. */
  readonly isComplete: boolean;
  readonly update: boolean;
  readonly only: readonly string[];
  readonly jobs: number;
  readonly chunkSize: number;
}

/** Says what is wrong with the arguments. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @throws {@link UsageError} when they cannot be meant */
export function parseArguments(args: readonly string[]): ConformanceArguments {
  const { suite, update, only, jobs, chunk, ...chosen } = parsedOptions(args);
  if (suite === undefined) throw new UsageError('Where is the suite? Name it by --suite.');
  return {
    suite,
    runs: runsOf(chosen),
    isComplete: Object.values(chosen).every((each) => each === undefined) && only === undefined,
    update,
    only: only?.flatMap((each) => each.split(',')) ?? [],
    jobs: count('jobs', jobs),
    chunkSize: count('chunk', chunk),
  };
}

type Choices = Readonly<
  Record<'subject' | 'profile' | 'backend' | 'mode' | 'front', readonly string[] | undefined>
>;

function runsOf({ subject, profile, backend, mode, front }: Choices): readonly ConformanceRun[] {
  const subjects = choice('subject', subject, CONFORMANCE_SUBJECTS);
  const profiles = choice('profile', profile, CONFORMANCE_PROFILES);
  const backends = choice('backend', backend, CONFORMANCE_BACKENDS);
  const modes = choice('mode', mode, CONFORMANCE_MODES);
  const fronts = choice('front', front, ['off', 'on']);
  // What is not ours has neither profile nor store.
  const others = subjects
    .filter((each) => each !== 'cachewell')
    .map((each) => ({ ...PLAIN, subject: each }));
  const own = !subjects.includes('cachewell')
    ? []
    : profiles.flatMap((eachProfile) =>
        backends.flatMap((eachBackend) =>
          modes.flatMap((eachMode) =>
            fronts.map((eachFront) => ({
              subject: 'cachewell' as const,
              profile: eachProfile,
              backend: eachBackend,
              mode: eachMode,
              isFront: eachFront === 'on',
            })),
          ),
        ),
      );
  return [...others, ...own];
}

const PLAIN: ConformanceRun = {
  subject: 'none',
  profile: 'rfc9111',
  backend: 'memory',
  mode: 'in-process',
  isFront: false,
};

function parsedOptions(args: readonly string[]): ReturnType<typeof parseStrictly> {
  try {
    return parseStrictly(args);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

// The return type of `parseArgs` follows from its options.
function parseStrictly(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      suite: { type: 'string' },
      update: { type: 'boolean', default: false },
      subject: { type: 'string', multiple: true },
      profile: { type: 'string', multiple: true },
      backend: { type: 'string', multiple: true },
      mode: { type: 'string', multiple: true },
      front: { type: 'string', multiple: true },
      only: { type: 'string', multiple: true },
      jobs: { type: 'string', default: '3' },
      chunk: { type: 'string', default: '25' },
    },
  });
  const { subject, profile, backend, mode, front, only, suite, ...rest } = values;
  return { ...rest, subject, profile, backend, mode, front, only, suite };
}

function choice<Word extends string>(
  option: string,
  given: readonly string[] | undefined,
  known: readonly Word[],
): readonly Word[] {
  for (const each of given ?? []) {
    if (!known.some((word) => word === each)) {
      throw new UsageError(`--${option} is one of ${known.join(', ')}, not ${each}.`);
    }
  }
  return known.filter((word) => given === undefined || given.includes(word));
}

function count(option: string, given: string): number {
  const value = Number(given);
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new UsageError(`--${option} is a whole number above 0, not ${given}.`);
}
