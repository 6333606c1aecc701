import { expect } from 'chai';
import express from 'express';
import { accelerate } from '#internal/express/accelerate.js';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';

/* Who may say what scheme and host a request is for, and what else decides which response is whose. */
describe('accelerate: whose request it is', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start({}, (app) => accelerate(app));
  });

  afterEach(() => http.stop());

  async function ask(headers: Record<string, string>, path = '/'): Promise<string> {
    const answer = await http.ask(path, { headers });
    const place = answer.headers['x-powered-by'] === undefined ? 'in front' : 'by Express';
    return `${answer.text} ${answer.cache} ${place}`;
  }

  function mount(target: express.Router = http.app): void {
    target.get('/', httpCache({ manager: http.manager, ttl: '1m', front: true }), (req, res) => {
      res.send(`${req.protocol}://${req.host}`);
    });
  }

  it('tells hosts apart', async () => {
    mount();
    expect(await ask({ host: 'a.example' })).to.equal('http://a.example MISS by Express');
    expect(await ask({ host: 'b.example' })).to.equal('http://b.example MISS by Express');
    expect(await ask({ host: 'a.example' })).to.equal('http://a.example HIT in front');
    expect(await ask({ host: 'b.example' })).to.equal('http://b.example HIT in front');
  });

  for (const trusts of [true, false]) {
    it(`reads what a proxy says as Express does, with trust proxy ${trusts}`, async () => {
      http.app.set('trust proxy', trusts);
      mount();
      const senders = ['a.example', 'b.example, c.example', 'evil.example'].flatMap((host) =>
        ['https', 'http', 'HTTPS , http'].map((proto) => ({
          host: 'own.example',
          'x-forwarded-host': host,
          'x-forwarded-proto': proto,
        })),
      );
      const first: string[] = [];
      for (const sender of senders) first.push(await ask(sender));
      for (const [index, sender] of senders.entries()) {
        const [text] = first[index]!.split(' ');
        expect(await ask(sender)).to.equal(`${text} HIT in front`);
      }
      expect(await ask({ host: 'own.example' })).to.equal('http://own.example MISS by Express');
      // Express leaves the spelling of the scheme as it is.
      expect(new Set(first).size).to.equal(trusts ? 9 : 1);
    });
  }

  it('does not take over what was learned before the settings changed', async () => {
    http.app.set('trust proxy', true);
    mount();
    const sender = { host: 'own.example', 'x-forwarded-host': 'told.example' };
    expect(await ask(sender)).to.equal('http://told.example MISS by Express');
    expect(await ask(sender)).to.equal('http://told.example HIT in front');
    http.app.set('trust proxy', false);
    expect(await ask(sender)).to.equal('http://own.example MISS by Express');
    expect(await ask(sender)).to.equal('http://own.example HIT in front');
    http.app.set('trust proxy', true);
    expect(await ask(sender)).to.equal('http://told.example HIT by Express');
  });

  it('goes by the settings of the application that the route belongs to', async () => {
    const inner = express();
    http.app.set('trust proxy', false);
    mount(inner);
    http.app.use('/inner', inner);
    inner.set('trust proxy', true);
    const sender = { host: 'own.example', 'x-forwarded-host': 'told.example' };
    expect(await ask(sender, '/inner/')).to.equal('http://told.example MISS by Express');
    expect(await ask(sender, '/inner/')).to.equal('http://told.example HIT in front');
    inner.set('trust proxy', false);
    expect(await ask(sender, '/inner/')).to.equal('http://own.example MISS by Express');
  });

  it('never answers what was rewritten on the way', async () => {
    http.app.use((req, _res, next) => {
      if (req.url === '/old') req.url = '/';
      next();
    });
    mount();
    const host = { host: 'x' };
    expect(await ask(host, '/old')).to.match(/MISS by Express$/);
    expect(await ask(host, '/old')).to.match(/HIT by Express$/);
    expect(await ask(host, '/old')).to.match(/HIT by Express$/);
    await ask(host);
    expect(await ask(host)).to.match(/HIT in front$/);
  });

  describe('where middleware rewrites the fields that tell variants apart', () => {
    /** Another process, as it were: an application with what it has learned, on the same store. */
    let other: HttpFixture;

    beforeEach(async () => {
      other = await HttpFixture.start({}, (app) => accelerate(app));
      for (const { app } of [http, other]) {
        app.use((req, _res, next) => {
          if (req.headers.cookie === 'staff') req.headers['x-tier'] = 'staff';
          else if (req.headers['x-tier'] !== undefined) req.headers['x-tier'] = 'guest';
          next();
        });
        app.get('/', httpCache({ manager: http.manager, front: true }), (req, res) => {
          res.set({ ETag: '"v"', 'Cache-Control': 'public, max-age=60', Vary: 'X-Tier' });
          if (req.headers['if-none-match'] === '"v"') res.status(304).end();
          else res.send(`for ${req.headers['x-tier'] ?? 'all'}`);
        });
      }
    });

    afterEach(() => other.stop());

    const host = { host: 'x' };
    const askOther = async (headers: Record<string, string>): Promise<string> =>
      (await other.ask('/', { headers: { ...host, ...headers } })).text;

    it('gives nobody a variant that another process has stored for rewritten ones', async () => {
      await ask(host);
      expect(await ask(host)).to.equal('for all HIT in front');
      expect(await askOther({ cookie: 'staff' })).to.equal('for staff');
      expect(await ask({ ...host, 'x-tier': 'staff' })).to.match(/^for guest \w+ by Express$/);
    });

    it('nor once it was validated by a request that has them by itself', async () => {
      await ask(host);
      await askOther({ cookie: 'staff' });
      http.clock.advance('61s');
      const stale = { 'x-tier': 'staff', cookie: 'staff' };
      expect(await askOther(stale)).to.equal('for staff');
      await ask(host);
      expect(await ask(host)).to.equal('for all HIT in front');
      expect(await ask({ ...host, 'x-tier': 'staff' })).to.match(/^for guest \w+ by Express$/);
    });

    it('nor what a route has stored that is not marked', async () => {
      await ask(host);
      const plain = await HttpFixture.start();
      plain.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
        res.set('Cache-Control', 'public').send('unmarked');
      });
      await http.manager.cache('http').clear();
      await plain.ask('/', { headers: host });
      await plain.stop();
      for (let time = 0; time < 2; time++) {
        expect(await ask(host)).to.equal('unmarked HIT by Express');
      }
    });

    it('and goes on with what was validated as it was stored', async () => {
      await ask(host);
      http.clock.advance('61s');
      expect(await ask(host)).to.equal('for all MISS by Express');
      expect(await ask(host)).to.equal('for all HIT in front');
    });
  });

  it('gives a URL up that has been seen under two keys', async () => {
    await http.stop();
    http = await HttpFixture.start({}, (app) =>
      accelerate(app, { condition: ({ headers }) => headers['x-version'] === undefined }),
    );
    http.app.use((req, _res, next) => {
      if (req.headers['x-version'] === '2') req.url = '/v2';
      next();
    });
    mount();
    http.app.get(
      '/v2',
      httpCache({ manager: http.manager, ttl: '1m', front: true }),
      (_req, res) => {
        res.send('second');
      },
    );
    const host = { host: 'x' };
    await ask(host);
    expect(await ask(host)).to.equal('http://x HIT in front');
    expect(await ask({ host: 'x', 'x-version': '2' })).to.equal('second MISS by Express');
    expect(await ask(host)).to.equal('http://x HIT by Express');
    expect(await ask(host)).to.equal('http://x HIT by Express');
  });
});
