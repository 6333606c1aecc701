import type { CacheError } from '../errors.js';
import type { CallOptions } from './backend.js';
import type { MaybePromise } from './maybe-promise.js';
import { isOutage } from './store-failure.js';

/** So much a call may have waited before its next step gets less than the full time. In milliseconds. */
const SLACK_MS = 5;

/** A step whose answer is still to come. */
interface OpenStep {
  /** Ends the call's waiting, and leaves the answer to somebody else. */
  giveUp(): void;
}

/**
 * The time that one call of the user may wait for the store, over all its steps together (promise P4). What its
 * loader takes does not count, and steps side by side count once.
 *
 * The first step that shows that the store is out of reach ends the call's lookups, begins and stores: each would show
 * the same. Invalidations are tried with the time that is left, and handed to the store when none is, so that it can
 * keep them for later.
 *
 * A call that waits for another call's load waits for the steps of that load, too, and they count for both. When the
 * time of one that waits is up, the load does not wait for its step any longer: it goes on as if it had nowhere to store.
 * So all of them still wait for one load, and none for longer than it may.
 */
export class CallBudget {
  private readonly totalMs: number;
  private readonly goesOn: boolean;
  private spentMs = 0;
  /** Steps that are under way: own ones, and as one more each load of somebody else that waits for the store. */
  private waiting = 0;
  private waitingSince = 0;
  private ownSteps = 0;
  private firstFailure: CacheError | undefined;
  /** Calls that wait for this one's load, and for how many of its keys. */
  private joiners: Map<CallBudget, number> | undefined;
  private openSteps: Set<OpenStep> | undefined;
  private timer: NodeJS.Timeout | undefined;

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
    const leftMs = this.leftMs(now);
    return this.totalMs - leftMs < SLACK_MS ? given : { ...given, dueAt: now + leftMs };
  }

  /** A step begins to wait. */
  enter(now: number = performance.now()): void {
    this.charge(now);
    if (this.ownSteps++ > 0 || this.joiners === undefined) return;
    for (const joiner of this.joiners.keys()) joiner.charge(now);
    this.watchJoiners(now);
  }

  /** A step has its answer, or failed. */
  leave(now: number = performance.now(), error?: unknown): void {
    this.discharge(now);
    if (error !== undefined) this.note(error);
    if (--this.ownSteps > 0 || this.joiners === undefined) return;
    for (const joiner of this.joiners.keys()) joiner.discharge(now);
    this.stopWatching();
  }

  /** Takes note of a failure of the store. */
  note(error: unknown): void {
    if (!this.goesOn && isOutage(error)) this.firstFailure ??= error;
  }

  /** The call has waited for the store as long as it may, other than for a step: nothing is left for further ones. */
  useUp(error: unknown): void {
    this.note(error);
    this.spentMs = Math.max(this.spentMs, this.totalMs);
  }

  /**
   * Counts the time until a step's answer, and takes note of its failure.
   *
   * @param takeLate - takes over the answer of a step that was given up, for others have waited long enough; without
   *   it the step is never given up
   * @returns the answer; `undefined` of a step that was given up
   */
  spend<Answer>(answer: Promise<Answer>): Promise<Answer>;
  spend<Answer>(
    answer: Promise<Answer>,
    takeLate: ((answer: Promise<Answer>) => void) | undefined,
  ): Promise<Answer | undefined>;
  spend<Answer>(
    answer: Promise<Answer>,
    takeLate?: (answer: Promise<Answer>) => void,
  ): Promise<Answer | undefined> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      let step: OpenStep | undefined;
      const end = (error?: unknown): boolean => {
        if (isOver) return false;
        isOver = true;
        if (step !== undefined) this.openSteps!.delete(step);
        this.leave(undefined, error);
        return true;
      };
      if (takeLate !== undefined) {
        step = {
          giveUp: () => {
            if (!end()) return;
            takeLate(answer);
            resolve(undefined);
          },
        };
        (this.openSteps ??= new Set()).add(step);
      }
      this.enter();
      answer.then(
        (result) => {
          if (end()) resolve(result);
        },
        (error: unknown) => {
          if (end(error)) reject(error as Error);
        },
      );
    });
  }

  /** Another call begins to wait for this one's load. Gives a function that ends it. */
  join(joiner: CallBudget): () => void {
    if (joiner === this) return () => undefined;
    const now = performance.now();
    const joiners = (this.joiners ??= new Map());
    const count = joiners.get(joiner) ?? 0;
    joiners.set(joiner, count + 1);
    if (count === 0 && this.ownSteps > 0) {
      joiner.charge(now);
      this.watchJoiners(now);
    }
    return () => {
      const left = joiners.get(joiner)! - 1;
      if (left > 0) {
        joiners.set(joiner, left);
        return;
      }
      joiners.delete(joiner);
      if (this.ownSteps > 0) joiner.discharge(performance.now());
    };
  }

  /** A budget of its own for what goes on of a call while other steps of it are still waited for elsewhere. */
  fork(): CallBudget {
    const fork = new CallBudget(this.totalMs, this.goesOn);
    fork.spentMs = this.totalMs - this.leftMs(performance.now());
    fork.firstFailure = this.firstFailure;
    return fork;
  }

  private leftMs(now: number): number {
    return this.totalMs - this.spentMs - (this.waiting === 0 ? 0 : now - this.waitingSince);
  }

  private charge(now: number): void {
    if (this.waiting++ === 0) this.waitingSince = now;
  }

  private discharge(now: number): void {
    if (--this.waiting === 0) this.spentMs += now - this.waitingSince;
  }

  /**
   * Gives the open steps up when the first joiner's time is up, should that come before their own end. An answer that
   * comes at once is waited for all the same.
   */
  private watchJoiners(now: number): void {
    this.stopWatching();
    let leftMs = this.leftMs(now) - SLACK_MS;
    let isHurried = false;
    for (const joiner of this.joiners!.keys()) {
      const joinerMs = joiner.leftMs(now);
      if (joinerMs >= leftMs) continue;
      leftMs = joinerMs;
      isHurried = true;
    }
    if (!isHurried) return;
    this.timer = setTimeout(
      () => {
        // Answers that lie in the socket are read first.
        setImmediate(() => this.giveUpIfDue());
      },
      Math.max(SLACK_MS, leftMs),
    ).unref();
  }

  private giveUpIfDue(): void {
    if (this.ownSteps === 0 || this.joiners === undefined) return;
    const now = performance.now();
    const isDue = [...this.joiners.keys()].some((joiner) => joiner.leftMs(now) < 1);
    if (!isDue) return this.watchJoiners(now);
    this.stopWatching();
    for (const step of [...(this.openSteps ?? [])]) step.giveUp();
  }

  private stopWatching(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}

/**
 * Takes a step of a call within its budget, where it has one.
 *
 * @param takeLate - see {@link CallBudget.spend}
 */
export function takeStep<Options extends CallOptions, Answer>(
  budget: CallBudget | undefined,
  given: Options | undefined,
  run: (options: Options | CallOptions | undefined) => MaybePromise<Answer>,
): MaybePromise<Answer>;
export function takeStep<Options extends CallOptions, Answer>(
  budget: CallBudget | undefined,
  given: Options | undefined,
  run: (options: Options | CallOptions | undefined) => MaybePromise<Answer>,
  takeLate: (answer: Promise<Answer>) => void,
): MaybePromise<Answer | undefined>;
export function takeStep<Options extends CallOptions, Answer>(
  budget: CallBudget | undefined,
  given: Options | undefined,
  run: (options: Options | CallOptions | undefined) => MaybePromise<Answer>,
  takeLate?: (answer: Promise<Answer>) => void,
): MaybePromise<Answer | undefined> {
  if (budget === undefined) return run(given);
  let answer: MaybePromise<Answer>;
  try {
    answer = run(budget.within(given));
  } catch (error) {
    budget.note(error);
    throw error;
  }
  return answer instanceof Promise ? budget.spend(answer, takeLate) : answer;
}
