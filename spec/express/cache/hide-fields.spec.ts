import { expect } from 'chai';
import type { Request, Response } from 'express';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { httpInvalidation } from '#internal/express/http-invalidation.js';
import { HttpFixture, type Answer } from '../../support/http-fixture.js';

const HIDDEN = ['Surrogate-Key', 'Cachewell-Cache-Control', 'Cache-Group-Invalidation'];
const FIELDS = {
  'Surrogate-Key': 'a b',
  'cachewell-cache-control': 'max-age=600',
  'Cache-Control': 'private, no-store',
  'CDN-Cache-Control': 'max-age=5',
  'X-Other': 'kept',
};

describe('httpCache: hideFields', () => {
  let http: HttpFixture;
  let runs: number;

  beforeEach(async () => {
    http = await HttpFixture.start();
    runs = 0;
  });

  afterEach(() => http.stop());

  function route(
    handler: (req: Request, res: Response) => unknown,
    options: HttpCacheOptions = {},
  ): void {
    const cache = httpCache({ manager: http.manager, hideFields: HIDDEN, ...options });
    http.app.all('/', cache, (req, res) => {
      runs++;
      return handler(req, res);
    });
  }

  /** The outcome, what came of the named fields, and whether the others came. */
  function seen({ cache, status, headers }: Answer): unknown {
    const came = HIDDEN.filter((name) => name.toLowerCase() in headers);
    return [cache, status, came, headers['x-other'], headers['cache-control']];
  }

  const whole = (word: string, status = 200): unknown => [
    ...[word, status, []],
    ...['kept', 'private, no-store'],
  ];

  const WRITERS: Readonly<Record<string, (res: Response) => unknown>> = {
    send: (res) => res.set(FIELDS).send('abcdef'),
    pieces: (res) => {
      res.set(FIELDS).write('abc');
      res.end('def');
    },
    'fields of writeHead': (res) => res.writeHead(200, 'Fine', FIELDS).end('abcdef'),
    'a list of writeHead': (res) =>
      res.set('X-Other', 'kept').writeHead(200, Object.entries(FIELDS).flat()).end('abcdef'),
  };

  for (const [how, write] of Object.entries(WRITERS)) {
    it(`keeps them from the first client and all others, though they count: ${how}`, async () => {
      route((_req, res) => write(res));
      const first = await http.ask('/');
      expect([seen(first), first.text]).to.deep.equal([whole('MISS'), 'abcdef']);
      http.clock.advance('9m');
      const hit = await http.ask('/');
      expect([seen(hit), hit.text, hit.headers.age]).to.deep.equal([whole('HIT'), 'abcdef', '540']);
      expect(hit.headers['cdn-cache-control']).to.equal('max-age=5');
      await http.manager.invalidateTags('b');
      expect(seen(await http.ask('/'))).to.deep.equal(whole('MISS'));
    });
  }

  it('keeps them from conditional, range and HEAD requests', async () => {
    route((_req, res) => res.set(FIELDS).set('ETag', '"v1"').send('abcdef'), { ttl: '1m' });
    const tagged = { 'if-none-match': '"v1"' };
    const part = { range: 'bytes=0-1' };
    for (const word of ['MISS', 'HIT']) {
      const unchanged = await http.ask('/', { headers: tagged });
      expect(unchanged.status).to.equal(304);
      expect(HIDDEN.some((name) => name.toLowerCase() in unchanged.headers)).to.equal(false);
      expect(unchanged.cache).to.equal(word);
      if (word === 'MISS') await http.manager.invalidateTags('a');
      expect(seen(await http.ask('/', { headers: part }))).to.deep.equal(whole(word, 206));
    }
    expect(seen(await http.ask('/', { method: 'HEAD' }))).to.deep.equal(whole('HIT'));
    await http.manager.cache('http').clear();
    expect(seen(await http.ask('/', { method: 'HEAD' }))).to.deep.equal(whole('MISS'));
  });

  it('keeps them from clients whose requests or responses are not cached', async () => {
    route((req, res) => {
      res.set(FIELDS);
      if (req.headers['x-cookie'] !== undefined) res.cookie('a', 'b');
      res.status(req.headers['x-bad'] === undefined ? 200 : 500).send('x');
    });
    const noCache = { 'cache-control': 'no-cache' };
    expect(seen(await http.ask('/', { headers: noCache }))).to.deep.equal(whole('SKIP'));
    expect(seen(await http.ask('/', { headers: { 'x-cookie': '1' } }))).to.deep.equal(
      whole('SKIP'),
    );
    expect(seen(await http.ask('/', { headers: { 'x-bad': '1' } }))).to.deep.equal(
      whole('SKIP', 500),
    );
  });

  it('keeps what they say for a validation that does not say it again', async () => {
    route((req, res) => {
      if (req.headers['if-none-match'] === '"v1"') return res.status(304).end();
      return res.set(FIELDS).set('ETag', '"v1"').send('x');
    });
    await http.ask('/');
    http.clock.advance('11m');
    expect(seen(await http.ask('/'))).to.deep.equal(whole('MISS'));
    http.clock.advance('9m');
    expect(seen(await http.ask('/'))).to.deep.equal(whole('HIT'));
    await http.manager.invalidateTags('a');
    await http.ask('/');
    expect(runs).to.equal(3);
  });

  it('leaves the answers to writes as they are', async () => {
    http.app.use(httpInvalidation({ manager: http.manager }));
    http.app.post(
      '/other',
      httpCache({ manager: http.manager, hideFields: HIDDEN }),
      (_req, res) => {
        res.set('Cache-Group-Invalidation', '"a"').sendStatus(201);
      },
    );
    route((_req, res) => res.set(FIELDS).send('x'));
    await http.ask('/');
    expect((await http.ask('/')).cache).to.equal('HIT');
    const write = await http.ask('/other', { method: 'POST' });
    expect(write.headers['cache-group-invalidation']).to.equal('"a"');
    expect((await http.ask('/')).cache).to.equal('MISS');
  });

  it('keeps them back in an application whose routes have caches of their own', async () => {
    const { manager } = http;
    http.app.use(httpCache({ manager, hideFields: ['X-Outer'] }));
    route((_req, res) => res.set(FIELDS).set('X-Outer', '1').send('x'), {
      staleWhileRevalidate: '1h',
      targetedFields: ['CDN-Cache-Control'],
    });
    const words: unknown[] = [];
    for (let round = 0; round < 2; round++) {
      const answer = await http.ask('/');
      expect(answer.headers).to.not.have.property('x-outer');
      words.push(seen(answer));
      http.clock.advance('6s');
    }
    expect(words).to.deep.equal([whole('MISS'), whole('STALE')]);
  });

  it('is off unless asked for', async () => {
    route((_req, res) => res.set(FIELDS).send('x'), { hideFields: undefined });
    for (const word of ['MISS', 'HIT']) {
      const { cache, headers } = await http.ask('/');
      expect([cache, headers['surrogate-key']]).to.deep.equal([word, 'a b']);
    }
  });
});
