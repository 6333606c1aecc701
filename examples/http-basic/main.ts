import 'cachewell'; // brings the manager that all of it uses, with entries in memory
import { httpCache, setupCache } from 'cachewell/express';
import express from 'express';

const app = express();
const cache = setupCache(app, { signals: ['SIGINT', 'SIGTERM'] });
app.use(express.json());

const items: unknown[] = [];

app.get('/items', httpCache({ ttl: '10m' }), (_req, res) => {
  res.json({ items });
});

// Nothing about the cache here: a successful write to a path makes what was read from it, and from its parents, fresh.
app.post('/items', (req, res) => {
  items.push(req.body);
  res.status(201).json({ item: req.body as unknown });
});

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`http://127.0.0.1:${port}/items`);
});
cache.attach(server);
