import { expect } from 'chai';
import express from 'express';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';

describe('httpCache for a whole application', () => {
  let http: HttpFixture;
  let runs: number;

  beforeEach(async () => {
    http = await HttpFixture.start();
    runs = 0;
  });

  afterEach(() => http.stop());

  it('stores what says so itself, and nothing else', async () => {
    http.app.use(httpCache({ manager: http.manager }));
    http.app.get('/said', (_req, res) => void res.set('Cache-Control', 'max-age=60').send('x'));
    http.app.get('/silent', (_req, res) => void res.send('x'));

    for (const path of ['/said', '/silent']) await http.ask(path);

    expect((await http.ask('/said')).cache).to.equal('HIT');
    expect((await http.ask('/silent')).cache).to.equal('SKIP');
  });

  it('leaves a marked route to its own cache', async () => {
    http.app.use(httpCache({ manager: http.manager }));
    const marked = httpCache({ manager: http.manager, ttl: '1m', varyBy: ['userId'] });
    http.app.get(
      '/me',
      (req, res, next) => {
        res.locals['userId'] = req.headers['x-user'];
        next();
      },
      marked,
      (_req, res) => {
        runs++;
        res.set('Cache-Control', 'max-age=60').send(res.locals['userId']);
      },
    );
    const ask = async (user: string): Promise<string> => {
      const { cache, text, rawHeaders } = await http.ask('/me', { headers: { 'x-user': user } });
      expect(rawHeaders.filter((name) => name === 'X-Cache').length).to.equal(1);
      expect(rawHeaders.filter((name) => name === 'Cache-Status').length).to.equal(1);
      return `${cache} ${text}`;
    };

    expect(await ask('ada')).to.equal('MISS ada');
    expect(await ask('bob')).to.equal('MISS bob');
    expect(await ask('ada')).to.equal('HIT ada');
    expect(await ask('bob')).to.equal('HIT bob');
    expect(runs).to.equal(2);
  });

  it('collapses the requests of a marked route', async () => {
    http.app.use(httpCache({ manager: http.manager }));
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      runs++;
      setTimeout(() => res.send('x'), 20);
    });

    const answers = await Promise.all(Array.from({ length: 20 }, () => http.ask('/')));

    expect(new Set(answers.map(({ text }) => text))).to.deep.equal(new Set(['x']));
    expect(runs).to.equal(1);
  });

  it('stores nothing that looks like a file by a ttl of its own', async () => {
    http.app.use(httpCache({ manager: http.manager, ttl: '1m' }));
    http.app.get('/{*any}', (_req, res) => void res.send('x'));

    await http.ask('/account/x.css');
    await http.ask('/account');

    expect((await http.ask('/account/x.css')).cache).to.equal('SKIP');
    expect((await http.ask('/account')).cache).to.equal('HIT');
  });

  it('does not store fields that something before the cache sets for each request', async () => {
    let id = 0;
    http.app.use((_req, res, next) => {
      res.set('X-Request-Id', String(++id)).set('X-Static', 'same');
      next();
    });
    http.app.use(httpCache({ manager: http.manager, ttl: '1m' }));
    http.app.get('/', (_req, res) => void res.set('X-Own', String(id)).send('x'));

    const first = await http.ask('/');
    const second = await http.ask('/');

    expect([first.headers['x-request-id'], first.headers['x-own']]).to.deep.equal(['1', '1']);
    expect([second.headers['x-request-id'], second.headers['x-own']]).to.deep.equal(['2', '1']);
    expect([second.cache, second.headers['x-static']]).to.deep.equal(['HIT', 'same']);
  });

  it('works below a router, with one key per target', async () => {
    const { Router } = await import('express');
    const router = Router();
    router.use(httpCache({ manager: http.manager, ttl: '1m' }));
    router.get('/', (_req, res) => void res.send(`run ${++runs}`));
    router.get('/x', (_req, res) => void res.send(`run ${++runs}`));
    http.app.use('/api', router);

    for (const path of ['/api', '/api/', '/api/x', '/api?a=1']) await http.ask(path);
    for (const path of ['/api', '/api/', '/api/x', '/api?a=1']) {
      expect((await http.ask(path)).cache, path).to.equal('HIT');
    }
    expect(runs).to.equal(4);
    const { keys } = await http.manager.cache('http').keys({ pattern: 'GET:api:x:@http*' });
    expect(keys.length).to.equal(1);
  });

  it('stores what an application mounted below it answers', async () => {
    const below = express();
    below.get('/', (_req, res) => void res.send(`run ${++runs}`));
    http.app.use(httpCache({ manager: http.manager, ttl: '1m' }));
    http.app.use('/below', below);

    const miss = await http.ask('/below');
    const hit = await http.ask('/below');

    expect([miss.cache, hit.cache, hit.text]).to.deep.equal(['MISS', 'HIT', 'run 1']);
  });

  it('hangs nobody where a route ends in another application, which takes the response over', async () => {
    const below = express();
    below.get('/below', (_req, res) => void res.send(`run ${++runs}`));
    http.app.get('/below', httpCache({ manager: http.manager, ttl: '1m' }), below);

    const answers = await Promise.all(Array.from({ length: 5 }, () => http.ask('/below')));

    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200, 200, 200]);
    expect(answers.every(({ text }) => /^run \d$/.test(text))).to.equal(true);
    expect(http.manager.core('http').flights.size).to.equal(0);
  });
});
