import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type Request, type RequestHandler } from 'express';
import { cacheOf } from './conformance-subject.js';
import type { ConformanceRun } from './conformance-run.js';
import { Forwarder } from './forwarder.js';
import type { SuiteHandlers } from './suite.js';
import { suiteListener, suiteOrigin } from './suite-origin.js';

/** An application under test, listening on loopback. */
export interface ConformanceServer {
  /** Such as `http://127.0.0.1:8000`. */
  readonly base: string;
  /** How many requests the fast lane has answered so far. */
  readonly inFront: number;
  /** What failed in the cache so far. */
  readonly faults: readonly string[];
  close(): Promise<void>;
}

/**
 * Starts an Express application with the cache of a run and the suite's origin behind it: as its last handler, or as a server
 * that its last handler forwards to. Only the routes by which the suite steers its origin are not behind the cache.
 */
export async function startConformanceServer(
  run: ConformanceRun,
  handlers: SuiteHandlers,
  redisUrl: string | undefined,
): Promise<ConformanceServer> {
  const origin = suiteOrigin(handlers);
  const cache = await cacheOf(run, redisUrl);
  const app = plainExpress();
  const closers: (() => unknown)[] = [() => cache.close()];
  let handler: RequestHandler = (req, res, next) => origin(req, res, next);
  if (run.mode === 'proxy') {
    const server = createServer(suiteListener(origin));
    const forwarder = new Forwarder(await listen(server));
    handler = (req, res, next) => forwarder.forward(req, res, next);
    closers.unshift(
      () => forwarder.close(),
      () => close(server),
    );
  }
  app.use((req, res, next) => (isSteering(req) ? handler(req, res, next) : next()));
  for (const middleware of cache.middlewares) app.use(middleware);
  app.use(handler);

  const server = createServer(cache.accelerate(app as RequestListener));
  const base = `http://127.0.0.1:${await listen(server)}`;
  return {
    base,
    get inFront() {
      return cache.inFront;
    },
    faults: cache.faults,
    close: async () => {
      await close(server);
      for (const each of closers) await each();
    },
  };
}

function isSteering({ url }: Request): boolean {
  return url.startsWith('/config/') || url.startsWith('/state/');
}

/** One that adds no fields of its own and prints no errors. */
function plainExpress(): Express {
  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.set('env', 'test');
  return app;
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

async function close(server: Server): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeAllConnections();
  await closed;
}
