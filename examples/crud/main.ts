import 'cachewell'; // brings the manager that all of it uses, with entries in memory
import { randomUUID } from 'node:crypto';
import { bearerAuth, setupCache } from 'cachewell/express';
import express from 'express';
import { container } from 'tsyringe';
import { AdminController } from './admin-controller.js';
import { ItemController } from './item-controller.js';

const token = process.env['CACHE_ADMIN_TOKEN'] ?? randomUUID();

const guard = bearerAuth(token);

const app = express();
const cache = setupCache(app, {
  admin: { auth: guard },
  invalidation: { tags: ['items'] },
  signals: ['SIGINT', 'SIGTERM'],
});
app.use(express.json());
app.use('/admin', guard, container.resolve(AdminController).routes);
app.use('/items', container.resolve(ItemController).routes);

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`http://127.0.0.1:${port}/items`);
  console.log(`http://127.0.0.1:${port}/api/cache/dashboard, with the token ${token}`);
});
cache.attach(server);
