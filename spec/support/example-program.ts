import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { packageRoot } from './package-root.js';
import { runNode } from './run-process.js';

/** What a program answered. */
export interface ExampleAnswer {
  readonly status: number;
  /** `X-Cache`; `undefined` where the cache had nothing to say. */
  readonly cache: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

/** What to ask for; a body is sent as JSON. */
export interface ExampleAsk {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** So long a program may take to start: a cold machine compiles and reads many files at the same time. */
const START_LIMIT_MS = 60_000;
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

let compiled: Promise<unknown> | undefined;

/** Compiles all examples, once. */
export async function compileExamples(): Promise<void> {
  compiled ??= runNode(['scripts/compile.mjs', '--fast', 'examples/tsconfig.json'], {
    cwd: packageRoot,
  });
  await compiled;
}

/** An example, started as `npm run example` does, on a free port, and a client of it. */
export class ExampleProgram implements AsyncDisposable {
  /** What it has printed. */
  output: string = '';
  readonly #child: ChildProcess;
  #origin = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Resolves when it has told its address. */
  static async start(
    name: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<ExampleProgram> {
    await compileExamples();
    const child = spawn(process.execPath, ['scripts/example.mjs', name], {
      cwd: packageRoot,
      env: { ...process.env, PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    running.add(child);
    child.once('exit', () => running.delete(child));
    const program = new ExampleProgram(child);
    await program.#started(name);
    return program;
  }

  async ask(
    path: string,
    { method = 'GET', headers = {}, body }: ExampleAsk = {},
  ): Promise<ExampleAnswer> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const type = text === undefined ? {} : { 'content-type': 'application/json' };
    // Not `fetch`, which takes no Host.
    const sent = request(this.#origin + path, {
      method,
      headers: { ...type, ...headers },
      agent: false,
    });
    sent.end(text);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const received = await response.toArray();
    const whole = Buffer.concat(received as Buffer[]).toString();
    const isJson = response.headers['content-type']?.includes('json') === true;
    return {
      status: response.statusCode!,
      cache: response.headers['x-cache'] as string | undefined,
      headers: response.headers,
      body: isJson ? (JSON.parse(whole) as unknown) : whole,
    };
  }

  /** Asks it to end, as an operating system does, and gives how it ended. */
  async stop(): Promise<string> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return 'ended before';
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const [code, signal] = (await ended) as [number | null, NodeJS.Signals | null];
    return signal ?? String(code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #started(name: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const fail = (why: string): void => {
        this.#child.kill('SIGKILL');
        reject(new Error(`the example ${name} ${why}:\n${this.output}`));
      };
      const timer = setTimeout(() => fail('did not start'), START_LIMIT_MS);
      this.#child.once('exit', () => fail('ended'));
      const read = (chunk: Buffer): void => {
        this.output += chunk.toString();
        const [, origin] = /(http:\/\/127\.0\.0\.1:\d+)\//.exec(this.output) ?? [];
        if (origin === undefined) return;
        this.#origin = origin;
        clearTimeout(timer);
        resolve();
      };
      this.#child.stdout!.on('data', read);
      this.#child.stderr!.on('data', read);
    });
  }
}
