import { CacheTimeoutError } from '../../errors.js';
import { DueList } from './due-list.js';

/** How late the own timer may fire before the event loop counts as stalled. In milliseconds. */
const STALL_MS = 30;
/**
 * What a stalled loop gets at the least to send what waits for its turn, and to read what has arrived. In
 * milliseconds. After a longer stall it is the stall's length, for a call may have been sent only after it.
 */
const GRACE_MS = 50;
/** Stalls in a row after which calls fail all the same. */
const MOST_STALLS = 3;

/** A call that waits for an answer. */
export class PendingCall {
  isSettled = false;
  /** An answer came, and what is left of the call is its own work: running out of time says nothing of the store. */
  isAnswered = false;
  /** What the call fails with when its time is up, instead of a timeout. */
  lateError: Error | undefined;

  /**
   * @param beganAt - by `performance.now()`
   * @param dueAt - when it fails, by the same clock
   */
  constructor(
    readonly operation: string,
    readonly reject: (error: Error) => void,
    readonly beganAt: number,
    readonly dueAt: number,
  ) {}

  /** How long it may wait, in milliseconds. */
  get timeoutMs(): number {
    return this.dueAt - this.beganAt;
  }
}

/**
 * Fails calls that get no answer within the timeout.
 *
 * Nearly all calls have the same timeout, so they are due in the order in which they began, and one timer for the
 * oldest serves all of them: a timer per call would cost more than the call's own work. Those that are due earlier,
 * because their caller has waited already, stand in a list of their own. A late timer means that this process was
 * busy, not that the store was silent; answers that lie in the socket are read before anything fails.
 */
export class CallDeadlines {
  readonly #timeoutMs: number;
  readonly #onTimeout: (call: PendingCall, wasStalled: boolean) => void;
  readonly #idle: (() => void)[] = [];
  readonly #usual = new DueList<PendingCall>();
  readonly #early = new DueList<PendingCall>();
  #pending = 0;
  #isArmed = false;
  /** When the timer fires; `-Infinity` while it must be left alone. */
  #firesAt = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  /** Stalls in a row since a call last failed, or no call waited. */
  #stalls = 0;

  /** @param onTimeout - told of each call that failed, and whether the own event loop is to blame */
  constructor(timeoutMs: number, onTimeout: (call: PendingCall, wasStalled: boolean) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onTimeout = onTimeout;
  }

  /**
   * @param dueAt - an earlier end than the timeout's, by `performance.now()`. A stall of the own loop that is under
   * way puts it off like any other.
   */
  begin(operation: string, reject: (error: Error) => void, dueAt: number = Infinity): PendingCall {
    const now = performance.now();
    const usualDueAt = now + this.#timeoutMs;
    const isEarly = dueAt < usualDueAt;
    const call = new PendingCall(operation, reject, now, isEarly ? dueAt : usualDueAt);
    (isEarly ? this.#early : this.#usual).add(call);
    this.#pending++;
    if (!this.#isArmed) this.#arm(call.dueAt);
    else if (call.dueAt < this.#firesAt) {
      clearTimeout(this.#timer);
      this.#arm(call.dueAt);
    }
    return call;
  }

  /** Whether the call was still waiting; from now on it is not. */
  settle(call: PendingCall): boolean {
    if (call.isSettled) return false;
    call.isSettled = true;
    this.#pending--;
    if (this.#pending === 0) this.#becomeIdle();
    return true;
  }

  /** Resolves when no call waits. */
  whenIdle(): Promise<void> {
    return this.#pending === 0
      ? Promise.resolve()
      : new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Fails every call that still waits, and lets the timer go. */
  close(error: () => Error): void {
    clearTimeout(this.#timer);
    this.#isArmed = false;
    for (const list of [this.#early, this.#usual]) {
      for (let call = list.earliest; call !== undefined; call = list.earliest) {
        this.settle(call);
        call.reject(error());
      }
    }
  }

  #becomeIdle(): void {
    this.#usual.clear();
    this.#early.clear();
    this.#stalls = 0;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #arm(dueAt: number): void {
    this.#isArmed = true;
    const now = performance.now();
    const delayMs = Math.max(1, dueAt - now);
    this.#firesAt = now + delayMs;
    const expectedAt = this.#firesAt;
    this.#timer = setTimeout(() => this.#fire(expectedAt), delayMs).unref();
  }

  #fire(expectedAt: number): void {
    this.#firesAt = -Infinity;
    const stallMs = performance.now() - expectedAt;
    if (this.#isExcused(stallMs)) this.#allowGrace(stallMs);
    else this.#readFirst();
  }

  #allowGrace(stallMs: number): void {
    const graceMs = Math.max(GRACE_MS, Math.min(stallMs, this.#timeoutMs));
    const expectedAt = performance.now() + graceMs;
    this.#timer = setTimeout(() => this.#fire(expectedAt), graceMs).unref();
  }

  /** An immediate runs after the sockets were polled, unless the stall came in between. */
  #readFirst(): void {
    const askedAt = performance.now();
    setImmediate(() => {
      const stallMs = performance.now() - askedAt;
      if (this.#isExcused(stallMs)) this.#allowGrace(stallMs);
      else this.#expire(this.#stalls > 0 || stallMs > STALL_MS);
    });
  }

  /** Whether the loop was stalled, and not so often that calls would wait for ever. */
  #isExcused(stallMs: number): boolean {
    if (stallMs <= STALL_MS || this.#stalls >= MOST_STALLS) return false;
    this.#stalls++;
    return true;
  }

  #expire(wasStalled: boolean): void {
    const now = performance.now();
    for (const list of [this.#early, this.#usual]) {
      for (
        let call = list.earliest;
        call !== undefined && call.dueAt <= now;
        call = list.earliest
      ) {
        this.settle(call);
        call.reject(
          call.lateError ??
            new CacheTimeoutError(`Redis: ${call.operation}`, Math.round(call.timeoutMs)),
        );
        if (!call.isAnswered) this.#onTimeout(call, wasStalled);
      }
    }
    this.#isArmed = false;
    this.#stalls = 0;
    const dueAt = Math.min(
      this.#early.earliest?.dueAt ?? Infinity,
      this.#usual.earliest?.dueAt ?? Infinity,
    );
    if (dueAt !== Infinity) this.#arm(dueAt);
  }
}
