/*
 * The application of `http-invalidation.bench.ts`, twice in one process and over one store: at one port with
 * `httpInvalidation`, at the other without.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CacheManager, MemoryBackend } from 'cachewell';
import { httpCache, httpInvalidation } from 'cachewell/express';
import { pathTags, type StoredResponse } from 'cachewell/http';
import { RedisBackend } from 'cachewell/redis';
import express, { type Express, type RequestHandler } from 'express';
import { serveTasks } from '../support/workers.js';
import { articleId, HOST, type ItemBody } from './invalidation-items.js';

/** Where the two applications listen. */
export interface InvalidationPorts {
  readonly invalidating: number;
  readonly plain: number;
}

const TTL = '1h';
const TEXT = 'x'.repeat(200);
const BATCH = 500;
const FIRST = articleId(0);

const [redisUrl] = process.argv.slice(2);
// No bound: which entries are there is what this is about.
const manager = new CacheManager({
  backend:
    redisUrl === undefined
      ? new MemoryBackend({ maxEntries: 10_000_000, maxBytes: Infinity })
      : new RedisBackend({ url: redisUrl, commandTimeout: '10s' }),
});
let version = 0;

function application(isInvalidating: boolean): Express {
  const app = express();
  // The only origin: keys hold none, so what they are made of is the path alone.
  app.use(httpCache({ manager, ttl: TTL, origin: `http://${HOST}` }) as RequestHandler);
  if (isInvalidating) app.use(httpInvalidation({ manager }) as RequestHandler);
  app.get('/items/:id', (req, res) => {
    res.json({ id: req.params.id, version, text: TEXT } satisfies ItemBody);
  });
  app.get('/articles/:id', (req, res) => {
    const { id } = req.params;
    res.set('ETag', `"${id}"`).json({ id, version: 0, text: TEXT } satisfies ItemBody);
  });
  app.post('/items', express.json(), (_req, res) => {
    version += 1;
    res.status(201).json({ version });
  });
  return app;
}

async function listen(app: Express): Promise<number> {
  const server = createServer(app);
  server.keepAliveTimeout = 600_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/**
 * Stores articles by the cache's interface, which takes a tenth of the time of as many requests: each as the response to
 * the first one, which must have been asked for, with its own id in place of the first one's.
 */
async function fill(count: number): Promise<void> {
  const cache = manager.cache<[...parts: string[]], StoredResponse>('http');
  const keyOf = (id: string): [string, string, string] => ['GET', 'articles', id];
  const first = await cache.get(keyOf(FIRST));
  if (first === undefined) throw new RangeError(`There is no response of ${FIRST}.`);
  const body = Buffer.from(first.body).toString();
  const store = async (id: string): Promise<void> => {
    const record: StoredResponse = {
      ...first,
      headers: first.headers.map((text) => text.replace(FIRST, id)),
      body: Buffer.from(body.replace(FIRST, id)),
    };
    const tags = pathTags(`/articles/${id}`);
    const isStored = await cache.set(keyOf(id), record, { ttl: TTL, tags });
    if (!isStored) throw new RangeError(`The response of ${id} is not stored.`);
  };
  for (let from = 1; from < count; from += BATCH) {
    const indices = Array.from({ length: Math.min(BATCH, count - from) }, (_, at) => from + at);
    await Promise.all(indices.map((index) => store(articleId(index))));
  }
}

serveTasks({
  start: async (): Promise<InvalidationPorts> => ({
    invalidating: await listen(application(true)),
    plain: await listen(application(false)),
  }),
  fill,
});
