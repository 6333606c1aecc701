import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ConsistencyRunError } from './consistency-run-error.js';
import type { CheckerMessage, ProcessMessage, ProcessOrders } from './process-messages.js';

type RecordsMessage = Extract<ProcessMessage, { readonly type: 'records' }>;

const PROGRAM = fileURLToPath(new URL('./consistency-process.js', import.meta.url));

/** How much of what a process wrote to standard error is kept for a message. */
const KEPT_OUTPUT = 4000;

/** One process of a run, as its checker sees it. */
export class CheckedProcess {
  readonly orders: ProcessOrders;
  /** Resolves when all its operations have settled and it has ended, or when it was killed; else rejects. */
  readonly whenOver: Promise<void>;
  readonly #child: ChildProcess;
  readonly #patienceMs: number;
  readonly #ready: Promise<void>;
  #isDone = false;
  #isKilled = false;
  #isFrozen = false;
  #isOver = false;
  #output = '';
  #fail: (reason: string) => void = () => undefined;
  #watchdog: NodeJS.Timeout | undefined;

  constructor(orders: ProcessOrders, onRecords: (message: RecordsMessage) => void) {
    this.orders = orders;
    this.#patienceMs = orders.patienceMs;
    this.#child = fork(PROGRAM, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#output = (this.#output + text).slice(-KEPT_OUTPUT);
    });
    let isReady = (): void => undefined;
    this.#ready = new Promise((resolve) => (isReady = resolve));
    this.whenOver = new Promise((resolve, reject) => {
      this.#fail = (reason) => {
        reject(new ConsistencyRunError(`process ${orders.process}: ${reason}`));
        this.#end();
      };
      // The channel is closed only once all that was sent through it has been read.
      this.#child.once('close', (code, signal) => {
        this.#isOver = true;
        clearTimeout(this.#watchdog);
        if (this.#isDone || this.#isKilled) resolve();
        else this.#fail(`ended by itself (${signal ?? code})\n${this.#output}`);
      });
    });
    this.whenOver.catch(() => undefined);
    this.#child.on('message', (message: ProcessMessage) => {
      this.#feed();
      switch (message.type) {
        case 'here':
          return this.#send({ type: 'open', orders });
        case 'ready':
          return isReady();
        case 'records':
          return onRecords(message);
        case 'done':
          this.#isDone = true;
          return;
        case 'failed':
          return this.#fail(`${message.reason}\n${this.#output}`);
      }
    });
    this.#child.on('error', (error) => this.#fail(error.message));
    this.#feed();
  }

  /** Resolves when its subject is open. */
  async opened(): Promise<void> {
    await Promise.race([this.#ready, this.whenOver]);
  }

  start(): void {
    this.#send({ type: 'start' });
  }

  /** Lets it begin nothing more. */
  stop(): void {
    this.#send({ type: 'stop' });
  }

  freeze(): void {
    this.#isFrozen = true;
    clearTimeout(this.#watchdog);
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#isFrozen = false;
    this.#child.kill('SIGCONT');
    this.#feed();
  }

  /** Ends it as a crash would; resolves once nothing more comes from it. */
  async kill(): Promise<void> {
    this.#isKilled = true;
    this.#end();
    await this.whenOver;
  }

  #end(): void {
    this.#child.kill('SIGCONT');
    this.#child.kill('SIGKILL');
  }

  #send(message: CheckerMessage): void {
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }

  /** A process that says nothing for too long fails the run. */
  #feed(): void {
    clearTimeout(this.#watchdog);
    if (this.#isFrozen || this.#isOver || this.#patienceMs === Infinity) return;
    this.#watchdog = setTimeout(
      () => this.#fail(`said nothing for ${this.#patienceMs} ms\n${this.#output}`),
      this.#patienceMs,
    );
  }
}
