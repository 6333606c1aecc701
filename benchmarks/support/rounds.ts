import { performance } from 'node:perf_hooks';

/** What is measured. */
export interface Subject {
  readonly name: string;
  /**
   * Does the work so many times. Each subject writes its own loop: a loop that all of them share would call through
   * one megamorphic site, whose cost hides the difference between them.
   */
  run(count: number): void | Promise<void>;
}

/** How subjects are measured. */
export interface RoundOptions {
  /** How often each subject has its turn. */
  readonly rounds: number;
  /** How long a turn takes, about, in milliseconds. */
  readonly turnMs: number;
  /** Rounds before those that count, so that the compiler has seen everybody. @defaultValue 2 */
  readonly warmUps?: number;
}

/** Nanoseconds per piece of work, round by round. */
export interface Timing {
  readonly name: string;
  /** As a clock on the wall shows it: what other programs do meanwhile is part of it. */
  readonly wallNs: readonly number[];
  /** Processor time of all threads of this process, which other programs hardly change. */
  readonly cpuNs: readonly number[];
}

/**
 * Measures subjects in turns: in each round every subject runs once, and each round begins with another subject, so
 * that what happens to the machine happens to all of them.
 */
export async function measureInRounds(
  subjects: readonly Subject[],
  { rounds, turnMs, warmUps = 2 }: RoundOptions,
): Promise<readonly Timing[]> {
  const counts: number[] = [];
  for (const subject of subjects) counts.push(await calibrate(subject, turnMs));
  const timings = subjects.map(({ name }) => ({
    name,
    wallNs: [] as number[],
    cpuNs: [] as number[],
  }));
  for (let round = -warmUps; round < rounds; round++) {
    for (let turn = 0; turn < subjects.length; turn++) {
      const index = (turn + round + warmUps) % subjects.length;
      const count = counts[index]!;
      const { wallMs, cpuMs } = await timeTurn(subjects[index]!, count);
      if (round >= 0) {
        timings[index]!.wallNs.push((wallMs * 1e6) / count);
        timings[index]!.cpuNs.push((cpuMs * 1e6) / count);
      } else {
        // The first guess was made before the code was compiled.
        counts[index] = Math.max(1, Math.round((count * turnMs) / Math.max(wallMs, 1e-3)));
      }
    }
  }
  return timings;
}

async function calibrate(subject: Subject, turnMs: number): Promise<number> {
  for (let count = 1; ; count *= 4) {
    const { wallMs } = await timeTurn(subject, count);
    if (wallMs >= turnMs / 4) return Math.max(1, Math.round((count * turnMs) / wallMs));
  }
}

async function timeTurn(
  subject: Subject,
  count: number,
): Promise<{ readonly wallMs: number; readonly cpuMs: number }> {
  const cpuBefore = process.cpuUsage();
  const startedAtMs = performance.now();
  const done = subject.run(count);
  if (done !== undefined) await done;
  const wallMs = performance.now() - startedAtMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { wallMs, cpuMs: (user + system) / 1000 };
}
