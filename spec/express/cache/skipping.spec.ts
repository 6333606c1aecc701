import { expect } from 'chai';
import type { Response } from 'express';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { HttpFixture, type AskOptions } from '../../support/http-fixture.js';

/** Why a request goes past the cache, or its response is not stored: request, options, handler. */
const CAUSES: Readonly<
  Record<
    string,
    {
      readonly path?: string;
      readonly ask?: AskOptions;
      readonly options?: HttpCacheOptions;
      readonly write?: (res: Response) => void;
      readonly status?: string;
    }
  >
> = {
  method: { ask: { method: 'POST' }, status: 'cachewell; fwd=method; detail=method' },
  'request-body': { ask: { body: 'x', headers: { 'content-length': '1' } } },
  'request-no-cache': {
    ask: { headers: { 'cache-control': 'max-age=0, No-Cache' } },
    status: 'cachewell; fwd=request; detail=request-no-cache',
  },
  'request-no-store': { ask: { headers: { 'cache-control': 'no-store' } } },
  precondition: { ask: { headers: { 'if-match': '"x"' } } },
  condition: { options: { condition: () => false } },
  attribute: { options: { varyBy: ['userId'] } },
  callback: {
    options: {
      condition: () => {
        throw new Error('broken');
      },
    },
  },
  'other-host': { options: { origin: 'https://api.example.com' } },
  'target-encoded-slash': { path: '/a%2Fb' },
  'target-dot-segment': { path: '/a/%2e%2e/b' },
  'target-empty-segment': { path: '/a//b' },
  'target-matrix': { path: '/a;x=1' },
  override: { ask: { headers: { 'x-http-method-override': 'DELETE' } } },
  private: {
    write: (res) => void res.set('Cache-Control', 'PRIVATE').send('x'),
    status: 'cachewell; fwd=uri-miss; detail=private',
  },
  'no-store': { write: (res) => void res.set('Cache-Control', 'no-store').send('x') },
  'set-cookie': { write: (res) => void res.cookie('a', 'b').send('x') },
  status: { write: (res) => void res.status(404).send('x') },
  'vary-any': { write: (res) => void res.set('Vary', '*').send('x') },
  authorization: { ask: { headers: { authorization: 'Bearer x' } } },
  cookie: { ask: { headers: { cookie: 'a=b' } } },
  stream: {
    write: (res) => {
      res.set('Content-Type', 'text/event-stream');
      res.write('data: 1\n\n');
      res.end();
    },
  },
  trailers: {
    write: (res) => {
      res.set('Trailer', 'X-Sum');
      res.write('x');
      res.addTrailers({ 'X-Sum': '1' });
      res.end();
    },
  },
  'too-large': { options: { maxResponseSize: 0 }, write: (res) => void res.send('x') },
};

describe('httpCache: what goes past the cache', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start();
  });

  afterEach(() => http.stop());

  for (const [reason, { path = '/a', ask, options, write, status }] of Object.entries(CAUSES)) {
    it(`says SKIP for ${reason}, and runs the handler each time`, async () => {
      let runs = 0;
      http.app.use(
        httpCache({ manager: http.manager, ttl: '1m', debug: true, ...options }),
        (_req, res) => {
          runs++;
          if (write === undefined) res.send('x');
          else write(res);
        },
      );

      const first = await http.ask(path, ask);
      const second = await http.ask(path, ask);

      expect([first.cache, first.reason]).to.deep.equal(['SKIP', reason]);
      expect([second.cache, second.reason]).to.deep.equal(['SKIP', reason]);
      if (status !== undefined) expect(first.headers['cache-status']).to.equal(status);
      expect(first.text).to.equal('x'.replace('x', reason === 'stream' ? 'data: 1\n\n' : 'x'));
      expect(runs).to.equal(2);
      expect(http.manager.cache('http').statistics().sets).to.equal(0);
    });
  }

  it('says SKIP while the manager is switched off, and stores nothing', async () => {
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m', debug: true }), (_req, res) => {
      res.send('x');
    });
    http.manager.enabled = false;

    const off = await http.ask('/');
    http.manager.enabled = true;
    const on = await http.ask('/');

    expect([off.cache, off.reason]).to.deep.equal(['SKIP', 'disabled']);
    expect(on.cache).to.equal('MISS');
  });

  it('has other names for its fields, or none', async () => {
    const named = {
      manager: http.manager,
      ttl: '1m',
      xCache: 'X-Mine',
      statusHeader: 'X-Status',
    } as const;
    http.app.get('/named', httpCache(named), (_req, res) => void res.send('x'));
    const silent = {
      manager: http.manager,
      ttl: '1m',
      xCache: false,
      statusHeader: false,
    } as const;
    http.app.get('/silent', httpCache(silent), (_req, res) => void res.send('x'));

    await http.ask('/named');
    await http.ask('/silent');
    const shown = (await http.ask('/named')).headers;
    const hidden = (await http.ask('/silent')).headers;

    expect([shown['x-mine'], shown['x-status']]).to.deep.equal(['HIT', 'cachewell; hit; ttl=60']);
    expect(hidden).to.not.have.any.keys('x-cache', 'cache-status');
    expect(hidden.age).to.equal('0');
  });
});
