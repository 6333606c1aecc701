import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CallerAnswer, CallerOrder, CallerSetup } from './caller-messages.js';

type Done = Extract<CallerAnswer, { type: 'done' }>;

/** A process of the stampede. */
export class Caller {
  readonly #child: ChildProcess;

  private constructor(setup: CallerSetup) {
    const program = fileURLToPath(new URL('./caller-program.js', import.meta.url));
    this.#child = fork(program, [JSON.stringify(setup)]);
    // One that waits for each kind of answer, and again for those that never came.
    this.#child.setMaxListeners(0);
  }

  static async start(setup: CallerSetup): Promise<Caller> {
    const caller = new Caller(setup);
    await caller.#next('ready');
    return caller;
  }

  async run(order: CallerOrder): Promise<Done> {
    const done = this.#next('done');
    this.#child.send(order);
    return done as Promise<Done>;
  }

  /** Resolves when its next load begins. */
  loading(): Promise<unknown> {
    return this.#next('loading');
  }

  async kill(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #next(type: CallerAnswer['type']): Promise<CallerAnswer> {
    return new Promise((resolve) => {
      const listener = (answer: CallerAnswer): void => {
        if (answer.type !== type) return;
        this.#child.off('message', listener);
        resolve(answer);
      };
      this.#child.on('message', listener);
    });
  }
}
