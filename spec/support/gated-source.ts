interface Run {
  readonly args: readonly unknown[];
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * A slow origin under the spec's control: each load hangs until the spec ends it, in whichever order.
 */
export class GatedSource {
  readonly #runs: Run[] = [];
  readonly #watchers: { readonly count: number; readonly tell: () => void }[] = [];

  /** How many loads have been started. */
  get count(): number {
    return this.#runs.length;
  }

  /** The arguments of all loads, in the order of their starts. */
  get arguments(): readonly (readonly unknown[])[] {
    return this.#runs.map(({ args }) => args);
  }

  load(...args: readonly unknown[]): Promise<never> {
    return new Promise((resolve, reject) => {
      this.#runs.push({ args, resolve: resolve as Run['resolve'], reject });
      for (const { count, tell } of this.#watchers) if (this.count >= count) tell();
    });
  }

  /** Resolves as soon as so many loads have been started. */
  started(count: number): Promise<void> {
    if (this.count >= count) return Promise.resolve();
    return new Promise((tell) => this.#watchers.push({ count, tell }));
  }

  /** Ends the load that was started as the `number`th, from 1. */
  finish(number: number, value: unknown): void {
    this.#run(number).resolve(value);
  }

  fail(number: number, error: unknown): void {
    this.#run(number).reject(error);
  }

  #run(number: number): Run {
    const run = this.#runs[number - 1];
    if (run === undefined) throw new Error(`load ${number} was not started; ${this.count} were`);
    return run;
  }
}

/** Lets everything happen that is ready to happen, timers and sockets not included. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
}
