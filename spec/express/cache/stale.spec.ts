import { expect } from 'chai';
import type { NextFunction, Request, Response } from 'express';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { HttpFixture } from '../../support/http-fixture.js';
import { until } from '../../support/until.js';

type Handler = (req: Request, res: Response, next: NextFunction) => unknown;

describe('httpCache: stale responses', () => {
  let http: HttpFixture;
  let runs: number;
  let handler: Handler;

  beforeEach(async () => {
    http = await HttpFixture.start();
    runs = 0;
    handler = (_req, res) => void res.send(`run ${runs}`);
  });

  afterEach(() => http.stop());

  function route(options: HttpCacheOptions): void {
    http.app.get(
      '/',
      httpCache({ manager: http.manager, ttl: '10s', ...options }),
      (req, res, next) => {
        runs++;
        return handler(req, res, next);
      },
    );
  }

  const stored = async (count: number): Promise<void> =>
    until('the refresh is stored', () => http.manager.cache('http').statistics().sets >= count);

  describe('with staleWhileRevalidate', () => {
    it('are served at once, and refreshed by one run behind the client', async () => {
      route({ staleWhileRevalidate: '20s' });
      await http.ask('/');
      let release!: () => void;
      const gate = new Promise<void>((resolve) => (release = resolve));
      handler = (_req, res) => gate.then(() => res.send(`run ${runs}`));
      http.clock.advance('15s');

      const stale = await Promise.all([http.ask('/'), http.ask('/'), http.ask('/')]);
      await until('the refresh runs', () => runs === 2);
      release();
      await stored(2);
      const fresh = await http.ask('/');

      expect(stale.map(({ cache, text }) => `${cache} ${text}`)).to.deep.equal([
        'STALE run 1',
        'STALE run 1',
        'STALE run 1',
      ]);
      expect(stale[0]!.headers['cache-status']).to.equal('cachewell; hit; ttl=-5');
      expect([fresh.cache, fresh.text]).to.deep.equal(['HIT', 'run 2']);
      expect(runs).to.equal(2);
    });

    it('give the handler a request and a response like any other', async () => {
      route({ staleWhileRevalidate: '20s' });
      await http.ask('/');
      const seen: unknown[] = [];
      handler = (req, res) => {
        seen.push(
          res.headersSent,
          res.statusCode,
          res.writableEnded,
          res.getHeader('x-cache'),
          req.path,
        );
        res.on('finish', () => seen.push('finish'));
        res.once('close', () => seen.push('close'));
        res.status(200).set('X-Own', 'yes').type('text');
        seen.push(res.write('part '));
        seen.push(res.headersSent);
        res.end('whole', () => seen.push('end'));
        seen.push(res.writableEnded);
      };
      http.clock.advance('15s');

      await http.ask('/');
      await stored(2);
      await until('close came', () => seen.includes('close'));
      const fresh = await http.ask('/');

      expect(seen.slice(0, 8)).to.deep.equal([false, 200, false, undefined, '/', true, true, true]);
      expect(seen.slice(8)).to.have.members(['close', 'end', 'finish']);
      expect([fresh.text, fresh.headers['x-own']]).to.deep.equal(['part whole', 'yes']);
    });

    it('work for a pipe, sendFile-like streams and an asynchronous handler', async () => {
      route({ staleWhileRevalidate: '20s' });
      const { Readable } = await import('node:stream');
      handler = async (_req, res) => {
        await Promise.resolve();
        Readable.from([Buffer.from('a'.repeat(100_000)), Buffer.from(`run ${runs}`)]).pipe(res);
      };
      await http.ask('/');
      http.clock.advance('15s');
      await http.ask('/');
      await stored(2);

      expect((await http.ask('/')).text).to.equal(`${'a'.repeat(100_000)}run 2`);
    });

    it('are gone after the window', async () => {
      route({ staleWhileRevalidate: '20s' });
      await http.ask('/');
      http.clock.advance('30s');

      const answer = await http.ask('/');

      expect([answer.cache, answer.text]).to.deep.equal(['MISS', 'run 2']);
    });

    it('stay when the refresh fails, which is reported once', async () => {
      const errors: string[] = [];
      http.manager.on('error', ({ error }) => void errors.push(error.message));
      route({ staleWhileRevalidate: '20s' });
      await http.ask('/');
      handler = () => {
        throw new Error('broken');
      };
      http.app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => {
        res.status(503).send('sorry');
      });
      http.clock.advance('15s');

      await http.ask('/');
      await until('the failure is told', () => errors.length > 0);
      const again = await http.ask('/');

      expect([again.cache, again.text]).to.deep.equal(['STALE', 'run 1']);
      expect(errors).to.have.length(1);
      expect(errors[0]).to.include('the handler answered 503');
      expect(runs).to.equal(2);
    });

    it('keep the connection of the client, even if the handler fails half way', async () => {
      route({ staleWhileRevalidate: '20s' });
      await http.ask('/');
      handler = (_req, res, next) => {
        res.write('half');
        next(new Error('broken'));
      };
      http.clock.advance('15s');
      const { Agent, request } = await import('node:http');
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      const get = (): Promise<string> =>
        new Promise((resolve, reject) => {
          request({ port: http.port, host: '127.0.0.1', path: '/', agent }, (res) => {
            let text = '';
            res.on('data', (data: Buffer) => (text += data.toString()));
            res.on('end', () => resolve(text));
          })
            .on('error', reject)
            .end();
        });

      expect(await get()).to.equal('run 1');
      await until(
        'the failure is told',
        () => http.manager.cache('http').statistics().errors === 1,
      );
      expect(await get()).to.equal('run 1');
      agent.destroy();
    });

    it('are not served after an invalidation during the refresh, nor is its result (P1)', async () => {
      route({ staleWhileRevalidate: '20s', tags: ['items'] });
      await http.ask('/');
      let release!: () => void;
      const gate = new Promise<void>((resolve) => (release = resolve));
      handler = async (_req, res) => {
        await gate;
        res.send('old');
      };
      http.clock.advance('15s');
      await http.ask('/');
      await until('the refresh runs', () => runs === 2);
      await http.manager.invalidateTags('items');
      release();
      handler = (_req, res) => void res.send('new');
      const after = await http.ask('/');

      expect([after.cache, after.text]).to.deep.equal(['MISS', 'new']);
      await new Promise(setImmediate);
      expect((await http.ask('/')).text).to.equal('new');
    });
  });

  describe('with staleIfError', () => {
    const failures: Readonly<Record<string, Handler>> = {
      'a 5xx': (_req, res) => void res.status(503).set('X-Failed', 'yes').send('failed'),
      'a thrown error': () => {
        throw new Error('thrown');
      },
      'a rejected promise': () => Promise.reject(new Error('rejected')),
      'an error handed on': (_req, _res, next) => next(new Error('next')),
      'a 5xx in pieces': (_req, res) => {
        res.writeHead(500, { 'X-Failed': 'yes' });
        res.write('fai');
        res.end('led');
      },
    };

    for (const [what, failing] of Object.entries(failures)) {
      it(`are served in place of ${what}`, async () => {
        route({ staleIfError: '1h' });
        http.app.use((_error: unknown, _req: Request, res: Response, _next: NextFunction) => {
          res.status(500).send('error page');
        });
        await http.ask('/');
        handler = failing;
        http.clock.advance('1m');

        const answer = await http.ask('/');
        const held = await http.ask('/');

        expect([answer.status, answer.cache, answer.text]).to.deep.equal([200, 'STALE', 'run 1']);
        expect(answer.headers).to.not.have.property('x-failed');
        expect(answer.headers['cache-status']).to.match(
          /^cachewell; fwd=stale; fwd-status=50[03]; ttl=-50$/,
        );
        // The handler is left alone for a while.
        expect([held.cache, held.text, runs]).to.deep.equal(['STALE', 'run 1', 2]);
      });
    }

    it('are not served where the response says must-revalidate', async () => {
      route({ staleIfError: '1h' });
      handler = (_req, res) =>
        void res.set('Cache-Control', 'max-age=10, must-revalidate').send('x');
      await http.ask('/');
      handler = (_req, res) => void res.status(503).send('failed');
      http.clock.advance('1m');

      expect((await http.ask('/')).status).to.equal(503);
    });

    it('are not served after the window', async () => {
      route({ staleIfError: '1h' });
      await http.ask('/');
      handler = (_req, res) => void res.status(503).send('failed');
      http.clock.advance('2h');

      const answer = await http.ask('/');
      expect([answer.status, answer.cache, answer.text]).to.deep.equal([503, 'SKIP', 'failed']);
    });

    it('are not served when they were invalidated while the handler ran (P1)', async () => {
      route({ staleIfError: '1h', tags: ['items'] });
      await http.ask('/');
      handler = async (_req, res) => {
        await http.manager.invalidateTags('items');
        res.status(503).send('failed');
      };
      http.clock.advance('1m');

      expect((await http.ask('/')).status).to.equal(503);
    });

    it('are served to all who waited for the handler', async () => {
      route({ staleIfError: '1h' });
      await http.ask('/');
      let release!: () => void;
      const gate = new Promise<void>((resolve) => (release = resolve));
      handler = async (_req, res) => {
        await gate;
        res.status(503).send('failed');
      };
      http.clock.advance('1m');
      const asked = [http.ask('/'), http.ask('/'), http.ask('/')];
      await until('it runs', () => runs === 2);
      release();

      const answers = await Promise.all(asked);
      expect(answers.map(({ text }) => text)).to.deep.equal(['run 1', 'run 1', 'run 1']);
      expect(runs).to.equal(2);
    });
  });

  describe('with a validator', () => {
    it('are validated by the handler, and served if they still hold', async () => {
      route({});
      const seen: (string | undefined)[] = [];
      handler = (req, res) => {
        seen.push(req.headers['if-none-match']);
        res.set('ETag', '"v1"').set('X-Run', String(runs));
        if (req.headers['if-none-match'] === '"v1"') res.status(304).end();
        else res.send('body');
      };
      await http.ask('/');
      http.clock.advance('1m');

      const validated = await http.ask('/');
      const hit = await http.ask('/');

      expect([validated.status, validated.text, validated.headers['x-run']]).to.deep.equal([
        200,
        'body',
        '2',
      ]);
      expect(validated.headers['cache-status']).to.equal(
        'cachewell; fwd=stale; fwd-status=304; ttl=10; stored',
      );
      expect([hit.cache, hit.text, hit.headers['x-run']]).to.deep.equal(['HIT', 'body', '2']);
      expect(seen).to.deep.equal([undefined, '"v1"']);
    });

    it("work with Express' own etag and fresh", async () => {
      route({});
      handler = (_req, res) => void res.json({ same: true });
      await http.ask('/');
      http.clock.advance('1m');

      const validated = await http.ask('/');
      expect([validated.status, validated.text]).to.deep.equal([200, '{"same":true}']);
      expect(validated.headers['content-type']).to.equal('application/json; charset=utf-8');
      expect((await http.ask('/')).cache).to.equal('HIT');
      expect(runs).to.equal(2);
    });

    it('answer the client by its own conditionals', async () => {
      route({});
      handler = (_req, res) => void res.json({ same: true });
      const { etag } = (await http.ask('/')).headers;
      http.clock.advance('1m');
      const own = await http.ask('/', { headers: { 'if-none-match': etag! } });
      http.clock.advance('1m');
      const other = await http.ask('/', { headers: { 'if-none-match': '"other"' } });

      expect([own.status, own.text]).to.deep.equal([304, '']);
      expect([other.status, other.text]).to.deep.equal([200, '{"same":true}']);
    });

    it('are replaced by a new response', async () => {
      route({});
      await http.ask('/');
      http.clock.advance('1m');

      const changed = await http.ask('/');
      expect([changed.status, changed.text, changed.cache]).to.deep.equal([200, 'run 2', 'MISS']);
      expect((await http.ask('/')).text).to.equal('run 2');
    });

    it('are not stored anew when they were invalidated while the handler validated them (P1)', async () => {
      route({ tags: ['items'] });
      handler = (_req, res) => void res.set('ETag', '"v1"').send('old');
      await http.ask('/');
      http.clock.advance('1m');
      handler = async (_req, res) => {
        await http.manager.invalidateTags('items');
        res.status(304).set('ETag', '"v1"').end();
      };

      const during = await http.ask('/');
      handler = (_req, res) => void res.set('ETag', '"v2"').send('new');
      const after = await http.ask('/');

      expect([during.status, during.text]).to.deep.equal([200, 'old']);
      expect([after.cache, after.text, runs]).to.deep.equal(['MISS', 'new', 3]);
    });

    it('are refreshed behind the client by a 304, too', async () => {
      route({ staleWhileRevalidate: '20s' });
      handler = (_req, res) => void res.json({ same: true });
      await http.ask('/');
      http.clock.advance('15s');
      await http.ask('/');
      await stored(2);

      const fresh = await http.ask('/');
      expect([fresh.cache, fresh.text, fresh.headers.age]).to.deep.equal([
        'HIT',
        '{"same":true}',
        '0',
      ]);
    });
  });
});
