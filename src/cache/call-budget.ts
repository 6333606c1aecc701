import type { CacheError } from '../errors.js';
import type { CallOptions } from './backend.js';
import type { MaybePromise } from './maybe-promise.js';
import { isOutage } from './store-failure.js';

/** So much a call may have waited before its next step gets less than the full time. In milliseconds. */
const SLACK_MS = 5;

/**
 * The time that one call of the user may wait for the store, over all its steps together (promise P4). What its
 * loader takes does not count, and steps side by side count once.
 *
 * The first step that shows that the store is out of reach ends the call's lookups, begins and stores: each would show
 * the same. Invalidations are tried with the time that is left, and handed to the store when none is, so that it can
 * keep them for later.
 */
export class CallBudget {
  private readonly totalMs: number;
  private readonly goesOn: boolean;
  private spentMs = 0;
  private waiting = 0;
  private waitingSince = 0;
  private firstFailure: CacheError | undefined;

  /**
   * @param totalMs - the backend's `callTimeoutMs`
   * @param goesOn - whether further steps make sense after one that found the store out of reach
   */
  constructor(totalMs: number, goesOn: boolean = false) {
    this.totalMs = totalMs;
    this.goesOn = goesOn;
  }

  /** What showed that the store is out of reach; `undefined` while nothing has. */
  get failure(): CacheError | undefined {
    return this.firstFailure;
  }

  /** The options of the next step. A call that has hardly waited gives none: its step may take the whole time. */
  within<Options extends CallOptions>(given: Options): Options;
  within<Options extends CallOptions>(given?: Options): Options | CallOptions | undefined;
  within(given?: CallOptions): CallOptions | undefined {
    if (this.spentMs === 0 && this.waiting === 0) return given;
    const now = performance.now();
    const spentMs = this.spentMs + (this.waiting === 0 ? 0 : now - this.waitingSince);
    return spentMs < SLACK_MS ? given : { ...given, dueAt: now + this.totalMs - spentMs };
  }

  /** A step begins to wait. */
  enter(now: number = performance.now()): void {
    if (this.waiting++ === 0) this.waitingSince = now;
  }

  /** A step has its answer, or failed. */
  leave(now: number = performance.now(), error?: unknown): void {
    if (--this.waiting === 0) this.spentMs += now - this.waitingSince;
    if (error !== undefined) this.note(error);
  }

  /** Takes note of a failure of the store. */
  note(error: unknown): void {
    if (!this.goesOn && isOutage(error)) this.firstFailure ??= error;
  }

  /** Counts the time until a step's answer, and takes note of its failure. */
  async spend<Answer>(answer: Promise<Answer>): Promise<Answer> {
    this.enter();
    try {
      const result = await answer;
      this.leave();
      return result;
    } catch (error) {
      this.leave(undefined, error);
      throw error;
    }
  }
}

/** Takes a step of a call within its budget, where it has one. */
export function takeStep<Options extends CallOptions, Answer>(
  budget: CallBudget | undefined,
  given: Options | undefined,
  run: (options: Options | CallOptions | undefined) => MaybePromise<Answer>,
): MaybePromise<Answer> {
  if (budget === undefined) return run(given);
  let answer: MaybePromise<Answer>;
  try {
    answer = run(budget.within(given));
  } catch (error) {
    budget.note(error);
    throw error;
  }
  return answer instanceof Promise ? budget.spend(answer) : answer;
}
