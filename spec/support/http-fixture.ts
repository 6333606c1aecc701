import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { CacheManager } from '#internal/manager/cache-manager.js';
import type { CacheManagerOptions } from '#internal/manager/manager-options.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { servedListener } from './http-listener.js';

/** What a client got. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly text: string;
  /** The values of `X-Cache` and `X-Cache-Reason`. */
  readonly cache: string | undefined;
  readonly reason: string | undefined;
  readonly trailers: NodeJS.Dict<string>;
}

/** How a request differs from a plain GET. */
export interface AskOptions {
  readonly method?: string;
  readonly headers?: Record<string, string | string[]>;
  readonly body?: string;
}

/** A real Express application on loopback, with a manager whose time stands still. */
export class HttpFixture {
  readonly clock = new ManualClock();
  readonly manager: CacheManager;
  readonly app: Express = express();
  readonly #server: Server;
  #port = 0;

  private constructor(options: CacheManagerOptions, listen: (app: Express) => RequestListener) {
    this.manager = new CacheManager({ clock: this.clock, logger: silentLogger, ...options });
    // Express prints errors that nobody handles, but for tests.
    this.app.set('env', 'test');
    this.#server = createServer(listen(this.app));
    this.#server.keepAliveTimeout = 1_000;
  }

  /** @param listen - what stands in front of the application */
  static async start(
    options: CacheManagerOptions = {},
    listen: (app: Express) => RequestListener = servedListener,
  ): Promise<HttpFixture> {
    const fixture = new HttpFixture(options, listen);
    await new Promise<void>((resolve) => fixture.#server.listen(0, '127.0.0.1', resolve));
    fixture.#port = (fixture.#server.address() as AddressInfo).port;
    return fixture;
  }

  get port(): number {
    return this.#port;
  }

  /** Sends a request and waits for the whole answer. */
  ask(path: string, { method = 'GET', headers = {}, body }: AskOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { port: this.#port, host: '127.0.0.1', path, method, headers, agent: false },
        (res) => {
          const chunks: Buffer[] = [];
          res.on('data', (chunk: Buffer) => chunks.push(chunk));
          res.on('error', reject);
          res.on('end', () => {
            const whole = Buffer.concat(chunks);
            resolve({
              status: res.statusCode!,
              headers: res.headers,
              rawHeaders: res.rawHeaders,
              body: whole,
              text: whole.toString(),
              cache: res.headers['x-cache'] as string | undefined,
              reason: res.headers['x-cache-reason'] as string | undefined,
              trailers: res.trailers,
            });
          });
        },
      );
      asked.on('error', reject);
      asked.end(body);
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.manager.close();
  }
}
