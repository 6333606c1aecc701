import type { CacheBackend } from '../backend.js';
import type { MaybePromise } from '../maybe-promise.js';
import { replay, widen, type DeferredInvalidation } from './deferred-invalidation.js';
import type { DeferredQueue } from './deferred-queue.js';

/** How long after a failed replay the next one begins, in milliseconds; it doubles each time. */
export const FIRST_REPLAY_DELAY_MS = 100;
/** The longest that it takes to try again, in milliseconds. */
export const LONGEST_REPLAY_DELAY_MS = 2_000;
/** Failures of one invalidation after which a larger one is tried in its place, too. */
const FAILURES_TO_WIDEN = 3;

/** Whom a replayer tells. */
export interface ReplayListener {
  /** An invalidation was carried out. The store is not trusted before this has ended. */
  readonly onReplayed: (invalidation: DeferredInvalidation) => MaybePromise<void>;
  /** Nothing is left. */
  readonly onEmpty: () => void;
}

/**
 * Carries deferred invalidations out, one after the other in their order: at once when there is something to do, again
 * after a growing delay when it fails, and at once when the store says that it is back.
 *
 * A failing one is the first of the next run. After three failures a larger one is tried behind it, for a store may be
 * unable to do the one and able to do the other; while the store is out of reach both fail, and nothing is lost.
 */
export class Replayer {
  readonly #backend: CacheBackend;
  readonly #queue: DeferredQueue;
  readonly #listener: ReplayListener;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isAnswering = false;
  #isStopped = false;
  /** Wakes whoever waits for the end. */
  #tellEmpty: () => void = () => undefined;
  /** Asked for while a run was under way. */
  #isHurried = false;
  #failures = 0;
  #delayMs = FIRST_REPLAY_DELAY_MS;

  constructor(backend: CacheBackend, queue: DeferredQueue, listener: ReplayListener) {
    this.#backend = backend;
    this.#queue = queue;
    this.#listener = listener;
  }

  /** Whether the store has carried out what this run asked of it so far, so that it is worth asking for more. */
  get isAnswering(): boolean {
    return this.#isAnswering;
  }

  /** Begins soon, unless a run or a delay is under way. */
  start(): void {
    if (this.#timer === undefined && this.#running === undefined) this.#wait(0);
  }

  /** Begins at once: the store answers again. */
  hurry(): void {
    this.#delayMs = FIRST_REPLAY_DELAY_MS;
    if (this.#running === undefined) void this.run();
    else this.#isHurried = true;
  }

  /** Carries out what it can, until nothing is left or one fails. Joins a run that is under way. Never rejects. */
  run(): Promise<void> {
    // Not at once: what the store reports while it is asked may ask for a run.
    this.#running ??= Promise.resolve()
      .then(() => this.#run())
      .finally(() => {
        this.#running = undefined;
        this.#isAnswering = false;
        this.#afterwards();
      });
    return this.#running;
  }

  /**
   * Begins at once and goes on as usual, until nothing is left or the time is up. Begins nothing after that. What is
   * under way then may still be carried out, and nobody is told.
   */
  async drain(timeoutMs: number): Promise<void> {
    if (!this.#queue.isEmpty) {
      const empty = new Promise<void>((resolve) => (this.#tellEmpty = resolve));
      this.hurry();
      await endsWithin(timeoutMs, empty);
    }
    this.#isStopped = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isHurried = false;
    for (let next = this.#queue.take(); next !== undefined; next = this.#queue.take()) {
      if (this.#isStopped) return this.#queue.back();
      if (!(await this.#carryOut(next))) {
        this.#queue.back();
        this.#failures++;
        return;
      }
      this.#failures = 0;
      this.#isAnswering = true;
      this.#queue.done();
    }
    this.#delayMs = FIRST_REPLAY_DELAY_MS;
    this.#listener.onEmpty();
    this.#tellEmpty();
  }

  /** Tries the invalidation and, where that has failed often, larger ones. Gives whether one succeeded. */
  async #carryOut(invalidation: DeferredInvalidation): Promise<boolean> {
    let next: DeferredInvalidation | undefined = invalidation;
    while (next !== undefined) {
      try {
        await replay(this.#backend, next);
        await this.#listener.onReplayed(next);
        return true;
      } catch {
        // Whoever issued it was told of the failure; it is tried again.
        next = this.#failures >= FAILURES_TO_WIDEN ? widen(next) : undefined;
      }
    }
    return false;
  }

  #afterwards(): void {
    if (this.#isStopped || this.#queue.isEmpty) return;
    if (this.#isHurried) return void this.run();
    this.#wait(this.#delayMs);
    this.#delayMs = Math.min(2 * this.#delayMs, LONGEST_REPLAY_DELAY_MS);
  }

  #wait(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = setTimeout(() => void this.run(), delayMs).unref();
  }
}

const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** Waits for work, and not for longer than it may take. Keeps the process alive meanwhile. */
async function endsWithin(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const time = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(timeoutMs, LONGEST_DELAY_MS));
  });
  await Promise.race([work, time]);
  clearTimeout(timer);
}
