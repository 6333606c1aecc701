/** The longest delay that a timer of Node takes; longer ones fire at once. */
const MAX_DELAY_MS = 2_147_483_647;

/**
 * At most one timer, which never keeps the process alive. It is only the trigger: what is due is decided by the
 * backend's clock.
 */
export class SweepTimer {
  readonly #run: () => void;
  #timer: NodeJS.Timeout | undefined = undefined;
  #firesAt = Infinity;

  constructor(run: () => void) {
    this.#run = run;
  }

  /** Whether a timer is pending. */
  get isPending(): boolean {
    return this.#timer !== undefined;
  }

  /** Fires `delayMs` after `now`, or earlier if that is asked for already. */
  schedule(delayMs: number, now: number): void {
    const firesAt = now + delayMs;
    if (this.#firesAt <= firesAt) return;
    this.stop();
    this.#firesAt = firesAt;
    const delay = Math.min(Math.ceil(delayMs), MAX_DELAY_MS);
    this.#timer = setTimeout(() => this.#fire(), delay).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#firesAt = Infinity;
  }

  #fire(): void {
    this.#timer = undefined;
    this.#firesAt = Infinity;
    this.#run();
  }
}
