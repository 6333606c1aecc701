import { configureCaching } from 'cachewell';
import { httpCache, setupCache } from 'cachewell/express';
import express from 'express';
import { container } from 'tsyringe';
import { MapBackend } from './map-backend.js';

const backend = new MapBackend({ maxEntries: 1_000 });
configureCaching(container, { backend: () => backend });

const app = express();
const cache = setupCache(app, { signals: ['SIGINT', 'SIGTERM'] });

let stock = 3;

app.get('/stock', httpCache({ ttl: '10m' }), (_req, res) => {
  res.json({ stock });
});

app.post('/stock/orders', (_req, res) => {
  stock -= 1;
  res.status(201).json({ ordered: 1 });
});

app.get('/backend', (_req, res) => {
  res.json({ name: backend.name, ...backend.info() });
});

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`http://127.0.0.1:${port}/stock`);
});
cache.attach(server);
