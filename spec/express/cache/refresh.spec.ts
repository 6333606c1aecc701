import { expect } from 'chai';
import type { Request, Response } from 'express';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { HttpFixture, type Answer } from '../../support/http-fixture.js';
import { until } from '../../support/until.js';

const BY_QUERY: HttpCacheOptions<Request> = {
  queryIgnore: ['refresh'],
  refreshWhen: (req) => req.query['refresh'] === '1',
};

describe('httpCache: refreshWhen', () => {
  let http: HttpFixture;
  let runs: number;

  beforeEach(async () => {
    http = await HttpFixture.start();
    runs = 0;
  });

  afterEach(() => http.stop());

  function route(
    options: HttpCacheOptions<Request> = BY_QUERY,
    handler: (req: Request, res: Response) => unknown = (_req, res) => res.send(`run ${runs}`),
  ): void {
    const cache = httpCache({
      ...{ manager: http.manager, ttl: '1m' },
      ...(options as HttpCacheOptions),
    });
    http.app.get('/items', cache, (req, res) => {
      runs++;
      return handler(req, res);
    });
  }

  const brief = ({ cache, text }: Answer): string => `${cache} ${text}`;
  const outcome = async (path: string, headers = {}): Promise<string> =>
    brief(await http.ask(path, { headers }));

  it('runs the handler by itself, and replaces what is stored', async () => {
    route();
    expect(await outcome('/items?page=1')).to.equal('MISS run 1');
    expect(await outcome('/items?page=1')).to.equal('HIT run 1');
    expect(await outcome('/items?page=1&refresh=1')).to.equal('MISS run 2');
    expect(await outcome('/items?page=1')).to.equal('HIT run 2');
    expect(await outcome('/items?refresh=0&page=1')).to.equal('HIT run 2');
    const { keys } = await http.manager.cache('http').keys();
    expect(keys.length).to.equal(1);
  });

  it('gives the new response a lifetime of its own', async () => {
    route();
    await http.ask('/items');
    http.clock.advance('40s');
    const refreshed = await http.ask('/items?refresh=1');
    http.clock.advance('40s');
    const hit = await http.ask('/items');

    expect(refreshed.headers['cache-status']).to.equal('cachewell; fwd=request; stored');
    expect([brief(hit), hit.headers.age]).to.deep.equal(['HIT run 2', '40']);
  });

  it('fills a cold key', async () => {
    route();
    expect(await outcome('/items?refresh=1')).to.equal('MISS run 1');
    expect(await outcome('/items')).to.equal('HIT run 1');
  });

  it('leaves nothing of it to clients', async () => {
    route();
    await http.ask('/items');
    for (const control of ['no-cache', 'no-store', 'max-age=0', 'only-if-cached, min-fresh=90']) {
      expect(await outcome('/items', { 'cache-control': control })).to.equal('HIT run 1');
    }
    const loud = { 'cache-control': 'no-cache, no-store' };
    expect(await outcome('/items?refresh=1', loud)).to.equal('MISS run 2');
    expect(await outcome('/items')).to.equal('HIT run 2');
  });

  it('leaves them what the route says', async () => {
    route({ ...BY_QUERY, respectRequestCacheControl: 'reload' });
    await http.ask('/items');
    const noCache = { 'cache-control': 'no-cache' };
    expect(await outcome('/items', noCache)).to.equal('SKIP run 2');
    expect(await outcome('/items')).to.equal('HIT run 1');
    expect(await outcome('/items?refresh=1', noCache)).to.equal('MISS run 3');
    expect(await outcome('/items')).to.equal('HIT run 3');
    const noStore = { 'cache-control': 'no-store' };
    expect(await outcome('/items?refresh=1', noStore)).to.equal('SKIP run 4');
    expect(await outcome('/items')).to.equal('HIT run 3');
  });

  it('takes nothing but true for a yes', async () => {
    route({ refreshWhen: (() => Promise.resolve(true)) as unknown as () => boolean });
    await http.ask('/items');
    expect(await outcome('/items')).to.equal('HIT run 1');
  });

  it('goes past the cache when it throws', async () => {
    route({
      refreshWhen: (req) => {
        if (req.headers['x-bad'] === undefined) return false;
        throw new Error('no');
      },
    });
    await http.ask('/items');
    expect(await outcome('/items', { 'x-bad': '1' })).to.equal('SKIP run 2');
    expect(await outcome('/items')).to.equal('HIT run 1');
  });

  it('keeps what is stored when the handler fails', async () => {
    route({ ...BY_QUERY, staleIfError: '1h' }, (req, res) => {
      if (runs === 1) return res.send('good');
      if (req.headers['x-throw'] === undefined) return res.status(500).send('bad');
      throw new Error('dead');
    });
    await http.ask('/items');
    for (const headers of [{}, { 'x-throw': '1' }]) {
      const failed = await http.ask('/items?refresh=1', { headers });
      expect([failed.status, failed.cache]).to.deep.equal([500, 'SKIP']);
      expect(await outcome('/items')).to.equal('HIT good');
    }
  });

  it('lets a handler say that nothing has changed', async () => {
    const asked: (string | undefined)[] = [];
    route(BY_QUERY, (req, res) => {
      asked.push(req.headers['if-none-match']);
      res.set('ETag', '"v1"').send('same');
    });
    await http.ask('/items');
    http.clock.advance('40s');
    const refreshed = await http.ask('/items?refresh=1');
    http.clock.advance('40s');

    expect([refreshed.status, brief(refreshed), asked]).to.deep.equal([
      200,
      'MISS same',
      [undefined, '"v1"'],
    ]);
    expect(await outcome('/items')).to.equal('HIT same');
  });

  for (const [what, text, after] of [
    ['leaves what is stored where it shows the same version', () => 'same', 'HIT same'],
    ['makes it void where it shows another one', () => `run ${runs}`, 'MISS run 3'],
  ] as const) {
    it(`runs the handler for a HEAD, stores nothing of it, and ${what}`, async () => {
      route(BY_QUERY, (_req, res) => res.send(text()));
      await http.ask('/items');
      const head = await http.ask('/items?refresh=1', { method: 'HEAD' });
      expect([head.status, head.cache, runs]).to.deep.equal([200, 'MISS', 2]);
      expect(await outcome('/items')).to.equal(after);
    });
  }

  it('is shared by those who came before the handler began, and by nobody else', async () => {
    const held: Response[] = [];
    let arrived = 0;
    http.app.use((_req, _res, next) => {
      arrived++;
      next();
    });
    route(BY_QUERY, (_req, res) => held.push(res));
    const first = http.ask('/items');
    await until('it runs', () => held.length === 1);
    const reloads = Array.from({ length: 20 }, () => http.ask('/items?refresh=1'));
    await until('all are there', () => arrived === 21);
    held[0]!.send('before');
    expect((await first).text).to.equal('before');
    await until('one of them runs', () => held.length === 2);
    held[1]!.send('after');
    const answers = await Promise.all(reloads);

    expect(new Set(answers.map(({ text }) => text))).to.deep.equal(new Set(['after']));
    expect(answers.filter(({ cache }) => cache === 'MISS').length).to.equal(1);
    expect(held.length).to.equal(2);
    expect(await outcome('/items')).to.equal('HIT after');
  });

  it('runs anew beside a reload that began before', async () => {
    const held: Response[] = [];
    let arrived = 0;
    http.app.use((_req, _res, next) => {
      arrived++;
      next();
    });
    route(BY_QUERY, (_req, res) => (runs === 1 ? res.send('old') : held.push(res)));
    await http.ask('/items');
    const early = http.ask('/items?refresh=1');
    await until('it runs', () => held.length === 1);
    const late = http.ask('/items?refresh=1');
    await until('both are there', () => arrived === 3);
    // A plain request is not kept waiting: there is a fresh response.
    expect(await outcome('/items')).to.equal('HIT old');
    held[0]!.send('early');
    await until('the other one runs', () => held.length === 2);
    held[1]!.send('late');

    expect([(await early).text, (await late).text]).to.deep.equal(['early', 'late']);
    expect(await outcome('/items')).to.equal('HIT late');
  });

  it('stores nothing that was invalidated while it ran', async () => {
    let release!: () => void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    route({ ...BY_QUERY, tags: ['items'] }, async (_req, res) => {
      const run = runs;
      if (run === 2) await gate;
      res.send(`run ${run}`);
    });
    await http.ask('/items');
    const reload = http.ask('/items?refresh=1');
    await until('it runs', () => runs === 2);
    await http.manager.invalidateTags('items');
    release();
    await reload;
    expect(await outcome('/items')).to.equal('MISS run 3');
  });
});
