import { CacheTimeoutError } from '../../errors.js';

/** How late the own timer may fire before the event loop counts as stalled. In milliseconds. */
const STALL_MS = 30;
/**
 * What a stalled loop gets at the least to send what waits for its turn, and to read what has arrived. In
 * milliseconds. After a longer stall it is the stall's length, for a call may have been sent only after it.
 */
const GRACE_MS = 50;
/** Stalls in a row after which calls fail all the same. */
const MOST_STALLS = 3;
/** Settled calls at the head of the queue before their room is given back. */
const COMPACT_AT = 1024;

/** A call that waits for an answer. */
export class PendingCall {
  isSettled = false;
  /** An answer came, and what is left of the call is its own work: running out of time says nothing of the store. */
  isAnswered = false;
  /** What the call fails with when its time is up, instead of a timeout. */
  lateError: Error | undefined;
  /** By `performance.now()`. */
  readonly dueAt: number;

  constructor(
    readonly operation: string,
    readonly reject: (error: Error) => void,
    timeoutMs: number,
  ) {
    this.dueAt = performance.now() + timeoutMs;
  }
}

/**
 * Fails calls that get no answer within the timeout.
 *
 * All calls have the same timeout, so they are due in the order in which they began, and one timer for the oldest
 * serves all of them: a timer per call would cost more than the call's own work. A late timer means that this
 * process was busy, not that the store was silent; answers that lie in the socket are read before anything fails.
 */
export class CallDeadlines {
  readonly #timeoutMs: number;
  readonly #onTimeout: (call: PendingCall, wasStalled: boolean) => void;
  readonly #idle: (() => void)[] = [];
  #calls: PendingCall[] = [];
  #head = 0;
  #pending = 0;
  #isArmed = false;
  #timer: NodeJS.Timeout | undefined;
  /** Stalls in a row since a call last failed, or no call waited. */
  #stalls = 0;

  /** @param onTimeout - told of each call that failed, and whether the own event loop is to blame */
  constructor(timeoutMs: number, onTimeout: (call: PendingCall, wasStalled: boolean) => void) {
    this.#timeoutMs = timeoutMs;
    this.#onTimeout = onTimeout;
  }

  begin(operation: string, reject: (error: Error) => void, _dueAt?: number): PendingCall {
    const call = new PendingCall(operation, reject, this.#timeoutMs);
    this.#calls.push(call);
    this.#pending++;
    if (!this.#isArmed) this.#arm(this.#timeoutMs);
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
    const calls = this.#calls.slice(this.#head);
    for (const call of calls) if (this.settle(call)) call.reject(error());
  }

  #becomeIdle(): void {
    this.#calls = [];
    this.#head = 0;
    this.#stalls = 0;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  #arm(delayMs: number): void {
    this.#isArmed = true;
    const expectedAt = performance.now() + delayMs;
    this.#timer = setTimeout(() => this.#fire(expectedAt), delayMs).unref();
  }

  #fire(expectedAt: number): void {
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
    while (this.#head < this.#calls.length) {
      const call = this.#calls[this.#head]!;
      if (!call.isSettled) {
        if (call.dueAt > now) break;
        this.settle(call);
        call.reject(
          call.lateError ?? new CacheTimeoutError(`Redis: ${call.operation}`, this.#timeoutMs),
        );
        if (!call.isAnswered) this.#onTimeout(call, wasStalled);
        // Settling the last call empties the queue.
        if (this.#calls.length === 0) break;
      }
      this.#head++;
    }
    if (this.#head >= COMPACT_AT) {
      this.#calls = this.#calls.slice(this.#head);
      this.#head = 0;
    }
    this.#isArmed = false;
    this.#stalls = 0;
    const oldest = this.#calls[this.#head];
    if (oldest !== undefined) this.#arm(Math.max(1, oldest.dueAt - performance.now()));
  }
}
