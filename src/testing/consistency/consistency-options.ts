import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import { toMilliseconds, type Duration } from '../../duration.js';
import {
  expectFunction,
  expectInteger,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../../options.js';
import { resolveMix, type OperationMix } from './operation-mix.js';

/** How `runConsistency` goes about it. */
export interface ConsistencyOptions {
  /** The module that exports `openSubject`: its URL, an absolute path, or a package's name. */
  readonly subject: string | URL;
  /** What `openSubject` gets as `options` in every process, such as the URL of a server. Must be plain data. */
  readonly subjectOptions?: unknown;
  /**
   * How many processes use the subject, each with one of its own. 1 to 64.
   * @defaultValue 1
   */
  readonly processes?: number | undefined;
  /**
   * How many operations each process has under way at a time. 1 or more.
   * @defaultValue 8
   */
  readonly actors?: number | undefined;
  /**
   * How many keys there are. Fewer keys meet more often, more keys are hit more often. 1 or more.
   * @defaultValue 64
   */
  readonly keys?: number | undefined;
  /**
   * After how many acknowledged invalidations the run ends, all processes together. `Infinity` needs a `duration`.
   * @defaultValue 10_000
   */
  readonly invalidations?: number | undefined;
  /**
   * After how long the run ends at the latest.
   * @defaultValue Infinity
   */
  readonly duration?: Duration | undefined;
  /**
   * How often each kind of operation is chosen, as weights; 0 = never. What the subject cannot do is left out.
   * @defaultValue `DEFAULT_MIX`
   */
  readonly mix?: Partial<OperationMix> | undefined;
  /**
   * How long after its acknowledgement an invalidation may still be unknown to other processes (P3). 0 = not at all,
   * which is right for a store without copies in the processes.
   * @defaultValue 0
   */
  readonly bound?: Duration | undefined;
  /**
   * How long the slowest loads take; most take much less.
   * @defaultValue '20ms'
   */
  readonly slowestLoad?: Duration | undefined;
  /**
   * Repeats the choices of operations, keys and delays. How the processes interleave is up to the machine.
   * @defaultValue 1
   */
  readonly seed?: number | undefined;
  /**
   * How many violations the report shows with what led to them.
   * @defaultValue 10
   */
  readonly examples?: number | undefined;
  /** Does harm while the processes work: stops servers, cuts connections, kills processes. */
  readonly faults?: ((run: ConsistencyRun) => Promise<void>) | undefined;
  /**
   * How long a process may be silent, and an operation may take, before the run fails.
   * @defaultValue '30s'
   */
  readonly patience?: Duration | undefined;
}

/** A run that is going on, for those who disturb it. */
export interface ConsistencyRun {
  /** Aborted when the processes are through; faults should end then. */
  readonly signal: AbortSignal;
  /** Resolves after a while, or at once when the run ends. */
  pause(span: Duration): Promise<void>;
  /** Stops a process, by its place from 0 on, without ending it: its sockets stay open, its timers do not fire. */
  freeze(place: number): void;
  /** Lets a frozen process go on. */
  thaw(place: number): void;
  /** Ends a process as a crash would. Resolves once another one has taken its place. */
  kill(place: number): Promise<void>;
}

/** Options with all defaults. */
export interface ResolvedConsistencyOptions {
  readonly subject: string;
  readonly subjectOptions: unknown;
  readonly processes: number;
  readonly actors: number;
  readonly keys: number;
  readonly invalidations: number;
  readonly durationMs: number;
  readonly mix: OperationMix;
  readonly boundMs: number;
  readonly slowestLoadMs: number;
  readonly seed: number;
  readonly examples: number;
  readonly faults: (run: ConsistencyRun) => Promise<void>;
  readonly patienceMs: number;
}

const KNOWN: readonly (keyof ConsistencyOptions)[] = [
  'subject',
  'subjectOptions',
  'processes',
  'actors',
  'keys',
  'invalidations',
  'duration',
  'mix',
  'bound',
  'slowestLoad',
  'seed',
  'examples',
  'faults',
  'patience',
];

/** @throws {@link InvalidOptionError} naming the option, the value and what was expected */
export function resolveConsistencyOptions(options: ConsistencyOptions): ResolvedConsistencyOptions {
  const owner = 'runConsistency';
  expectOptions(owner, options);
  rejectUnknown(owner, options, KNOWN);
  const count = (
    name: 'processes' | 'actors' | 'keys' | 'seed' | 'examples' | 'invalidations',
    absent: number,
    min: number,
    max: number,
  ): number => expectInteger(`${owner}.${name}`, options[name] ?? absent, min, max);
  const time = (
    name: 'duration' | 'bound' | 'slowestLoad' | 'patience',
    absent: Duration,
  ): number => toMilliseconds(options[name] ?? absent, `${owner}.${name}`);
  const { faults } = options;
  if (faults !== undefined) expectFunction(`${owner}.faults`, faults);
  const durationMs = time('duration', Infinity);
  return Object.freeze({
    subject: moduleUrl(options.subject),
    subjectOptions: options.subjectOptions,
    processes: count('processes', 1, 1, 64),
    actors: count('actors', 8, 1, 10_000),
    keys: count('keys', 64, 1, 1_000_000),
    invalidations: count(
      'invalidations',
      10_000,
      1,
      durationMs === Infinity ? Number.MAX_SAFE_INTEGER : Infinity,
    ),
    durationMs,
    mix: resolveMix(options.mix),
    boundMs: time('bound', 0),
    slowestLoadMs: time('slowestLoad', '20ms'),
    seed: count('seed', 1, 0, 2 ** 32 - 1),
    examples: count('examples', 10, 0, 1000),
    faults: faults ?? (async () => undefined),
    patienceMs: time('patience', '30s'),
  });
}

function moduleUrl(subject: unknown): string {
  if (subject instanceof URL) return subject.href;
  const text = expectText('runConsistency.subject', subject);
  return isAbsolute(text) ? pathToFileURL(text).href : text;
}
