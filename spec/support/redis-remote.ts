import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What the other process shall do. A token is kept there between `begin` and `fill` or `put`. */
export interface RemoteRequest {
  readonly action: 'begin' | 'fill' | 'put' | 'set' | 'get' | 'delete' | 'clear' | 'tags' | 'close';
  readonly key?: string;
  readonly value?: unknown;
  readonly tags?: readonly string[];
}

/** A second process with a backend of its own on the same Redis. */
export class RedisRemote {
  readonly #child: ChildProcess;

  constructor(url: string) {
    const program = fileURLToPath(new URL('./redis-remote-program.js', import.meta.url));
    this.#child = fork(program, [url]);
  }

  perform(request: RemoteRequest): Promise<unknown> {
    return new Promise((resolve) => {
      this.#child.once('message', ({ answer }: { answer: unknown }) => resolve(answer));
      this.#child.send(request);
    });
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    await this.perform({ action: 'close' });
    await ended;
  }
}
