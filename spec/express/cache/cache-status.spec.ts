import { expect } from 'chai';
import type { Request, Response } from 'express';
import { parseList, Token } from 'structured-headers';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { HttpFixture, type Answer, type AskOptions } from '../../support/http-fixture.js';
import { until } from '../../support/until.js';

type Fields = Record<string, string>;

/** A request, and what the two fields say of it; or a wait. */
type Step =
  | { readonly wait: '5s' | '10s' | '20s' | '65s' }
  | readonly [word: string, status: string, headers?: Fields, how?: Omit<AskOptions, 'headers'>];

interface Row {
  readonly what: string;
  readonly options?: HttpCacheOptions<Request, Response>;
  readonly handler?: (req: Request, res: Response, run: number) => unknown;
  readonly steps: readonly Step[];
}

const STORED: Step = ['MISS', 'cachewell; fwd=uri-miss; stored'];
const sets = (fields: Fields) => (_req: Request, res: Response) => res.set(fields).send('abcdef');
const RFC = { profile: 'rfc9111' } as const;

const ROWS: readonly Row[] = [
  {
    what: 'a hit, and how long it will be one',
    steps: [
      STORED,
      ['HIT', 'cachewell; hit; ttl=60'],
      { wait: '20s' },
      ['HIT', 'cachewell; hit; ttl=40'],
    ],
  },
  {
    what: 'a hit that is sent in part, as its head, or not at all',
    handler: sets({ ETag: '"v1"' }),
    steps: [
      STORED,
      ['HIT', 'cachewell; hit; ttl=60', { 'if-none-match': '"v1"' }],
      ['HIT', 'cachewell; hit; ttl=60', { range: 'bytes=0-1' }],
      ['HIT', 'cachewell; hit; ttl=60', { range: 'bytes=9-' }],
      ['HIT', 'cachewell; hit; ttl=60', {}, { method: 'HEAD' }],
    ],
  },
  {
    what: 'a miss that is answered in part, or not at all',
    handler: sets({ ETag: '"v1"', 'Cache-Control': 'max-age=5' }),
    options: { keepForValidation: 0, staleIfError: 0 },
    steps: [
      ['MISS', 'cachewell; fwd=uri-miss; stored', { 'if-none-match': '"v1"' }],
      { wait: '5s' },
      ['MISS', 'cachewell; fwd=uri-miss; stored', { range: 'bytes=0-1' }],
    ],
  },
  {
    what: 'another variant',
    handler: (_req, res) => res.vary('X-Kind').send('x'),
    steps: [
      ['MISS', 'cachewell; fwd=uri-miss; stored', { 'x-kind': '1' }],
      ['MISS', 'cachewell; fwd=vary-miss; stored', { 'x-kind': '2' }],
      ['HIT', 'cachewell; hit; ttl=60', { 'x-kind': '1' }],
      ['HIT', 'cachewell; hit; ttl=60', { 'x-kind': '2' }],
    ],
  },
  {
    what: 'a part where more is wanted',
    options: RFC,
    handler: (req, res) => {
      if (req.headers.range !== 'bytes=0-1') return res.send('abcdef');
      return res.status(206).set({ 'Content-Range': 'bytes 0-1/6', ETag: '"v1"' }).send('ab');
    },
    steps: [
      ['MISS', 'cachewell; fwd=uri-miss; stored', { range: 'bytes=0-1' }],
      ['HIT', 'cachewell; hit; ttl=60', { range: 'bytes=0-1' }],
      ['MISS', 'cachewell; fwd=partial; stored', { range: 'bytes=0-1', 'if-range': '"v1"' }],
      ['MISS', 'cachewell; fwd=partial; stored'],
    ],
  },
  {
    what: 'what is not for credentials',
    steps: [
      STORED,
      ['SKIP', 'cachewell; fwd=miss; detail=authorization', { authorization: 'Bearer a' }],
    ],
  },
  {
    what: 'a stale response that is refreshed meanwhile',
    options: { staleWhileRevalidate: '1m' },
    steps: [STORED, { wait: '65s' }, ['STALE', 'cachewell; hit; ttl=-5']],
  },
  {
    what: 'a stale response in place of an error, and again while the handler is left alone',
    handler: (_req, res, run) => (run === 1 ? res.send('x') : res.sendStatus(503)),
    steps: [
      STORED,
      { wait: '65s' },
      ['STALE', 'cachewell; fwd=stale; fwd-status=503; ttl=-5'],
      ['STALE', 'cachewell; hit; ttl=-5'],
    ],
  },
  {
    what: 'a stale response in place of a thrown error',
    handler: (_req, res, run) => {
      if (run > 1) throw new Error('broken');
      res.send('x');
    },
    steps: [STORED, { wait: '65s' }, ['STALE', 'cachewell; fwd=stale; fwd-status=500; ttl=-5']],
  },
  {
    what: 'an error that nothing can take the place of',
    options: { staleIfError: 0 },
    handler: (_req, res, run) =>
      run === 1 ? res.set('ETag', '"v1"').send('x') : res.sendStatus(503),
    steps: [STORED, { wait: '65s' }, ['SKIP', 'cachewell; fwd=stale; detail=status']],
  },
  {
    what: 'a validation, by Express itself',
    handler: sets({ ETag: '"v1"' }),
    steps: [
      STORED,
      { wait: '65s' },
      ['MISS', 'cachewell; fwd=stale; fwd-status=304; ttl=60; stored'],
      ['HIT', 'cachewell; hit; ttl=60'],
    ],
  },
  {
    what: 'a validation that brings another response',
    handler: (_req, res, run) => res.set('ETag', `"v${run}"`).send('x'),
    steps: [STORED, { wait: '65s' }, ['MISS', 'cachewell; fwd=stale; stored']],
  },
  {
    what: 'a client that wants something newer',
    options: RFC,
    handler: (_req, res, run) => res.set('ETag', `"v${run}"`).send('x'),
    steps: [
      STORED,
      { wait: '20s' },
      ['MISS', 'cachewell; fwd=request; stored', { 'cache-control': 'max-age=10' }],
      ['MISS', 'cachewell; fwd=request; stored', { 'cache-control': 'no-cache' }],
      ['MISS', 'cachewell; fwd=request; stored', { 'cache-control': 'min-fresh=90' }],
    ],
  },
  {
    what: 'a request that reloads',
    options: { refreshWhen: (req) => req.headers['x-reload'] === '1' },
    handler: (_req, res, run) => res.set('ETag', `"v${run}"`).send('x'),
    steps: [STORED, ['MISS', 'cachewell; fwd=request; stored', { 'x-reload': '1' }]],
  },
  {
    what: 'a client that accepts something stale',
    options: RFC,
    steps: [
      STORED,
      { wait: '65s' },
      ['STALE', 'cachewell; hit; ttl=-5', { 'cache-control': 'max-stale=10' }],
    ],
  },
  {
    what: 'a client that wants no cache',
    steps: [
      STORED,
      ['SKIP', 'cachewell; fwd=request; detail=request-no-cache', { 'cache-control': 'no-cache' }],
      ['SKIP', 'cachewell; fwd=request; detail=request-no-store', { 'cache-control': 'no-store' }],
    ],
  },
  {
    what: 'a client that wants nothing but what is stored',
    options: RFC,
    steps: [
      [
        'MISS',
        'cachewell; fwd=uri-miss; detail=only-if-cached',
        { 'cache-control': 'only-if-cached' },
      ],
      STORED,
      ['HIT', 'cachewell; hit; ttl=60', { 'cache-control': 'only-if-cached' }],
    ],
  },
  {
    what: 'requests that the cache leaves alone',
    options: { condition: (req) => req.headers['x-off'] === undefined },
    steps: [
      STORED,
      ['SKIP', 'cachewell; fwd=bypass; detail=condition', { 'x-off': '1' }],
      ['SKIP', 'cachewell; fwd=bypass; detail=precondition', { 'if-match': '*' }],
      ['SKIP', 'cachewell; fwd=bypass; detail=override', { 'x-http-method-override': 'PUT' }],
      [
        'SKIP',
        'cachewell; fwd=bypass; detail=request-body',
        { 'content-length': '1' },
        { body: 'x' },
      ],
      ['SKIP', 'cachewell; fwd=method; detail=method', {}, { method: 'POST' }],
    ],
  },
  {
    what: 'requests without an attribute that the key needs',
    options: { varyBy: ['userId'] },
    steps: [['SKIP', 'cachewell; fwd=bypass; detail=attribute']],
  },
  ...['no-store', 'private'].map((word): Row => ({
    what: `a response that says ${word}`,
    handler: sets({ 'Cache-Control': word }),
    steps: [
      ['SKIP', `cachewell; fwd=uri-miss; detail=${word}`],
      ['SKIP', `cachewell; fwd=uri-miss; detail=${word}`],
    ],
  })),
  {
    what: 'a response that sets a cookie',
    handler: sets({ 'Set-Cookie': 'a=b' }),
    steps: [['SKIP', 'cachewell; fwd=uri-miss; detail=set-cookie']],
  },
  {
    what: 'a response that is too large',
    options: { maxResponseSize: 5 },
    handler: sets({}),
    steps: [['SKIP', 'cachewell; fwd=uri-miss; detail=too-large']],
  },
  {
    what: 'a HEAD that finds nothing',
    steps: [['MISS', 'cachewell; fwd=uri-miss', {}, { method: 'HEAD' }]],
  },
  {
    what: 'what a cache behind it has said before',
    handler: sets({ 'Cache-Status': 'origin-cache; hit; ttl=9' }),
    steps: [
      ['MISS', 'origin-cache; hit; ttl=9, cachewell; fwd=uri-miss; stored'],
      ['HIT', 'origin-cache; hit; ttl=9, cachewell; hit; ttl=60'],
    ],
  },
];

