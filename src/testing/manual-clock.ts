import type { CacheClock } from '../clock.js';
import { toMilliseconds, type Duration } from '../duration.js';
import { InvalidOptionError } from '../errors.js';

/** Where a {@link ManualClock} starts: 2024-01-01T00:00:00Z. */
const DEFAULT_START_MS = 1_704_067_200_000;

/**
 * A clock that stands still until it is told to go on: time in tests without waiting.
 *
 * It moves times, not timers: what has expired is seen by the next call, or freed by `MemoryBackend.sweep()`.
 *
 * @example
 * ```ts
 * const clock = new ManualClock();
 * const manager = new CacheManager({ clock });
 * clock.advance('10m');
 * ```
 */
export class ManualClock implements CacheClock {
  #now: number;

  /** @param startMs - milliseconds since the epoch; by default the beginning of 2024 */
  constructor(startMs: number = DEFAULT_START_MS) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  /**
   * Goes on by a span of time, and gives the new time.
   *
   * @throws {@link InvalidOptionError} when it is negative or no duration
   */
  advance(span: Duration): number {
    return this.set(this.#now + toMilliseconds(span, 'ManualClock.advance'));
  }

  /**
   * Goes to a time, in milliseconds since the epoch, and gives it.
   *
   * @throws {@link InvalidOptionError} when it lies in the past: no clock of the library runs backwards
   */
  set(nowMs: number): number {
    if (!(nowMs >= this.#now)) {
      throw new InvalidOptionError(
        'ManualClock.set',
        `expected a time from ${this.#now} on, for clocks do not run backwards, got ${nowMs}`,
      );
    }
    this.#now = nowMs;
    return nowMs;
  }
}
