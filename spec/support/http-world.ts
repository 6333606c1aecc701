import { Agent, request as send, type IncomingHttpHeaders } from 'node:http';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { CacheManager } from 'cachewell';
import { httpCache } from '#internal/express/http-cache.js';
import { httpInvalidation } from '#internal/express/http-invalidation.js';
import { listening, type Listening } from './http-listener.js';

/** What a client got. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** One resource: how often it was written to, and what lies below it. */
interface Node {
  version: number;
  readonly children: Map<string, Node>;
}

/** How the responses of a top-level collection may be kept. */
const LIFETIMES: Readonly<Record<string, string | undefined>> = {
  // The route's own ttl, without a stale window.
  plain: undefined,
  swr: 'max-age=10, stale-while-revalidate=1000',
  etag: 'max-age=10',
  always: 'no-cache',
};

/** The collections of a world, by how long their responses live. */
export const COLLECTIONS: readonly string[] = [...Object.keys(LIFETIMES), 'mine'];

/**
 * A tree of resources behind one application per manager, all on the same data, as several processes would be.
 *
 * A GET shows the version of a resource and those of its children, a PATCH counts it up, a POST adds a child, a DELETE takes
 * the resource away. Collection `mine` shows who asks. Handlers wait where they are told to.
 */
export class HttpWorld implements AsyncDisposable {
  readonly #root: Node = { version: 0, children: new Map() };
  readonly #servers: Listening[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  /** Called at the points where a handler may be held up. */
  pause: (at: 'read' | 'before-write' | 'after-write') => Promise<void> | undefined = () =>
    undefined;
  handlerRuns = 0;

  constructor() {
    for (const name of COLLECTIONS)
      this.#root.children.set(name, { version: 0, children: new Map() });
  }

  /** Starts an application with this manager. */
  async serve(manager: CacheManager): Promise<void> {
    this.#servers.push(await listening(this.#application(manager)));
  }

  /** What a GET must answer now. */
  expected(path: string, user: string | undefined): string | undefined {
    const node = this.#find(path);
    return node && this.#shown(path, node, user);
  }

  /** The version of a resource; `undefined` when it is not there. */
  version(path: string): number | undefined {
    return this.#find(path)?.version;
  }

  ask(
    server: number,
    method: string,
    path: string,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const { port } = this.#servers[server % this.#servers.length]!;
    return new Promise((resolve, reject) => {
      const outgoing = send({ port, method, path, headers, agent: this.#agent }, (incoming) => {
        let body = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => (body += chunk));
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode!, headers: incoming.headers, body }),
        );
        incoming.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
    for (const server of this.#servers) await server[Symbol.asyncDispose]();
  }

  #application(manager: CacheManager): Express {
    const app = express();
    app.set('env', 'test');
    app.set('etag', false);
    app.use(httpInvalidation({ manager }));
    const mine = httpCache({
      manager,
      ttl: '10s',
      varyBy: [{ name: 'user', value: (req) => req.headers['x-user'] as string | undefined }],
    });
    const cached = httpCache({ manager, ttl: '10s', staleIfError: '1h' });
    app.get('/mine{/*rest}', mine, (req, res, next) => this.#read(req, res, next));
    app.get('/*rest', cached, (req, res, next) => this.#read(req, res, next));
    app.all('/*rest', (req, res, next) => this.#write(req, res, next));
    return app;
  }

  async #read(req: Request, res: Response, next: NextFunction): Promise<void> {
    this.handlerRuns++;
    // What is seen is decided here; the answer may come much later.
    const body = this.expected(pathOf(req), req.get('x-user'));
    await this.pause('read');
    if (body === undefined) {
      next();
      return;
    }
    const lifetime = LIFETIMES[pathOf(req).split('/')[1]!];
    if (lifetime !== undefined) res.set('Cache-Control', lifetime);
    // Express' `send` then answers conditional requests with 304 by itself.
    res.set('ETag', `"${Buffer.from(body).toString('base64url')}"`);
    res.type('json').send(body);
  }

  async #write(req: Request, res: Response, next: NextFunction): Promise<void> {
    await this.pause('before-write');
    const path = pathOf(req);
    const node = this.#find(path);
    if (node === undefined) {
      next();
      return;
    }
    let location: string | undefined;
    if (req.method === 'PATCH') node.version++;
    else if (req.method === 'POST') location = this.#add(path, node);
    else this.#remove(path);
    await this.pause('after-write');
    if (location === undefined) res.status(204).end();
    else res.status(201).location(location).end();
  }

  #add(path: string, node: Node): string {
    node.version++;
    const name = String(node.version);
    node.children.set(name, { version: 0, children: new Map() });
    return `${path}/${name}`;
  }

  #remove(path: string): void {
    const end = path.lastIndexOf('/');
    this.#find(path.slice(0, end))?.children.delete(path.slice(end + 1));
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split('/').filter((each) => each !== ''))
      node = node?.children.get(name);
    return node;
  }

  #shown(path: string, node: Node, user: string | undefined): string {
    const children = [...node.children].map(([name, { version }]) => [name, version]);
    const who = path.startsWith('/mine') ? { user } : {};
    return JSON.stringify({ path, ...who, version: node.version, children });
  }
}

/** The path in one spelling. */
function pathOf(req: Request): string {
  return decodeURIComponent(req.path).replace(/\/$/, '');
}
