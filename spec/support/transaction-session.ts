import type { CacheManager, TransactionOptions } from 'cachewell';

type Step = () => Promise<void>;

/** What a session's function throws when it is told to fail. */
export class RolledBack extends Error {}

/** A transaction that a spec leads step by step, beside others. */
export class TransactionSession {
  #next: ((step: Step | undefined) => void) | undefined;
  #waiting = Promise.resolve<Step | undefined>(undefined);
  #hasFailed = false;
  readonly #end: Promise<unknown>;

  constructor(manager: CacheManager, options?: TransactionOptions) {
    this.#ready();
    this.#end = manager.transaction(async () => {
      for (let step = await this.#waiting; step !== undefined; step = await this.#waiting) {
        this.#ready();
        await step();
      }
      if (this.#hasFailed) throw new RolledBack('rolled back');
    }, options);
    this.#end.catch(() => undefined);
  }

  /** Does something inside the transaction. */
  run<Result>(work: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#next!(() => work().then(resolve, reject));
    });
  }

  /** Lets the function succeed. Resolves when the transaction has. */
  async commit(): Promise<void> {
    this.#next!(undefined);
    await this.#end;
  }

  /** Lets the function throw. Resolves when the transaction has ended. */
  async fail(): Promise<void> {
    this.#hasFailed = true;
    this.#next!(undefined);
    try {
      await this.#end;
    } catch (error) {
      if (error instanceof RolledBack) return;
      throw error;
    }
    throw new Error('the transaction succeeded');
  }

  #ready(): void {
    this.#waiting = new Promise((resolve) => (this.#next = resolve));
  }
}
