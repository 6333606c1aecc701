import { toMilliseconds, type Duration } from '../../duration.js';
import { expectInteger } from '../../options.js';
import { CheckedProcess } from './checked-process.js';
import { ConsistencyJudge } from './consistency-judge.js';
import {
  resolveConsistencyOptions,
  type ConsistencyOptions,
  type ConsistencyRun,
  type ResolvedConsistencyOptions,
} from './consistency-options.js';
import { FailureTally, type ConsistencyReport } from './consistency-report.js';
import { KeySpace } from './key-space.js';

/**
 * Checks a cache for stale values: processes of its own read, load, put and invalidate through it, an origin says
 * with every value when it was true, and a judge finds each read that returned a value which an acknowledged
 * invalidation had made void. See docs/CONSISTENCY.md.
 *
 * Resolves with the report, violations or not. The verdict has no false positives as long as all processes run on one
 * host: they share its monotonic clock, and what the clock cannot tell apart counts in favour of the cache.
 *
 * @throws {@link InvalidOptionError} naming the option, the value and what was expected
 * @throws {@link ConsistencyRunError} when a process could not open its subject, hung or crashed
 *
 * @example
 * ```ts
 * import { renderConsistencyReport, runConsistency } from 'cachewell/testing';
 *
 * const report = await runConsistency({
 *   subject: new URL('./my-cache-subject.js', import.meta.url),
 *   processes: 3,
 *   invalidations: 100_000,
 * });
 * console.log(renderConsistencyReport(report));
 * if (report.violations > 0) process.exitCode = 1;
 * ```
 */
export async function runConsistency(options: ConsistencyOptions): Promise<ConsistencyReport> {
  return new ProcessGroup(resolveConsistencyOptions(options)).run();
}

/** The processes of a run, each with its place; a killed one is replaced in its place. */
class ProcessGroup implements ConsistencyRun {
  readonly #options: ResolvedConsistencyOptions;
  readonly #judge: ConsistencyJudge;
  readonly #failures = new FailureTally();
  readonly #base = process.hrtime.bigint();
  readonly #ending = new AbortController();
  readonly #places: CheckedProcess[] = [];
  /** Per place: the invalidations that are still to be acknowledged there. */
  readonly #remaining: number[];
  readonly #replacing = new Set<Promise<void>>();
  #numbers = 0;
  #isStopping = false;
  #killed = 0;

  constructor(options: ResolvedConsistencyOptions) {
    this.#options = options;
    const { scopesOf } = new KeySpace(options.keys);
    const { boundMs, examples, processes, invalidations } = options;
    this.#judge = new ConsistencyJudge({ scopesOf, boundMs, examples });
    this.#remaining = Array.from({ length: processes }, () => Math.ceil(invalidations / processes));
  }

  get signal(): AbortSignal {
    return this.#ending.signal;
  }

  async run(): Promise<ConsistencyReport> {
    const { processes, durationMs, faults, keys, seed, boundMs } = this.#options;
    try {
      for (let place = 0; place < processes; place++) this.#places.push(this.#launch(place));
      await Promise.all(this.#places.map((each) => each.opened()));
      const startedAt = performance.now();
      for (const each of this.#places) each.start();
      const timer =
        durationMs === Infinity ? undefined : setTimeout(() => this.#stop(), durationMs);
      const disturbing = faults(this);
      // A disturbance that fails ends the run; its error is thrown below.
      disturbing.catch(() => this.#stop());
      try {
        await this.#allOver();
      } finally {
        clearTimeout(timer);
        this.#ending.abort();
      }
      await disturbing;
      return {
        ...this.#judge.findings(),
        failures: this.#failures.summary(),
        processes,
        killed: this.#killed,
        keys,
        seed,
        boundMs,
        durationMs: performance.now() - startedAt,
      };
    } finally {
      this.#ending.abort();
      await Promise.allSettled(this.#places.map((each) => each.kill()));
    }
  }

  async pause(span: Duration): Promise<void> {
    const ms = toMilliseconds(span, 'ConsistencyRun.pause');
    const { signal } = this;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      signal.addEventListener('abort', end);
    });
  }

  freeze(place: number): void {
    this.#at(place).freeze();
  }

  thaw(place: number): void {
    this.#at(place).thaw();
  }

  async kill(place: number): Promise<void> {
    const victim = this.#at(place);
    if (this.signal.aborted) return;
    const replacing = this.#replace(place, victim);
    this.#replacing.add(replacing);
    await replacing.finally(() => this.#replacing.delete(replacing));
  }

  async #replace(place: number, victim: CheckedProcess): Promise<void> {
    await victim.kill();
    this.#killed++;
    if (this.signal.aborted) return;
    const successor = this.#launch(place);
    this.#places[place] = successor;
    await successor.opened();
    successor.start();
    if (this.#isStopping) successor.stop();
  }

  /** Lets no process begin anything more, those to come included. */
  #stop(): void {
    this.#isStopping = true;
    for (const each of this.#places) each.stop();
  }

  #at(place: number): CheckedProcess {
    return this.#places[expectInteger('ConsistencyRun place', place, 0, this.#places.length - 1)]!;
  }

  #launch(place: number): CheckedProcess {
    const { subject, subjectOptions, keys, actors, mix, slowestLoadMs, seed, patienceMs } =
      this.#options;
    const number = this.#numbers++;
    this.#judge.join(number, Number(process.hrtime.bigint() - this.#base));
    const orders = {
      process: number,
      subject,
      subjectOptions,
      base: this.#base,
      keys,
      actors,
      mix,
      invalidations: this.#remaining[place]!,
      slowestLoadMs,
      patienceMs,
      seed: (seed + Math.imul(number, 0x9e3779b9)) >>> 0,
    };
    const launched = new CheckedProcess(orders, ({ records, failures, progress }) => {
      for (const record of records) {
        this.#judge.add(record);
        if (record.type === 'invalidation' && record.isAcknowledged) this.#remaining[place]!--;
      }
      this.#failures.add(failures);
      this.#judge.advance(number, progress);
    });
    launched.whenOver.then(
      () => this.#judge.leave(number),
      () => undefined,
    );
    return launched;
  }

  /** Resolves when every place's last process is over; rejects as soon as one fails. */
  async #allOver(): Promise<void> {
    for (;;) {
      const present = [...this.#places];
      await Promise.all(present.map((each) => each.whenOver));
      await Promise.all(this.#replacing);
      if (present.every((each, place) => this.#places[place] === each)) return;
    }
  }
}
