import { CacheClosedError } from '../../errors.js';

/** Counts the writes and invalidations that are not done yet, and takes no more once it is closed. */
export class WorkUnderWay {
  #count = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined = undefined;

  /** Does a piece of work. @throws {@link CacheClosedError} after `close` */
  async run<Result>(operation: string, work: () => Promise<Result>): Promise<Result> {
    if (this.#isClosed) {
      throw new CacheClosedError(`TieredBackend was closed: '${operation}' came too late`);
    }
    this.#count += 1;
    try {
      return await work();
    } finally {
      this.#count -= 1;
      if (this.#count === 0) this.#onIdle?.();
    }
  }

  /** Takes nothing more, and waits for the rest. Gives whether it was done in time. */
  async close(timeoutMs: number): Promise<boolean> {
    this.#isClosed = true;
    if (this.#count === 0) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), timeoutMs);
      this.#onIdle = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
