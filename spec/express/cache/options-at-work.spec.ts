import { expect } from 'chai';
import type { Request, Response } from 'express';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { HttpFixture, type Answer } from '../../support/http-fixture.js';

type Fields = Record<string, string>;

/** A request and what becomes of it (`<X-Cache> run <n>`, and fields of the answer), a wait, or an invalidation. */
type Step =
  | readonly [path: string, outcome: string, headers?: Fields, answered?: Answered]
  | { readonly wait: '1s' | '11s' | '20s' | '31s' | '40s' | '1m' | '2m' | '59m' }
  | { readonly invalidate: string };

/** Fields of an answer; `undefined` = it has none. */
type Answered = Readonly<Record<string, string | undefined>>;

interface Row {
  readonly does: string;
  readonly options: HttpCacheOptions<Request, Response>;
  /** What the handler sets. */
  readonly sets?: Fields;
  readonly status?: number;
  readonly steps: readonly Step[];
  /** How many entries there are in the end. */
  readonly keys?: number;
}

const noCache = { 'cache-control': 'no-cache' };
const noStore = { 'cache-control': 'no-store' };
const recent = { 'cache-control': 'max-age=10' };

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  queryAllow: [
    {
      does: 'lets nothing count but what it names, and what is in brackets behind it',
      options: { queryAllow: ['page', 'filter'] },
      steps: [
        ['/?page=1', 'MISS run 1'],
        ['/?page=1&utm_source=mail', 'HIT run 1'],
        ['/?x=1&page=1&y=2', 'HIT run 1'],
        ['/?page=2', 'MISS run 2'],
        ['/?page=1&filter[a]=1', 'MISS run 3'],
        ['/?filter[a]=1&page=1&z', 'HIT run 3'],
        ['/?page=1&filter[a]=2', 'MISS run 4'],
        ['/?pages=1', 'MISS run 5'],
        ['/', 'HIT run 5'],
      ],
      keys: 5,
    },
    {
      does: 'may allow nothing at all',
      options: { queryAllow: [] },
      steps: [
        ['/?page=1', 'MISS run 1'],
        ['/?page=2', 'HIT run 1'],
        ['/', 'HIT run 1'],
      ],
      keys: 1,
    },
  ],
  queryIgnore: [
    {
      does: 'leaves out what it names, by name or by beginning',
      options: { queryIgnore: ['utm_*', 'fbclid'] },
      steps: [
        ['/?page=1', 'MISS run 1'],
        ['/?utm_source=a&page=1&utm_medium=b&fbclid=1', 'HIT run 1'],
        ['/?page=2&utm_source=a', 'MISS run 2'],
        ['/?page=2', 'HIT run 2'],
        ['/?page=2&utm=1', 'MISS run 3'],
        ['/?page=2&fbclid2=1', 'MISS run 4'],
      ],
      keys: 4,
    },
    {
      does: 'takes away from what queryAllow allows',
      options: { queryAllow: ['a*'], queryIgnore: ['ab'] },
      steps: [
        ['/?aa=1&ab=1', 'MISS run 1'],
        ['/?aa=1&ab=2&b=3', 'HIT run 1'],
        ['/?aa=2', 'MISS run 2'],
      ],
      keys: 2,
    },
  ],
  sendCacheControl: [
    {
      does: 'tells clients the ttl, in every answer from the store',
      options: { sendCacheControl: true },
      steps: [
        ['/', 'MISS run 1', {}, { 'cache-control': 'max-age=60', age: undefined }],
        { wait: '20s' },
        ['/', 'HIT run 1', {}, { 'cache-control': 'max-age=60', age: '20' }],
        ['/', 'HIT ', { 'if-none-match': '*' }, { 'cache-control': 'max-age=60', age: '20' }],
      ],
    },
    {
      does: 'tells them that a response of their own is for them alone',
      options: { sendCacheControl: true, varyBy: [{ name: 'lang', value: () => 'de' }] },
      steps: [
        ['/', 'MISS run 1', {}, { 'cache-control': 'private, max-age=60' }],
        ['/', 'HIT run 1', {}, { 'cache-control': 'private, max-age=60' }],
      ],
    },
    {
      does: 'leaves what the handler says as it is',
      options: { sendCacheControl: true },
      sets: { 'Cache-Control': 'max-age=30' },
      steps: [
        ['/', 'MISS run 1', {}, { 'cache-control': 'max-age=30' }],
        ['/', 'HIT run 1', {}, { 'cache-control': 'max-age=30' }],
      ],
    },
    {
      does: 'says nothing where the handler speaks to caches alone',
      options: { sendCacheControl: true },
      sets: { 'CDN-Cache-Control': 'max-age=30' },
      steps: [
        ['/', 'MISS run 1', {}, { 'cache-control': undefined }],
        ['/', 'HIT run 1', {}, { 'cache-control': undefined }],
      ],
    },
    {
      does: 'says nothing of what is not stored',
      options: { sendCacheControl: true },
      sets: { 'Set-Cookie': 'a=b' },
      steps: [['/', 'SKIP run 1', {}, { 'cache-control': undefined }]],
    },
    {
      does: 'is off unless asked for',
      options: {},
      steps: [
        ['/', 'MISS run 1', {}, { 'cache-control': undefined }],
        ['/', 'HIT run 1', {}, { 'cache-control': undefined }],
      ],
    },
  ],
  targetedFields: [
    {
      does: 'count before a longer Cache-Control',
      options: {},
      sets: { 'CDN-Cache-Control': 'max-age=10', 'Cache-Control': 'max-age=600' },
      steps: [['/', 'MISS run 1'], ['/', 'HIT run 1'], { wait: '11s' }, ['/', 'MISS run 2']],
    },
    {
      does: 'count before a Cache-Control that forbids storing',
      options: {},
      sets: { 'CDN-Cache-Control': 'max-age=600', 'Cache-Control': 'private, no-store' },
      steps: [
        ['/', 'MISS run 1', {}, { 'cache-control': 'private, no-store' }],
        { wait: '2m' },
        ['/', 'HIT run 1', {}, { 'cache-control': 'private, no-store' }],
      ],
    },
    {
      does: 'forbid storing what Cache-Control allows',
      options: {},
      sets: { 'CDN-Cache-Control': 'no-store', 'Cache-Control': 'public, max-age=600' },
      steps: [
        ['/', 'SKIP run 1'],
        ['/', 'SKIP run 2'],
      ],
    },
    {
      does: 'count before Expires and the ttl of the route',
      options: { ttl: '1h' },
      sets: { 'CDN-Cache-Control': 'max-age=10', Expires: 'Fri, 01 Jan 2100 00:00:00 GMT' },
      steps: [['/', 'MISS run 1'], { wait: '11s' }, ['/', 'MISS run 2']],
    },
    {
      does: 'prefer the one of this cache',
      options: {},
      sets: { 'CDN-Cache-Control': 'no-store', 'Cachewell-Cache-Control': 'max-age=10' },
      steps: [['/', 'MISS run 1'], ['/', 'HIT run 1'], { wait: '11s' }, ['/', 'MISS run 2']],
    },
    {
      does: 'leave it to Cache-Control where they are broken',
      options: {},
      sets: { 'CDN-Cache-Control': 'max-age=x', 'Cache-Control': 'max-age=10' },
      steps: [['/', 'MISS run 1'], ['/', 'HIT run 1'], { wait: '11s' }, ['/', 'MISS run 2']],
    },
    {
      does: 'are those that the route names, in its order',
      options: { targetedFields: ['Shop-Cache-Control', 'CDN-Cache-Control'] },
      sets: {
        'CDN-Cache-Control': 'max-age=600',
        'Shop-Cache-Control': 'max-age=10',
        'Cachewell-Cache-Control': 'no-store',
      },
      steps: [['/', 'MISS run 1'], ['/', 'HIT run 1'], { wait: '11s' }, ['/', 'MISS run 2']],
    },
    {
      does: 'are none where the route wants none',
      options: { targetedFields: [] },
      sets: { 'CDN-Cache-Control': 'no-store', 'Cache-Control': 'max-age=600' },
      steps: [['/', 'MISS run 1'], { wait: '2m' }, ['/', 'HIT run 1']],
    },
  ],
  keepForValidation: [
    {
      does: 'keeps a response for its ETag',
      options: { ttl: '10s', keepForValidation: '30s' },
      sets: { ETag: '"v1"' },
      steps: [
        ['/', 'MISS run 1', {}, { 'x-asked': 'nothing' }],
        { wait: '31s' },
        ['/', 'MISS run 1', {}, { 'x-asked': '"v1"' }],
        ['/', 'HIT run 1', {}, { 'x-asked': '"v1"' }],
      ],
    },
    {
      does: 'keeps it no longer than that',
      options: { ttl: '10s', keepForValidation: '30s', staleIfError: 0 },
      sets: { ETag: '"v1"' },
      steps: [
        ['/', 'MISS run 1', {}, { 'x-asked': 'nothing' }],
        { wait: '40s' },
        ['/', 'MISS run 2', {}, { 'x-asked': 'nothing' }],
      ],
    },
    {
      does: 'keeps none with 0',
      options: { ttl: '10s', keepForValidation: 0, staleIfError: 0 },
      sets: { ETag: '"v1"' },
      steps: [
        ['/', 'MISS run 1', {}, { 'x-asked': 'nothing' }],
        { wait: '11s' },
        ['/', 'MISS run 2', {}, { 'x-asked': 'nothing' }],
      ],
    },
    {
      does: 'is an hour unless said otherwise',
      options: { ttl: '20s', staleIfError: 0 },
      sets: { ETag: '"v1"' },
      steps: [
        ['/', 'MISS run 1', {}, { 'x-asked': 'nothing' }],
        { wait: '59m' },
        ['/', 'MISS run 1', {}, { 'x-asked': '"v1"' }],
        { wait: '59m' },
        { wait: '2m' },
        ['/', 'MISS run 3', {}, { 'x-asked': 'nothing' }],
      ],
    },
  ],
  tags: [
    {
      does: 'may depend on the request, and on what stands before the cache',
      options: {
        tags: (req, res) => [`item:${req.query['id'] as string}`, String(res.locals['tenant'])],
      },
      steps: [
        ['/?id=1', 'MISS run 1'],
        ['/?id=2', 'MISS run 2'],
        { invalidate: 'item:1' },
        ['/?id=1', 'MISS run 3'],
        ['/?id=2', 'HIT run 2'],
        { invalidate: 'acme' },
        ['/?id=1', 'MISS run 4'],
        ['/?id=2', 'MISS run 5'],
      ],
    },
    {
      does: 'take a request past the cache where there are none to be had',
      options: {
        tags: (req) => {
          if (req.query['bad'] === undefined) return ['a'];
          throw new Error('no tags');
        },
      },
      steps: [
        ['/', 'MISS run 1'],
        ['/', 'HIT run 1'],
        ['/?bad', 'SKIP run 2'],
        ['/?bad', 'SKIP run 3'],
      ],
      keys: 1,
    },
  ],
  respectRequestCacheControl: [
    {
      does: 'obeys nothing with false',
      options: { respectRequestCacheControl: false },
      steps: [
        ['/', 'MISS run 1', noStore],
        ['/', 'HIT run 1', noCache],
        ['/', 'HIT run 1', noStore],
        { wait: '20s' },
        ['/', 'HIT run 1', recent],
      ],
    },
    {
      does: 'obeys no-cache and no-store, and no more, unless said otherwise',
      options: {},
      steps: [
        ['/', 'SKIP run 1', noStore],
        ['/', 'MISS run 2'],
        ['/', 'SKIP run 3', noCache],
        ['/', 'HIT run 2'],
        { wait: '20s' },
        ['/', 'HIT run 2', recent],
      ],
    },
    {
      does: 'obeys all of it with true',
      options: { respectRequestCacheControl: true },
      steps: [
        ['/', 'MISS run 1'],
        ['/', 'HIT run 1', recent],
        ['/', 'SKIP run 2', noCache],
        { wait: '20s' },
        ['/', 'MISS run 3', recent],
        ['/', 'HIT run 3', recent],
      ],
    },
    {
      does: 'obeys those that a function says',
      options: { respectRequestCacheControl: (req) => req.headers['x-trusted'] === 'yes' },
      steps: [
        ['/', 'MISS run 1', noStore],
        ['/', 'HIT run 1', noCache],
        ['/', 'SKIP run 2', { ...noCache, 'x-trusted': 'yes' }],
        ['/', 'SKIP run 3', { ...noStore, 'x-trusted': 'yes' }],
        { wait: '20s' },
        ['/', 'HIT run 1', recent],
        ['/', 'MISS run 4', { ...recent, 'x-trusted': 'yes' }],
        ['/', 'HIT run 4', { 'x-trusted': 'yes' }],
      ],
    },
  ],
  statuses: [
    {
      does: 'adds those that may be stored',
      options: { statuses: [200, 404] },
      status: 404,
      steps: [
        ['/', 'MISS run 1'],
        ['/', 'HIT run 1'],
      ],
    },
    {
      does: 'leaves out those that it does not name',
      options: { statuses: [404] },
      steps: [
        ['/', 'SKIP run 1'],
        ['/', 'SKIP run 2'],
      ],
    },
  ],
};

