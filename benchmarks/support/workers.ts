import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A task for a worker: its name and what it needs. */
interface Task {
  readonly id: number;
  readonly name: string;
  readonly input: unknown;
}

type Answer =
  | { readonly id: number; readonly output: unknown }
  | { readonly id: number; readonly error: string };

/** A process of its own that carries out tasks one benchmark gives it. */
export class Worker {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<
    number,
    { resolve: (output: unknown) => void; reject: (error: Error) => void }
  >();
  #lastId = 0;

  constructor(module: URL, args: readonly string[]) {
    this.#child = fork(fileURLToPath(module), [...args]);
    this.#child.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('error' in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.output);
    });
    this.#child.once('exit', (code, signal) => {
      const error = new Error(`A worker ended (${signal ?? code}) before it had answered.`);
      for (const { reject } of this.#waiting.values()) reject(error);
      this.#waiting.clear();
    });
  }

  /** Runs a task in the worker; rejects with what it threw, or when the worker ends. */
  run<Output>(name: string, input?: unknown): Promise<Output> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve: resolve as (output: unknown) => void, reject });
      this.#child.send({ id, name, input } satisfies Task);
    });
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#child.kill(signal);
  }
}

/** Starts processes that run the same module. */
export function startWorkers(
  count: number,
  module: URL,
  args: readonly string[],
): readonly Worker[] {
  return Array.from({ length: count }, () => new Worker(module, args));
}

/** The other side: carries out tasks until the benchmark's process ends. */
export function serveTasks(
  tasks: Readonly<Record<string, (input: never) => Promise<unknown>>>,
): void {
  process.on('message', (task: Task) => {
    void answer(task);
  });
  process.on('disconnect', () => process.exit());

  async function answer({ id, name, input }: Task): Promise<void> {
    try {
      const output = await tasks[name]!(input as never);
      process.send!({ id, output });
    } catch (error) {
      process.send!({
        id,
        error: error instanceof Error ? (error.stack ?? error.message) : String(error),
      });
    }
  }
}

/** Microseconds of a clock that all processes of one host share: Linux' and macOS' monotonic clock. */
export function hostMicroseconds(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
