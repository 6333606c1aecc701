import 'cachewell'; // brings the manager that all of it uses, with entries in memory
import { httpCache, setupCache } from 'cachewell/express';
import express, { type RequestHandler } from 'express';

/** The tokens of our two employees; a real application asks its identity provider. */
const EMPLOYEES = new Map([
  ['token-of-ada', 'ada'],
  ['token-of-grace', 'grace'],
]);

const authenticate: RequestHandler = (req, res, next) => {
  const token = /^Bearer (\S+)$/.exec(req.headers.authorization ?? '')?.[1];
  const employee = EMPLOYEES.get(token ?? '');
  if (employee === undefined) {
    res.status(401).set('WWW-Authenticate', 'Bearer').json({ error: 'Who are you?' });
    return;
  }
  res.locals['employee'] = employee;
  next();
};

const app = express();
const cache = setupCache(app, { signals: ['SIGINT', 'SIGTERM'] });

// Says nothing about sharing: what is made for somebody's token is not stored, though the route has a ttl.
app.get('/salary', authenticate, httpCache({ ttl: '1m' }), (_req, res) => {
  res.json({ employee: res.locals['employee'] as unknown, salary: 4711 });
});

// The same for all employees, and for them alone: `authenticate` stands before the cache and runs for hits, too. To us the
// handler says that the answer is to be shared, to browsers and to all other caches that they must not keep it.
app.get('/canteen', authenticate, httpCache(), (_req, res) => {
  res.set('Cachewell-Cache-Control', 'public, max-age=60').set('Cache-Control', 'no-store');
  res.json({ today: 'soup', cookedAt: new Date() });
});

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`http://127.0.0.1:${port}/canteen`);
});
cache.attach(server);
