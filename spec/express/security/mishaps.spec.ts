import { expect } from 'chai';
import type { ErrorRequestHandler } from 'express';
import { accelerate } from '#internal/express/accelerate.js';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';
import { until } from '../../support/until.js';

describe('A cache whose surroundings fail', () => {
  let fixture: HttpFixture;

  afterEach(() => fixture.stop());

  it('does not store the error page that follows a head which could not be sent', async () => {
    fixture = await HttpFixture.start();
    const { app, manager } = fixture;
    let isBroken = true;
    app.use((_req, res, next) => {
      const { writeHead } = res;
      res.writeHead = function (this: typeof res, ...args: never[]) {
        if (!isBroken) return (writeHead as (...given: never[]) => typeof res).apply(this, args);
        isBroken = false;
        throw new Error('the session store is down');
      } as typeof res.writeHead;
      next();
    });
    app.get('/report', httpCache({ manager, ttl: '1m' }), (_req, res) => {
      res.write('the report ');
      res.end('of everybody');
    });
    const page: ErrorRequestHandler = (_error, req, res, _next) => {
      res.status(500);
      res.end(`for ${req.get('x-user')} only`);
    };
    app.use(page);
    const first = await fixture.ask('/report', { headers: { 'x-user': 'alice' } });
    expect([first.status, first.text]).to.deep.equal([500, 'for alice only']);
    const second = await fixture.ask('/report', { headers: { 'x-user': 'bob' } });
    expect([second.status, second.text]).to.deep.equal([200, 'the report of everybody']);
  });

  it('outlives a function for tags that fails behind the client', async () => {
    fixture = await HttpFixture.start();
    const { app, manager, clock } = fixture;
    const tags = (req: { headers: Record<string, unknown> }): string[] => {
      if (req.headers['x-tenant'] === undefined) throw new TypeError('no tenant');
      return ['tenant'];
    };
    const route = httpCache({ manager, ttl: '1m', staleWhileRevalidate: '1h', tags });
    app.get('/items', route, (_req, res) => void res.send('items'));
    const errors: string[] = [];
    manager.on('error', ({ error }) => errors.push(error.message));
    await fixture.ask('/items', { headers: { 'x-tenant': 'a' } });
    clock.advance('2m');
    expect((await fixture.ask('/items')).cache).to.equal('STALE');
    await until('it is told', () => errors.some((message) => message.includes('no tenant')));
    expect((await fixture.ask('/items', { headers: { 'x-tenant': 'a' } })).status).to.equal(200);
  });

  it('outlives a request that was answered before a second cache got it', async () => {
    fixture = await HttpFixture.start();
    const { app, manager } = fixture;
    let guard: Promise<void> | undefined;
    let open!: () => void;
    app.use(httpCache({ manager }));
    app.use((_req, res, next) => {
      if (guard !== undefined) res.status(503).send('too slow');
      next();
    });
    app.get('/a', async (_req, _res, next) => {
      await guard;
      next();
    });
    let runs = 0;
    app.get('/a', httpCache({ manager, ttl: '1m', condition: () => false }), (_req, res) => {
      runs++;
      if (!res.headersSent) res.send('a');
    });
    guard = new Promise((resolve) => (open = resolve));
    expect((await fixture.ask('/a')).status).to.equal(503);
    open();
    await until('the route ran', () => runs === 1);
    guard = undefined;
    expect((await fixture.ask('/a')).text).to.equal('a');
  });

  it('answers everybody when a stored response cannot be sent', async () => {
    fixture = await HttpFixture.start();
    const { app, manager } = fixture;
    app.get('/file', httpCache({ manager, ttl: '1m' }), (_req, res) => {
      res.writeHead(200, { 'Content-Disposition': 'attachment; filename="отчёт.pdf"' });
      res.end('file');
    });
    const answers = await Promise.all([1, 2, 3].map(() => fixture.ask('/file')));
    expect(answers.map(({ status }) => status)).to.deep.equal([500, 500, 500]);
  });

  it('takes what is no value of an attribute for a missing one', async () => {
    fixture = await HttpFixture.start();
    const { app, manager } = fixture;
    app.use((req, res, next) => {
      const user = req.get('x-user');
      res.locals['user_id'] = user === undefined ? Number(user) : user;
      next();
    });
    app.get('/me', httpCache({ manager, ttl: '1m', varyBy: ['user_id'] }), (req, res) => {
      res.send(req.get('authorization') ?? 'nobody');
    });
    for (const headers of [{}, { 'x-user': '' }]) {
      for (const authorization of ['a', 'b']) {
        const answer = await fixture.ask('/me', { headers: { ...headers, authorization } });
        expect([answer.cache, answer.text]).to.deep.equal(['SKIP', authorization]);
      }
    }
  });

  it('leaves it to the application, in front, what it makes of the fields of a request', async () => {
    fixture = await HttpFixture.start({}, (app) => accelerate(app));
    const { app, manager } = fixture;
    app.use((req, _res, next) => {
      delete req.headers['x-user'];
      if (req.get('x-api-key') === 'of alice') req.headers['x-user'] = 'alice';
      next();
    });
    app.get('/me', httpCache({ manager, ttl: '1m', front: true }), (req, res) => {
      res.vary('X-User').send(req.get('x-user') ?? 'nobody');
    });
    const alice = { headers: { 'x-api-key': 'of alice' } };
    expect((await fixture.ask('/me', alice)).text).to.equal('alice');
    expect((await fixture.ask('/me', alice)).text).to.equal('alice');
    expect((await fixture.ask('/me', { headers: { 'x-user': 'alice' } })).text).to.equal('nobody');
  });
});
