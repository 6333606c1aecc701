import { Agent, request } from 'node:http';
import { HOST, type ItemBody } from './invalidation-items.js';

/** A write, as its client saw it. */
export interface TimedWrite {
  /** From the call to the last byte of the answer. */
  readonly ms: number;
  /** How many writes there were, with this one. */
  readonly version: number;
}

/** What a read was answered with. */
export interface CachedRead extends ItemBody {
  readonly cache: string | undefined;
}

const WRITE = Buffer.from(JSON.stringify({ name: 'another item' }));
const READERS = 16;

/** Asks the applications of `invalidation-server.ts`, over connections that stay. */
export class InvalidationClient {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: READERS });

  /** One write, while nothing else is asked for. */
  async write(port: number): Promise<TimedWrite> {
    const startedAt = performance.now();
    const { status, text } = await this.#ask(port, 'POST', '/items', WRITE);
    const ms = performance.now() - startedAt;
    if (status !== 201) throw new RangeError(`A write was answered with ${status}: ${text}`);
    return { ms, version: (JSON.parse(text) as { readonly version: number }).version };
  }

  /** Reads of several paths, some at a time, in the order of the paths. */
  async read(port: number, paths: readonly string[]): Promise<readonly CachedRead[]> {
    const reads: CachedRead[] = [];
    let next = 0;
    const reader = async (): Promise<void> => {
      while (next < paths.length) {
        const index = next++;
        const { status, cache, text } = await this.#ask(port, 'GET', paths[index]!);
        if (status !== 200) throw new RangeError(`${paths[index]} was answered with ${status}.`);
        reads[index] = { ...(JSON.parse(text) as ItemBody), cache };
      }
    };
    await Promise.all(Array.from({ length: READERS }, reader));
    return reads;
  }

  close(): void {
    this.#agent.destroy();
  }

  #ask(
    port: number,
    method: 'GET' | 'POST',
    path: string,
    body?: Buffer,
  ): Promise<{
    readonly status: number;
    readonly cache: string | undefined;
    readonly text: string;
  }> {
    const headers =
      body === undefined
        ? { host: HOST }
        : { host: HOST, 'content-type': 'application/json', 'content-length': body.length };
    return new Promise((resolve, reject) => {
      request({ host: '127.0.0.1', port, method, path, headers, agent: this.#agent }, (res) => {
        let text = '';
        res.setEncoding('utf8');
        res.on('data', (chunk: string) => (text += chunk));
        res.on('error', reject);
        res.on('end', () =>
          resolve({
            status: res.statusCode!,
            cache: res.headers['x-cache'] as string | undefined,
            text,
          }),
        );
      })
        .on('error', reject)
        .end(body);
    });
  }
}
