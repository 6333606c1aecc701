import { expect } from 'chai';
import type { Express, Request, RequestHandler } from 'express';
import { httpCache } from '#internal/express/http-cache.js';
import { setupCache } from '#internal/express/setup-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import type { CacheManager } from '#internal/manager/cache-manager.js';
import { HttpFixture, type Answer } from '../../support/http-fixture.js';

/** What knows who asks, though HTTP does not: a guard behind the cache lets two clients through. */
const FIELDS = ['X-API-Key', 'X-Auth-Token', 'X-Forwarded-User', 'X-Session-Id'];
const CLIENTS = new Set(['alice', 'bob']);

const guardBy =
  (field: string): RequestHandler =>
  (req, res, next) => {
    if (CLIENTS.has(req.get(field) ?? '')) next();
    else res.status(401).send('no');
  };

const CACHES: Readonly<Record<string, (app: Express, manager: CacheManager) => void>> = {
  setupCache: (app, manager) => void setupCache(app, { manager, http: { debug: true } }),
  'httpCache of a whole application, with a ttl': (app, manager) =>
    void app.use(httpCache({ manager, ttl: '1m', debug: true })),
};

describe('credentials in fields that HTTP knows nothing of', () => {
  let http: HttpFixture;
  let runs: number;

  beforeEach(async () => {
    http = await HttpFixture.start();
    runs = 0;
  });

  afterEach(() => http.stop());

  function secret(field: string, fields: Record<string, string>): RequestHandler {
    return (req, res) => {
      runs++;
      res.set(fields).send(`for ${req.get(field) ?? 'nobody'}`);
    };
  }

  async function answers(field: string, ...clients: readonly string[]): Promise<string[]> {
    const all: string[] = [];
    for (const client of clients) {
      const headers: Record<string, string> = client === '' ? {} : { [field]: client };
      const { status, text, cache }: Answer = await http.ask('/secret', { headers });
      all.push(status === 200 ? `${cache} ${text}` : String(status));
    }
    return all;
  }

  for (const [title, mount] of Object.entries(CACHES)) {
    describe(title, () => {
      for (const field of FIELDS) {
        it(`shares nothing that was made for ${field} and does not say that it may be`, async () => {
          mount(http.app, http.manager);
          const handler = secret(field, { 'Cache-Control': 'max-age=60' });
          http.app.get('/secret', guardBy(field), handler);
          expect(await answers(field, 'alice', 'alice', 'bob', '', 'eve', 'alice')).to.deep.equal([
            'SKIP for alice',
            'SKIP for alice',
            'SKIP for bob',
            '401',
            '401',
            'SKIP for alice',
          ]);
          const { reason } = await http.ask('/secret', { headers: { [field]: 'bob' } });
          expect(reason).to.equal('credentials');
        });
      }

      it('gives nobody with a credential what was made for everybody', async () => {
        mount(http.app, http.manager);
        http.app.get('/secret', secret('X-User', { 'Cache-Control': 'max-age=60' }));
        expect(await answers('X-User', '', '', 'alice', '', 'alice')).to.deep.equal([
          'MISS for nobody',
          'HIT for nobody',
          'SKIP for alice',
          'HIT for nobody',
          'SKIP for alice',
        ]);
      });

      it('lets nobody wait for what it may not get', async () => {
        mount(http.app, http.manager);
        http.app.get('/secret', secret('X-User', { 'Cache-Control': 'max-age=60' }));
        const asked = ['alice', 'bob', 'alice', 'bob'].map((user) => answers('X-User', user));
        expect((await Promise.all(asked)).flat().map((each) => each.slice(5))).to.deep.equal([
          'for alice',
          'for bob',
          'for alice',
          'for bob',
        ]);
        expect(runs).to.equal(4);
      });

      it('shares what is public', async () => {
        mount(http.app, http.manager);
        http.app.get('/secret', (_req, res) => {
          res.set('Cache-Control', 'public, max-age=60').send('for all');
        });
        const shared = await answers('X-API-Key', 'alice', 'bob', '');
        expect(shared).to.deep.equal(['MISS for all', 'HIT for all', 'HIT for all']);
      });

      it('stores one response for each value where Vary names the field', async () => {
        mount(http.app, http.manager);
        const fields = { 'Cache-Control': 'max-age=60', Vary: 'X-API-Key' };
        http.app.get('/secret', guardBy('X-API-Key'), secret('X-API-Key', fields));
        expect(await answers('X-API-Key', 'alice', 'bob', 'alice', 'bob', 'eve', '')).to.deep.equal(
          ['MISS for alice', 'MISS for bob', 'HIT for alice', 'HIT for bob', '401', '401'],
        );
        const stored = JSON.stringify(await http.manager.cache('http').keys());
        expect(stored).not.to.match(/alice|bob/);
      });
    });
  }

  const once = async (options: HttpCacheOptions, isOnRoute: boolean): Promise<string[]> => {
    const cache = httpCache({ manager: http.manager, ...options });
    const handler = secret('X-API-Key', { 'Cache-Control': 'max-age=60' });
    if (isOnRoute) http.app.get('/secret', guardBy('X-API-Key'), cache, handler);
    else http.app.use(cache).get('/secret', handler);
    return answers('X-API-Key', 'alice', 'bob');
  };

  it('leaves a route to the guards that stand before it', async () => {
    expect(await once({}, true)).to.deep.equal(['MISS for alice', 'HIT for alice']);
  });

  it('guards a route by a list', async () => {
    const options = { credentialHeaders: ['x-api-key'] };
    expect(await once(options, true)).to.deep.equal(['SKIP for alice', 'SKIP for bob']);
  });

  it('takes the word of an empty list', async () => {
    const options = { credentialHeaders: [] };
    expect(await once(options, false)).to.deep.equal(['MISS for alice', 'HIT for alice']);
  });

  it('leaves the profile rfc9111 as it is', async () => {
    const options = { profile: 'rfc9111' } as const;
    expect(await once(options, false)).to.deep.equal(['MISS for alice', 'HIT for alice']);
  });

  it('stores one response for each identity', async () => {
    const value = (req: Request): string | undefined => req.get('x-api-key');
    const cache = httpCache({
      manager: http.manager,
      varyBy: [{ name: 'apiKey', value, identity: true }],
    });
    http.app.use(cache as RequestHandler);
    http.app.get('/secret', secret('X-API-Key', { 'Cache-Control': 'max-age=60' }));
    const first = await answers('X-API-Key', 'alice', 'bob');
    expect(first).to.deep.equal(['MISS for alice', 'MISS for bob']);
    expect(await answers('X-API-Key', 'alice')).to.deep.equal(['HIT for alice']);
  });
});
