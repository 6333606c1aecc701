import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { RedisBackendOptions } from '#internal/backends/redis/redis-options.js';

/**
 * What the other process shall do. A token is kept there between `begin` or `turn` and `fill` or `put`; `turn` answers
 * whether the process got the lease.
 */
export interface RemoteRequest {
  readonly action:
    'begin' | 'turn' | 'fill' | 'put' | 'set' | 'get' | 'delete' | 'clear' | 'tags' | 'close';
  readonly key?: string;
  readonly value?: unknown;
  readonly tags?: readonly string[];
}

/** A second process with a backend of its own on the same Redis. */
export class RedisRemote {
  readonly #child: ChildProcess;

  /** @param options - of the other process' backend, beside the url */
  constructor(url: string, options: RedisBackendOptions = {}) {
    const program = fileURLToPath(new URL('./redis-remote-program.js', import.meta.url));
    this.#child = fork(program, [url, JSON.stringify(options)]);
  }

  perform(request: RemoteRequest): Promise<unknown> {
    return new Promise((resolve) => {
      this.#child.once('message', ({ answer }: { answer: unknown }) => resolve(answer));
      this.#child.send(request);
    });
  }

  /** Stops it from running, as a long pause of its own would. */
  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** Ends it at once, as a crash would. */
  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
  }

  async close(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    await this.perform({ action: 'close' });
    await ended;
  }
}