/** The parameters of the last member, as another library reads them. */
function parametersOf(status: string): ReadonlyMap<string, unknown> {
  const [cache, parameters] = parseList(status).at(-1)!;
  expect(String(cache)).to.equal('cachewell');
  return new Map(
    [...parameters].map(([name, value]) => [name, value instanceof Token ? String(value) : value]),
  );
}

/** What `X-Cache` has to be beside a `Cache-Status`. */
function wordOf(parameters: ReadonlyMap<string, unknown>): string {
  const isServed = parameters.has('hit') || parameters.has('collapsed');
  if (Number(parameters.get('ttl')) < 0) return 'STALE';
  if (isServed) return 'HIT';
  const { detail } = { detail: parameters.get('detail') };
  return detail === undefined || detail === 'only-if-cached' ? 'MISS' : 'SKIP';
}

function expectOutcome(answer: Answer, word: string, status: string): void {
  const said = answer.headers['cache-status'] as string;
  expect([answer.cache, said]).to.deep.equal([word, status]);
  const parameters = parametersOf(said);
  expect(wordOf(parameters)).to.equal(word);
  expect(parameters.get('detail')).to.equal(answer.reason);
  expect(parameters.has('key')).to.equal(false);
}

describe('httpCache: Cache-Status beside X-Cache', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start();
  });

  afterEach(() => http.stop());

  for (const { what, options, handler = sets({}), steps } of ROWS) {
    it(`tells ${what}`, async () => {
      let runs = 0;
      const cache = httpCache({
        ...{ manager: http.manager, ttl: '1m', debug: true },
        ...(options as HttpCacheOptions),
      });
      http.app.all('/', cache, (req, res) => handler(req, res, ++runs));
      for (const step of steps) {
        if ('wait' in step) http.clock.advance(step.wait);
        else {
          const [word, status, headers = {}, how = {}] = step;
          expectOutcome(await http.ask('/', { headers, ...how }), word, status);
        }
      }
    });
  }

  it('tells a URL that is not cached', async () => {
    http.app.use(httpCache({ manager: http.manager, ttl: '1m', debug: true }), (_req, res) => {
      res.send('x');
    });
    const answer = await http.ask('/a//b');
    expectOutcome(answer, 'SKIP', 'cachewell; fwd=bypass; detail=target-empty-segment');
  });

  it("tells another one's run that a request has waited for", async () => {
    const held: Response[] = [];
    let arrived = 0;
    http.app.get(
      '/',
      (_req, _res, next) => {
        arrived++;
        next();
      },
      httpCache({ manager: http.manager, ttl: '1m', debug: true }),
      (_req, res) => void held.push(res),
    );
    const first = http.ask('/');
    await until('it runs', () => held.length === 1);
    const second = http.ask('/');
    await until('both are there', () => arrived === 2);
    held[0]!.send('x');

    expectOutcome(await first, 'MISS', 'cachewell; fwd=uri-miss; stored');
    expectOutcome(await second, 'HIT', 'cachewell; fwd=uri-miss; ttl=60; collapsed');
  });
});
