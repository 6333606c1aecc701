import { configureCaching } from 'cachewell';
import { httpCache, setupCache } from 'cachewell/express';
import { RedisBackend } from 'cachewell/redis';
import express from 'express';
import { Redis } from 'ioredis';
import { container } from 'tsyringe';

// Start it twice, with two values of PORT: each process answers what the other one has read, and neither answers what a
// write to the other one has made untrue. The host is part of the key, so ask both by one name, as a load balancer does:
// curl -i -H 'Host: shop.example' http://127.0.0.1:3000/visits
const url = process.env['REDIS_URL'] ?? 'redis://127.0.0.1:6379';
const database = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 1 });
database.on('error', ({ message }) => console.warn(`database: ${message}`));
await database.connect().catch(() => {
  console.error(`This example needs a Redis at ${url}: start one, or set REDIS_URL.`);
  process.exit(1);
});
const manager = configureCaching(container, {
  backend: () => new RedisBackend({ url, prefix: 'example' }),
});
manager.on('degraded', ({ error }) => console.warn(`going on without the cache: ${error.message}`));

const app = express();
const cache = setupCache(app, { signals: ['SIGINT', 'SIGTERM'] });
app.use(express.json());

// With 'cluster' a cold URL runs one handler among all processes, not one in each.
app.get('/visits', httpCache({ ttl: '1m', sync: 'cluster' }), async (_req, res) => {
  res.json({ visits: Number(await database.get('example:visits')), process: process.pid });
});

app.post('/visits', async (_req, res) => {
  res.status(201).json({ visits: await database.incr('example:visits') });
});

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`http://127.0.0.1:${port}/visits`);
});
cache.attach(server);
server.on('close', () => database.disconnect());
