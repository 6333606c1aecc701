/** How long a comparison of clocks is good for: at 500 ppm of drift it is 15 ms off by then. In milliseconds. */
const LONGEST_TRUST_MS = 30_000;
/** What a deadline is early by, for drift and rounding. In milliseconds. */
const MARGIN_MS = 20;

/**
 * What the last answer of a script said about the sequence and the server's clock.
 *
 * The clock is known from below: the server read it before its answer came in, so a deadline by it is never late.
 */
export class RedisStamp {
  /** Unknown before the first answer. */
  sequence: number | undefined;
  /** No number that the server hands out again may be lower. */
  highest = 0;
  #offsetMs: number | undefined;
  #comparedAt = -Infinity;

  /** Takes the sequence and the time of an answer that has just come in. */
  learn(sequence: number, serverMs: number): void {
    this.sequence = sequence;
    this.note(sequence);
    this.compare(serverMs);
  }

  /** Takes a number that the server has handed out. */
  note(number: number): void {
    if (number > this.highest && Number.isSafeInteger(number)) this.highest = number;
  }

  compare(serverMs: number): void {
    const now = performance.now();
    const offsetMs = serverMs - now;
    const isTrusted = now - this.#comparedAt < LONGEST_TRUST_MS / 3;
    if (isTrusted && offsetMs < this.#offsetMs!) return;
    this.#offsetMs = offsetMs;
    this.#comparedAt = now;
  }

  /** A time of `performance.now()` by the server's clock; `''` when the clocks were not compared lately. */
  deadline(dueAt: number): string {
    if (this.#offsetMs === undefined) return '';
    if (performance.now() - this.#comparedAt > LONGEST_TRUST_MS) return '';
    return String(Math.floor(dueAt + this.#offsetMs - MARGIN_MS));
  }
}