describe('httpCache options at work', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start();
  });

  afterEach(() => http.stop());

  function serve({ options, sets = {}, status = 200 }: Row): void {
    let runs = 0;
    const cache = httpCache({
      ...{ manager: http.manager, ttl: '1m' },
      ...(options as HttpCacheOptions),
    });
    http.app.use((_req, res, next) => {
      res.locals['tenant'] = 'acme';
      next();
    });
    http.app.get('/', cache, (req, res) => {
      runs++;
      const asked = req.headers['if-none-match'];
      res.set('X-Asked', asked ?? 'nothing').set(sets);
      if (asked !== undefined && asked === sets['ETag']) res.status(304).end();
      else res.status(status).send(`run ${runs}`);
    });
  }

  function expectFields({ headers }: Answer, fields: Answered, path: string): void {
    for (const [name, value] of Object.entries(fields)) {
      expect(headers[name], `${name} of ${path}`).to.equal(value);
    }
  }

  for (const [option, rows] of Object.entries(ROWS)) {
    for (const row of rows) {
      it(`${option} ${row.does}`, async () => {
        serve(row);
        for (const [index, step] of row.steps.entries()) {
          if ('wait' in step) http.clock.advance(step.wait);
          else if ('invalidate' in step) await http.manager.invalidateTags(step.invalidate);
          else {
            const [path, outcome, headers = {}, answered = {}] = step;
            const answer = await http.ask(path, { headers });
            const what = `step ${index}: ${path}`;
            expect(`${answer.cache} ${answer.text}`, what).to.equal(outcome);
            expectFields(answer, answered, what);
          }
        }
        if (row.keys === undefined) return;
        const { keys } = await http.manager.cache('http').keys({ count: 100 });
        expect(keys.length).to.equal(row.keys);
      });
    }
  }
});
