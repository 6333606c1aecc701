import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** How the process is set up. */
export interface LoadingSetup {
  readonly url: string;
  readonly prefix: string;
  /** In milliseconds. */
  readonly lease: number;
  readonly isTiered: boolean;
}

/** What the process shall do: read a key for some callers at once, or end its load. */
export type LoadingRequest =
  | { readonly action: 'read'; readonly key: string; readonly callers: number }
  | { readonly action: 'finish' };

/** What the process tells. */
export type LoadingNews =
  | { readonly type: 'ready' }
  | { readonly type: 'loading' }
  | {
      readonly type: 'done';
      /** What its callers got, each value once. */
      readonly values: readonly string[];
      readonly loads: number;
    };

type Done = Extract<LoadingNews, { type: 'done' }>;

/** A process with a manager of its own, whose loads end when they are told to. */
export class LoadingRemote {
  readonly #child: ChildProcess;
  /** How many loads it has begun. */
  loads = 0;

  private constructor(setup: LoadingSetup) {
    const program = fileURLToPath(new URL('./loading-remote-program.js', import.meta.url));
    this.#child = fork(program, [JSON.stringify(setup)]);
    this.#child.on('message', ({ type }: LoadingNews) => {
      if (type === 'loading') this.loads++;
    });
  }

  static async start(setup: LoadingSetup): Promise<LoadingRemote> {
    const remote = new LoadingRemote(setup);
    await remote.#next('ready');
    return remote;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  read(key: string, callers: number): Promise<Done> {
    const done = this.#next('done');
    this.#send({ action: 'read', key, callers });
    return done as Promise<Done>;
  }

  finish(): void {
    this.#send({ action: 'finish' });
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  #send(request: LoadingRequest): void {
    this.#child.send(request);
  }

  #next(type: LoadingNews['type']): Promise<LoadingNews> {
    return new Promise((resolve) => {
      const listener = (news: LoadingNews): void => {
        if (news.type !== type) return;
        this.#child.off('message', listener);
        resolve(news);
      };
      this.#child.on('message', listener);
    });
  }
}
