import 'cachewell'; // brings the manager that all of it uses, with entries in memory
import { httpCache, setupCache } from 'cachewell/express';
import express, { type RequestHandler } from 'express';

const SESSIONS = new Map([
  ['session-of-ada', 'ada'],
  ['session-of-grace', 'grace'],
]);
const notes = new Map<string, string[]>();

/** Who is not logged in has no `userId`, and a request that lacks what its route varies by goes past the cache. */
const session: RequestHandler = (req, res, next) => {
  const id = /(?:^|; )session=([^;]+)/.exec(req.headers.cookie ?? '')?.[1];
  res.locals['userId'] = SESSIONS.get(id ?? '');
  next();
};

const app = express();
app.use(session);
const cache = setupCache(app, { signals: ['SIGINT', 'SIGTERM'] });
app.use(express.json());

// The user is part of the key, so one URL has an entry for each. Browsers and proxies know nothing of our key: what is
// ours to keep is not theirs, which the two fields say apart.
app.get('/notes', httpCache({ ttl: '10m', varyBy: ['userId'] }), (_req, res) => {
  const userId = res.locals['userId'] as string | undefined;
  res.set('Cachewell-Cache-Control', 'max-age=600').set('Cache-Control', 'private, no-store');
  res.json({ userId: userId ?? null, notes: notes.get(userId ?? '') ?? [] });
});

app.post('/notes', (req, res) => {
  const userId = res.locals['userId'] as string | undefined;
  if (userId === undefined) return void res.status(401).json({ error: 'Log in first.' });
  const { note } = req.body as { note: string };
  notes.set(userId, [...(notes.get(userId) ?? []), note]);
  res.status(201).json({ note });
});

const server = app.listen(Number(process.env['PORT'] ?? 3000), '127.0.0.1', () => {
  const { port } = server.address() as { port: number };
  console.log(`http://127.0.0.1:${port}/notes`);
});
cache.attach(server);
