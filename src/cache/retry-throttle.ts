import type { CacheClock } from '../clock.js';

/** How many keys are remembered; beyond it the one that was noted first is tried again early. */
export const MAX_THROTTLED_KEYS = 10_000;

/**
 * The keys whose refresh has failed a short while ago, in this process. They are not tried again for so long: what is
 * stale meanwhile is served as it is, and the origin gets time to recover.
 */
export class RetryThrottle {
  readonly #clock: CacheClock;
  readonly #until = new Map<string, number>();

  constructor(clock: CacheClock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#until.size;
  }

  /** Takes note of a failure. */
  note(key: string, throttleMs: number): void {
    if (throttleMs <= 0) return;
    this.#until.delete(key);
    this.#until.set(key, this.#clock.now() + throttleMs);
    if (this.#until.size > MAX_THROTTLED_KEYS) this.forget(this.#until.keys().next().value!);
  }

  /** Whether a key is to be left alone. */
  holds(key: string): boolean {
    const until = this.#until.get(key);
    if (until === undefined) return false;
    if (until > this.#clock.now()) return true;
    this.#until.delete(key);
    return false;
  }

  /** The key was loaded after all. */
  forget(key: string): void {
    this.#until.delete(key);
  }
}
