import { expect } from 'chai';
import type { CacheBackend } from '#internal/cache/backend.js';
import { accelerate } from '#internal/express/accelerate.js';
import { cacheErrorHandler } from '#internal/express/error-handler.js';
import { httpCache } from '#internal/express/http-cache.js';
import { rateLimit, type RateLimiter } from '#internal/express/rate-limit.js';
import type { Rate, RateLimitOptions } from '#internal/express/rate-limit-options.js';
import type { Request, Response } from 'express';
import { HttpFixture, type AskOptions } from '../http-fixture.js';

type Options = RateLimitOptions<Request, Response>;

/** An application with a limited route, without or with a fast lane. */
interface Limited {
  readonly http: HttpFixture;
  readonly limiter: RateLimiter;
}

/** What a request came to, but for times. */
interface Outcome {
  readonly status: number;
  readonly text: string;
  readonly cache: string | undefined;
  readonly limit: unknown;
  readonly policy: unknown;
  readonly isRetryTold: boolean;
  readonly count: number | undefined;
}

/**
 * That limits count the same with a fast lane as without it, on a store of one's own choice.
 *
 * @param backend - gives a new store for each application
 */
export function describeFrontLimits(name: string, backend: () => CacheBackend): void {
  describe(`a rateLimit behind a fast lane, on ${name},`, () => {
    let open: HttpFixture[];

    beforeEach(() => {
      open = [];
    });

    afterEach(async () => {
      for (const http of open) await http.stop();
    });

    async function limited(hasLane: boolean, rate: Rate, options: Options = {}): Promise<Limited> {
      const http = await HttpFixture.start({ backend: backend() }, (app) =>
        hasLane ? accelerate(app) : app,
      );
      open.push(http);
      const { app, manager } = http;
      app.set('trust proxy', 1);
      const limiter = rateLimit(rate, { manager, ...options });
      const cache = httpCache({ manager, ttl: '1m', front: true });
      app.get('/items', limiter, cache, (_req, res) => void res.set('ETag', '"v"').send('items'));
      app.get('/own', limiter, cache, (_req, res) => {
        res.set('Cache-Control', 'no-store').send('own');
      });
      app.use(cacheErrorHandler());
      return { http, limiter };
    }

    async function ask(
      { http, limiter }: Limited,
      path: string,
      options: AskOptions = {},
      client = '10.0.0.1',
    ): Promise<Outcome & { readonly isInFront: boolean }> {
      const { status, text, cache, headers } = await http.ask(path, {
        ...options,
        headers: { host: 'a.example', 'x-forwarded-for': client, ...options.headers },
      });
      return {
        status,
        text,
        cache,
        limit: String(headers['ratelimit']).replace(/(t|reset)=\d+/, '$1'),
        policy: headers['ratelimit-policy'],
        isRetryTold: headers['retry-after'] !== undefined,
        count: (await limiter.count(client))?.totalHits,
        isInFront: headers['x-powered-by'] === undefined,
      };
    }

    const steps: readonly (readonly [path: string, options?: AskOptions, client?: string])[] = [
      ['/items'],
      ['/items'],
      ['/items', { method: 'HEAD' }],
      ['/items', { method: 'HEAD' }],
      ['/items', { headers: { 'if-none-match': '"v"' } }],
      ['/own'],
      ['/items', { headers: { range: 'bytes=0-1' } }],
      ['/items', {}, '10.0.0.2'],
      ['/items', {}, '1.1.1.1, 10.0.0.2'],
      ['/items', { headers: { 'cache-control': 'no-cache' } }],
      ['/items'],
      ['/items'],
      ['/own'],
      ['/items', { method: 'HEAD' }],
      ['/items', {}, '10.0.0.2'],
      ['/items', {}, '2001:db8::1'],
      ['/items', {}, '2001:db8::2'],
    ];

    for (const options of [
      {},
      { onLimit: 'answer' },
      { headers: 'draft-7' },
      { headers: 'draft-6' },
      { headers: false },
    ] satisfies Options[]) {
      it(`counts each request once, as without the lane, with ${JSON.stringify(options)}`, async () => {
        const plain = await limited(false, '9/minute', options);
        const lane = await limited(true, '9/minute', options);
        const places: boolean[] = [];
        const statuses: number[] = [];
        for (const step of steps) {
          const { isInFront: _, ...without } = await ask(plain, ...step);
          const { isInFront, ...outcome } = await ask(lane, ...step);
          expect(outcome, JSON.stringify(step)).to.deep.equal(without);
          places.push(isInFront);
          statuses.push(outcome.status);
        }
        expect(places.filter(Boolean)).to.have.length(10);
        expect(statuses.filter((status) => status === 429)).to.have.length(3);
      });
    }

    it('lets exactly so many concurrent hits through', async () => {
      const { http, limiter } = await limited(true, '21/minute');
      const one = (): ReturnType<HttpFixture['ask']> =>
        http.ask('/items', { headers: { host: 'a.example' } });
      await one();
      const answers = await Promise.all(Array.from({ length: 50 }, one));
      const allowed = answers.filter(({ status }) => status === 200);
      expect(allowed).to.have.length(20);
      expect(allowed.every(({ headers }) => headers['x-powered-by'] === undefined)).to.equal(true);
      expect(answers.filter(({ status }) => status === 429)).to.have.length(30);
      expect((await limiter.count('127.0.0.1'))?.totalHits).to.equal(51);
    });

    it('counts by a key that needs only what was sent, and hands on what needs more', async () => {
      for (const front of [true, false]) {
        const lane = await limited(true, '2/minute', {
          key: (req) => `${req.get('x-api-key')} ${req.path} ${req.ip}`,
          ...(front && { front }),
        });
        const headers = { 'x-api-key': 'a' };
        const outcomes: string[] = [];
        for (let time = 0; time < 3; time++) {
          const { status, isInFront } = await ask(lane, '/items', { headers });
          outcomes.push(`${status} ${isInFront}`);
        }
        expect(outcomes).to.deep.equal(['200 false', `200 ${front}`, '429 false']);
        const { totalHits } = (await lane.limiter.count('a /items 10.0.0.1'))!;
        expect(totalHits).to.equal(3);
        const other = await ask(lane, '/items', { headers: { 'x-api-key': 'b' } });
        expect(other.status).to.equal(200);
      }
    });
  });
}
