import { expect } from 'chai';
import type { Request, Response } from 'express';
import type { CacheBackend } from '#internal/cache/backend.js';
import { CacheEvict } from '#internal/decorators/cache-evict.js';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { httpInvalidation } from '#internal/express/http-invalidation.js';
import { HttpFixture } from './http-fixture.js';
import { until } from './until.js';

/** The fields in which a response names its groups, and how each names `a` and `b`. */
const FIELDS = {
  'Surrogate-Key': 'a b',
  'Cache-Tag': 'a, b',
  'Cache-Groups': '"a", "b"',
} as const;

/** What a response says of its groups is what invalidations reach: by hand, by a decorated method, by the answer to a write. */
export function describeResponseGroups(title: string, backendOf: () => CacheBackend): void {
  describe(`Groups of a response, ${title}`, () => {
    let http: HttpFixture;
    let runs: number;

    beforeEach(async () => {
      http = await HttpFixture.start({ backend: backendOf() });
      runs = 0;
    });

    afterEach(() => http.stop());

    function route(
      handler: (req: Request, res: Response) => unknown,
      options: HttpCacheOptions = {},
    ): void {
      const cache = httpCache({ manager: http.manager, ttl: '1m', ...options });
      http.app.get('/list', cache, (req, res) => {
        runs++;
        return handler(req, res);
      });
    }

    async function cacheOf(headers: Record<string, string> = {}): Promise<string | undefined> {
      return (await http.ask('/list', { headers })).cache;
    }

    /** A filled cache, and the proof that it is one. */
    async function fill(): Promise<void> {
      expect([await cacheOf(), await cacheOf()]).to.deep.equal(['MISS', 'HIT']);
    }

    class Prices {
      readonly cacheManager = http.manager;

      @CacheEvict({ tags: ['a'] })
      async raise(): Promise<void> {}

      @CacheEvict({ tags: (name: string) => [name] })
      async rename(_name: string): Promise<void> {}
    }

    for (const [field, value] of Object.entries(FIELDS)) {
      describe(field, () => {
        it('is reached by each of its tags, and by no other', async () => {
          route((_req, res) => res.set(field, value).send(`run ${runs}`));
          for (const tag of ['a', 'b']) {
            await fill();
            await http.manager.invalidateTags('a b', 'ab', 'c', '"a"');
            expect(await cacheOf(), 'others').to.equal('HIT');
            await http.manager.invalidateTags(tag);
            expect(await cacheOf(), tag).to.equal('MISS');
            await http.manager.cache('http').clear();
          }
        });

        it('stands beside the tags of the route', async () => {
          route((_req, res) => res.set(field, value).send('x'), { tags: ['own'] });
          for (const tag of ['a', 'own', 'b']) {
            await fill();
            await http.manager.invalidateTags(tag);
            expect(await cacheOf(), tag).to.equal('MISS');
            await http.manager.cache('http').clear();
          }
        });

        it('is reached by a decorated method', async () => {
          const prices = new Prices();
          route((_req, res) => res.set(field, value).send('x'));
          await fill();
          await prices.rename('c');
          expect(await cacheOf()).to.equal('HIT');
          await prices.raise();
          expect(await cacheOf()).to.equal('MISS');
          await prices.rename('b');
          expect(await cacheOf()).to.equal('MISS');
        });

        it('is reached in every variant', async () => {
          route((_req, res) => res.set(field, value).vary('X-Kind').send('x'));
          const words = async (): Promise<(string | undefined)[]> => [
            await cacheOf({ 'x-kind': '1' }),
            await cacheOf({ 'x-kind': '2' }),
          ];
          expect([await words(), await words()]).to.deep.equal([
            ['MISS', 'MISS'],
            ['HIT', 'HIT'],
          ]);
          await http.manager.invalidateTags('b');
          expect(await words()).to.deep.equal(['MISS', 'MISS']);
        });

        it('is refused to be stored when it was invalidated while the handler ran (P1)', async () => {
          let release!: () => void;
          const gate = new Promise<void>((resolve) => (release = resolve));
          route(async (_req, res) => {
            const run = runs;
            if (run === 1) await gate;
            res.set(field, value).send(`run ${run}`);
          });
          const early = http.ask('/list');
          await until('it runs', () => runs === 1);
          await http.manager.invalidateTags('b');
          release();
          expect((await early).text).to.equal('run 1');
          expect((await http.ask('/list')).text).to.equal('run 2');
        });
      });
    }

    it('change with the response: by a new one, and by a 304', async () => {
      const groups = ['first', 'second', 'third'];
      route((req, res) => {
        res.set({ 'Cache-Tag': groups[runs - 1]!, ETag: runs < 2 ? '"1"' : '"2"' });
        if (req.headers['if-none-match'] === '"2"') res.status(304).end();
        else res.send('x');
      });
      await fill();
      http.clock.advance('2m');
      expect(await cacheOf(), 'another body').to.equal('MISS');
      await http.manager.invalidateTags('first');
      expect(await cacheOf()).to.equal('HIT');
      http.clock.advance('2m');
      expect(await cacheOf(), 'the same body').to.equal('MISS');
      await http.manager.invalidateTags('second');
      expect(await cacheOf()).to.equal('HIT');
      await http.manager.invalidateTags('third');
      expect(runs).to.equal(3);
      groups.push('fourth');
      expect(await cacheOf()).to.equal('MISS');
    });

    it('that cannot be read, or are too many, keep a response from being stored', async () => {
      const bad = [
        ['Cache-Groups', 'a'],
        ['Cache-Groups', '"a"; "b'],
        ['Cache-Tag', Array.from({ length: 257 }, (_, index) => `t${index}`).join()],
      ] as const;
      route(
        (_req, res) => {
          const [field, value] = bad[runs - 1]!;
          res.set(field, value).send('x');
        },
        { debug: true },
      );
      for (const [field, value] of bad) {
        const { cache, reason } = await http.ask('/list');
        expect([cache, reason], `${field}: ${value}`).to.deep.equal(['SKIP', 'groups']);
        http.clock.advance('10s');
      }
    });

    describe('named by Cache-Group-Invalidation (RFC 9875)', () => {
      const answers: Record<string, (res: Response) => unknown> = {
        '/named': (res) => res.set('Cache-Group-Invalidation', '"x", "a"').sendStatus(201),
        '/parameters': (res) => res.set('Cache-Group-Invalidation', '"a";q=1').redirect('/'),
        '/other': (res) => res.set('Cache-Group-Invalidation', '"c"').sendStatus(200),
        '/token': (res) => res.set('Cache-Group-Invalidation', 'a').sendStatus(200),
        '/failed': (res) => res.set('Cache-Group-Invalidation', '"a"').sendStatus(409),
        '/broken': (res) => res.set('Cache-Group-Invalidation', '"a"').sendStatus(500),
      };

      beforeEach(() => {
        http.app.use(httpInvalidation({ manager: http.manager }));
        http.app.all('/write/:kind', (req, res) => {
          answers[`/${req.params.kind}`]!(res);
        });
        route((_req, res) => res.set('Cache-Groups', '"a", "b"').send('x'));
      });

      for (const kind of ['named', 'parameters']) {
        it(`are void once the write is answered: ${kind}`, async () => {
          await fill();
          await http.ask(`/write/${kind}`, { method: 'POST' });
          expect(await cacheOf()).to.equal('MISS');
          expect(await cacheOf()).to.equal('HIT');
          expect(runs).to.equal(2);
        });
      }

      for (const [why, kind, method] of [
        ['by another group', 'other', 'POST'],
        ['by what is no string', 'token', 'POST'],
        ['by a write that is refused', 'failed', 'PUT'],
        ['by a write that fails', 'broken', 'DELETE'],
        ['by the answer to a GET', 'named', 'GET'],
      ] as const) {
        it(`stay: ${why}`, async () => {
          await fill();
          await http.ask(`/write/${kind}`, { method });
          expect(await cacheOf()).to.equal('HIT');
        });
      }

      it('reach what is named by the other fields, and by tags of methods', async () => {
        const values = http.manager.cache('values');
        await values.set('k', 'v', { tags: ['a'] });
        http.app.get('/tagged', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
          res.set('Surrogate-Key', 'a').send('x');
        });
        await http.ask('/tagged');
        expect((await http.ask('/tagged')).cache).to.equal('HIT');
        await http.ask('/write/named', { method: 'PATCH' });
        expect((await http.ask('/tagged')).cache).to.equal('MISS');
        expect(await values.get('k')).to.equal(undefined);
      });
    });
  });
}
