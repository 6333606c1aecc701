import { expect } from 'chai';
import type { Request } from 'express';
import type { KeyPart } from '#internal/cache/cache-key.js';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';

describe('httpCache: variants', () => {
  let http: HttpFixture;
  let runs: number;

  beforeEach(async () => {
    http = await HttpFixture.start();
    runs = 0;
  });

  afterEach(() => http.stop());

  function route(maxVariants?: number): void {
    const options = { manager: http.manager, ttl: '1m', maxVariants } as const;
    http.app.get('/', httpCache(options), (req, res) => {
      runs++;
      res.vary('X-Kind').send(`${String(req.headers['x-kind'])} ${runs}`);
    });
  }

  const ask = (kind: string): ReturnType<HttpFixture['ask']> =>
    http.ask('/', { headers: { 'x-kind': kind } });

  it('are kept apart, and served to those who asked for them', async () => {
    route();
    const kinds = ['a', 'b', 'c', 'd'];
    for (const kind of kinds) expect((await ask(kind)).cache).to.equal('MISS');

    for (const kind of [...kinds].reverse()) {
      const hit = await ask(kind);
      expect([hit.cache, hit.text.split(' ')[0]]).to.deep.equal(['HIT', kind]);
    }
    expect(runs).to.equal(4);
  });

  it('that miss say so', async () => {
    route();
    await ask('a');
    expect((await ask('b')).headers['cache-status']).to.equal('cachewell; fwd=vary-miss; stored');
  });

  it('never exceed their bound, however many there are, and stay right', async () => {
    route(4);
    for (let index = 0; index < 200; index++) {
      const kind = `kind-${index % 40}`;
      expect((await ask(kind)).text.split(' ')[0]).to.equal(kind);
    }
    const { keys } = await http.manager.cache('http').keys({ count: 1000 });
    expect(keys.length).to.be.within(3, 5);
  });

  it('have no more than the first with maxVariants: 0', async () => {
    route(0);
    await ask('a');
    await ask('b');
    await ask('b');
    const { keys } = await http.manager.cache('http').keys({ count: 1000 });
    expect(keys.length).to.equal(1);
    expect((await ask('c')).text.split(' ')[0]).to.equal('c');
  });

  it('are all void when the key of the URL is deleted', async () => {
    route();
    for (const kind of ['a', 'b', 'c']) await ask(kind);
    const cache = http.manager.cache('http');
    const { keys } = await cache.keys();
    await http.manager.core('http').delete([keys.find((key) => !key.includes('~'))!], 'throw');

    for (const kind of ['a', 'b', 'c']) {
      const answer = await ask(kind);
      expect([kind, answer.cache]).to.deep.equal([kind, 'MISS']);
    }
    expect(runs).to.equal(6);
  });

  it('stay when the first one is refreshed', async () => {
    const options = { manager: http.manager } as const;
    http.app.get('/ttl', httpCache(options), (req, res) => {
      runs++;
      const kind = String(req.headers['x-kind']);
      res
        .vary('X-Kind')
        .set('Cache-Control', `max-age=${kind === 'a' ? 10 : 100}`)
        .send(kind);
    });
    const get = (kind: string): ReturnType<HttpFixture['ask']> =>
      http.ask('/ttl', { headers: { 'x-kind': kind } });
    await get('a');
    await get('b');
    http.clock.advance('20s');
    await get('a');

    expect((await get('b')).cache).to.equal('HIT');
    expect(runs).to.equal(3);
  });

  it('of clients who come together are not mixed', async () => {
    route();
    const kinds = Array.from({ length: 30 }, (_, index) => `kind-${index % 10}`);
    const answers = await Promise.all(kinds.map(ask));
    expect(answers.map(({ text }) => text.split(' ')[0])).to.deep.equal(kinds);
  });

  it('by attributes are entries of their own', async () => {
    http.app.use((req, res, next) => {
      if (req.headers['x-user'] !== undefined) res.locals['userId'] = req.headers['x-user'];
      next();
    });
    const options = { manager: http.manager, ttl: '1m', varyBy: ['userId'] } as const;
    http.app.get('/me', httpCache(options), (_req, res) => {
      runs++;
      res.json(res.locals['userId']);
    });
    const me = (user: string): ReturnType<HttpFixture['ask']> =>
      http.ask('/me', { headers: { 'x-user': user, authorization: `Bearer ${user}` } });

    await me('ada');
    await me('bob');
    const ada = await me('ada');
    const bob = await me('bob');
    const nobody = [await http.ask('/me'), await http.ask('/me')];

    expect([ada.cache, ada.text, bob.cache, bob.text]).to.deep.equal([
      'HIT',
      '"ada"',
      'HIT',
      '"bob"',
    ]);
    expect(nobody.map(({ cache }) => cache)).to.deep.equal(['SKIP', 'SKIP']);
    expect(runs).to.equal(4);
    const { keys } = await http.manager.cache('http').keys({ pattern: 'GET:me*' });
    expect(keys.map((key) => key.split('@')[1])).to.have.members(['userId=ada:', 'userId=bob:']);
  });

  it('by a secret hold a digest of it in their keys', async () => {
    const token = (req: { headers: NodeJS.Dict<string | string[]> }): string =>
      String(req.headers['x-token']);
    const options = { manager: http.manager, ttl: '1m', varyBy: [token] } as const;
    http.app.get('/t', httpCache(options), (_req, res) => void res.send('x'));
    await http.ask('/t', { headers: { 'x-token': 'hunter2' } });

    const { keys } = await http.manager.cache('http').keys();
    expect(keys[0]).to.match(/^GET:t:@token=[\w-]{43}:@http/);
  });

  it('may have a key of the application', async () => {
    const key = (req: Request): KeyPart[] => ['item', Number(req.params['id'])];
    http.app.get(
      '/items/:id',
      httpCache({ manager: http.manager, ttl: '1m', key }),
      (_req, res) => {
        runs++;
        res.send('x');
      },
    );
    await http.ask('/items/7?a=1');
    expect((await http.ask('/items/07?b=2')).cache).to.equal('HIT');
    const { keys } = await http.manager.cache('http').keys();
    expect(keys[0]).to.match(/^GET:item:7:@http/);
  });
});
