/* The server of `http-memory.bench.ts`: answers every URL with a body of its own, and says what that takes. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { CacheManager } from 'cachewell';
import { accelerate, httpCache } from 'cachewell/express';
import express, { type RequestHandler } from 'express';
import { serveTasks } from '../support/workers.js';

/** What a server holds. */
export interface MemoryUsage {
  readonly rssBytes: number;
  /** What is left after a collection: the heap, and the buffers beside it. */
  readonly heldBytes: number;
  readonly entries: number;
}

const bodyBytes = Number(process.argv[2]);
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const manager = new CacheManager();
const app = express();
app.get(
  '/items/:id',
  httpCache({ manager, ttl: '1h', front: true }) as RequestHandler,
  (req, res) => {
    const text = `item ${String(req.params['id'])} `;
    res.send(text.repeat(Math.ceil(bodyBytes / text.length)).slice(0, bodyBytes));
  },
);

serveTasks({
  start: async () => {
    const server = createServer(accelerate(app));
    // A stalled client is no reason to close its connections.
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  },
  usage: async (): Promise<MemoryUsage> => {
    // What a collection lets go of may hold something else.
    for (let time = 0; time < 3; time++) {
      collect();
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { rss, heapUsed, external } = process.memoryUsage();
    const { sets, evictions } = manager.statistics();
    return { rssBytes: rss, heldBytes: heapUsed + external, entries: sets - evictions };
  },
});
