import { connect } from 'node:net';
import { expect } from 'chai';
import type { Response } from 'express';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { HttpFixture } from '../../support/http-fixture.js';
import { SlowBackend } from '../../support/slow-backend.js';
import { until } from '../../support/until.js';

/** A handler's run that waits to be told what to answer. */
interface Held {
  readonly user: string;
  readonly res: Response;
}

describe('httpCache: requests that come together', () => {
  let http: HttpFixture;
  let held: Held[];
  let arrived: number;
  let closed: number;

  beforeEach(async () => {
    http = await HttpFixture.start();
    held = [];
    arrived = 0;
    closed = 0;
  });

  afterEach(() => http.stop());

  function route(options: HttpCacheOptions = {}): void {
    http.app.use((_req, res, next) => {
      arrived++;
      res.once('close', () => void closed++);
      next();
    });
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m', ...options }), (req, res) => {
      held.push({ user: String(req.headers['x-user'] ?? ''), res });
    });
  }

  const ask = (user: string): ReturnType<HttpFixture['ask']> =>
    http.ask('/', { headers: { 'x-user': user } });

  async function together(count: number): Promise<ReturnType<HttpFixture['ask']>[]> {
    const asked = [ask('0')];
    await until('the first one runs', () => held.length === 1);
    for (let index = 1; index < count; index++) asked.push(ask(String(index)));
    await until('all are there', () => arrived === count);
    return asked;
  }

  it('run one handler, and get the same response', async () => {
    route();
    const asked = await together(50);
    held[0]!.res.send('one');
    const answers = await Promise.all(asked);

    expect(held.length).to.equal(1);
    expect(new Set(answers.map(({ text }) => text))).to.deep.equal(new Set(['one']));
    expect(answers[0]!.cache).to.equal('MISS');
    expect(answers[1]!.cache).to.equal('HIT');
    expect(answers[1]!.headers['cache-status']).to.equal(
      'cachewell; fwd=uri-miss; ttl=60; collapsed',
    );
    expect(http.manager.cache('http').statistics()).to.include({ loads: 1, misses: 50, sets: 1 });
  });

  it('stream the first one to its client while the others wait', async () => {
    route();
    const socket = connect(http.port, '127.0.0.1');
    let received = '';
    socket.on('data', (data) => (received += data.toString()));
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n\r\n`);
    await until('it runs', () => held.length === 1);
    held[0]!.res.write('early');
    await until('the first part is there', () => received.includes('early'));
    expect(received).to.not.include('late');
    held[0]!.res.end('late');
    await until('the rest is there', () => received.includes('late'));
    socket.destroy();
  });

  it('run their own handlers at once when the response is not to be shared', async () => {
    route();
    const asked = await together(10);
    held[0]!.res.set('Cache-Control', 'private').write('user 0');
    await until('all others run, while the first one is still writing', () => held.length === 10);
    held[0]!.res.end();
    for (const { res, user } of held.slice(1))
      res.set('Cache-Control', 'private').send(`user ${user}`);
    const answers = await Promise.all(asked);

    expect(answers.map(({ text }) => text)).to.deep.equal(
      Array.from({ length: 10 }, (_, index) => `user ${index}`),
    );
    expect(new Set(answers.map(({ cache }) => cache))).to.deep.equal(new Set(['SKIP']));
  });

  it('do not wait for each other for 10 s after that', async () => {
    route();
    const first = ask('a');
    await until('it runs', () => held.length === 1);
    held[0]!.res.set('Cache-Control', 'private').send('a');
    await first;

    const pair = [ask('b'), ask('c')];
    await until('both run', () => held.length === 3);
    for (const { res } of held.slice(1)) res.set('Cache-Control', 'private').send('x');
    await Promise.all(pair);

    http.clock.advance('10s');
    const later = [ask('d')];
    await until('the next one runs', () => held.length === 4);
    later.push(ask('e'));
    await until('all are there', () => arrived === 5);
    held[3]!.res.send('shared');
    expect((await Promise.all(later)).map(({ text }) => text)).to.deep.equal(['shared', 'shared']);
    expect(held.length).to.equal(4);
  });

  it('are not watched for 10 s where the route says that it is not to be stored', async () => {
    const options = { manager: http.manager, ttl: '1m', debug: true } as const;
    let cacheControl = 'no-store';
    let seen: string | undefined;
    http.app.get('/quiet', httpCache(options), (req, res) => {
      seen = req.headers['if-none-match'];
      res.set('Cache-Control', cacheControl).send('x');
    });
    const conditional = { headers: { 'if-none-match': '"v0"' } };

    await http.ask('/quiet', conditional);
    expect(seen).to.equal(undefined);
    const loads = (): number => http.manager.cache('http').statistics().loads;
    expect(loads()).to.equal(1);

    cacheControl = 'max-age=60';
    const passed = await http.ask('/quiet', conditional);
    expect([passed.cache, passed.reason, seen]).to.deep.equal(['SKIP', 'no-store', '"v0"']);
    expect(loads()).to.equal(1);

    http.clock.advance('10s');
    expect((await http.ask('/quiet')).cache).to.equal('MISS');
    expect((await http.ask('/quiet')).cache).to.equal('HIT');
  });

  it('look at an error again at once', async () => {
    let status = 404;
    http.app.get('/made', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      res.status(status).send('x');
    });

    expect((await http.ask('/made')).cache).to.equal('SKIP');
    status = 200;
    expect((await http.ask('/made')).cache).to.equal('MISS');
    expect((await http.ask('/made')).cache).to.equal('HIT');
  });

  for (const [how, end] of [
    ['throws', (res: Response): void => void res.destroy(new Error('gone'))],
    ['closes its connection', (res: Response): void => void res.socket!.destroy()],
  ] as const) {
    it(`are freed when the first one ${how}, and run one handler for the rest`, async () => {
      route();
      const asked = await together(5);
      const first = asked[0]!.catch(() => 'gone');
      end(held[0]!.res);
      await until('another one runs', () => held.length === 2);
      held[1]!.res.send('second');

      expect(await first).to.equal('gone');
      const texts = (await Promise.all(asked.slice(1))).map(({ text }) => text);
      expect(texts).to.deep.equal(['second', 'second', 'second', 'second']);
      expect(held.length).to.equal(2);
    });
  }

  it('go on by themselves when the first one hangs for longer than collapseTimeout', async () => {
    route({ collapseTimeout: 20 });
    const asked = await together(3);
    await until('all run', () => held.length === 3);
    for (const { res, user } of held.slice(1)) res.send(`user ${user}`);
    const texts = (await Promise.all(asked.slice(1))).map(({ text }) => text);
    expect(texts.sort()).to.deep.equal(['user 1', 'user 2']);

    // The next ones do not wait for the one that hangs either.
    await http.manager.cache('http').clear();
    held[0]!.res.end();
    await asked[0];
  });

  it('have no more time for the store than one request, when they go on by themselves', async () => {
    const backend = new SlowBackend(250);
    const slow = await HttpFixture.start({ backend });
    try {
      const cache = httpCache({ manager: slow.manager, ttl: '1m', collapseTimeout: 20 });
      slow.app.get('/', cache, (_req, res) => void held.push({ user: '', res }));
      const first = slow.ask('/');
      await until('it runs', () => held.length === 1);
      let lookups = 0;
      backend.latencyOf = (operation) => (operation === 'get' && ++lookups === 1 ? 200 : 0);
      const second = slow.ask('/');
      await until('both run', () => held.length === 2);
      const begins = backend.calls.filter(({ operation }) => operation === 'begin');
      expect(begins).to.have.length(2);
      // A lookup in front is part of the same request.
      expect(begins[0]!.allowedMs).to.be.within(200, 250);
      expect(begins[1]!.allowedMs).to.be.below(100);
      for (const { res } of held) res.send('done');
      expect((await Promise.all([first, second])).map(({ text }) => text)).to.deep.equal([
        'done',
        'done',
      ]);
    } finally {
      await slow.stop();
    }
  });

  it('never get the response to a request with other credentials', async () => {
    http.app.get('/me', httpCache({ manager: http.manager, ttl: '1m' }), (req, res) => {
      setImmediate(() => res.send(req.headers.authorization));
    });
    const users = Array.from({ length: 100 }, (_, index) => `Bearer ${index}`);

    const answers = await Promise.all(
      users.map((authorization) => http.ask('/me', { headers: { authorization } })),
    );

    expect(answers.map(({ text }) => text)).to.deep.equal(users);
  });

  it('do not wait for each other with sync: false', async () => {
    route({ sync: false });
    const asked = [ask('0'), ask('1')];
    await until('both run', () => held.length === 2);
    for (const { res, user } of held) res.send(user);
    const texts = (await Promise.all(asked)).map(({ text }) => text);
    expect(texts).to.deep.equal(['0', '1']);
  });

  it('do not run the handler of a client who has gone while it waited', async () => {
    route();
    const first = ask('0');
    await until('it runs', () => held.length === 1);
    const socket = connect(http.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n\r\n`);
    await until('the second one is there', () => arrived === 2);
    socket.destroy();
    await until('the server knows that it has gone', () => closed === 1);
    held[0]!.res.set('Cache-Control', 'private').send('x');
    await first;
    const last = ask('2');
    await until('the last one runs', () => held.some(({ user }) => user === '2'));
    held.at(-1)!.res.send('y');
    await last;
    expect(held.map(({ user }) => user)).to.deep.equal(['0', '2']);
  });
});
