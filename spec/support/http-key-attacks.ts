import { expect } from 'chai';
import type { CacheBackend } from '#internal/cache/backend.js';
import { httpInvalidation } from '#internal/express/http-invalidation.js';
import { attackedRoute } from './attacked-route.js';

/** Queries whose parameters come more than once, or look to some parsers as if they did. */
const REPEATED = [
  'role=user&role=admin',
  'role=admin&role=user',
  'role=user',
  'role=admin',
  'role=user,admin',
  'role=user&role=',
  'role=&role=user',
  'role[]=user&role[]=admin',
  'role[0]=user&role[1]=admin',
  'role[1]=user&role[0]=admin',
  'role[]=user',
  'role%5B%5D=user',
  'ROLE=user&role=admin',
  'role=user&x=1&role=admin',
];

/** Queries, and segments, that are names which every object has. */
const PROTO_KEYS = [
  '__proto__',
  '__proto__=1',
  '__proto__[role]=admin',
  '__proto__.role=admin',
  'constructor=1',
  'constructor[prototype][role]=admin',
  'prototype=1',
  'toString=1',
  'hasOwnProperty=1',
  'x=1&__proto__=2',
];

/** Attacks by which two requests are to share a key that Express, or a handler, tells apart. */
export function describeKeyAttacks(backendOf: () => CacheBackend): void {
  describe('by keys', () => {
    const attacked = attackedRoute(backendOf);

    it('host-in-key: spellings of a host that a handler can tell apart share nothing but writes', async () => {
      const { app, manager } = attacked.http;
      let version = 1;
      app.use(httpInvalidation({ manager }));
      app.post('/page', (_req, res) => {
        version++;
        res.sendStatus(204);
      });
      attacked.route('/page', (req, res) => res.send(`${version} of ${req.hostname}`));
      const hosts = ['a.example', 'A.example', 'a.EXAMPLE', 'a.example:80', 'A.example:80'];
      for (const writer of [undefined, ...hosts]) {
        if (writer !== undefined) {
          await attacked.http.ask('/page', { method: 'POST', headers: { host: writer } });
        }
        for (const expected of ['MISS', 'HIT', 'HIT']) {
          for (const host of hosts) {
            const { text, cache } = await attacked.ask('/page', { host });
            const [name] = host.split(':');
            expect([cache, text], `${writer} ${host}`).to.deep.equal([
              expected,
              `${version} of ${name}`,
            ]);
          }
        }
      }
    });

    it('host-in-key: of one public origin there is one spelling', async () => {
      attacked.route('/', (req, res) => res.send(`for ${req.hostname}`), {
        origin: 'http://a.example',
        debug: true,
      });
      for (const cache of ['MISS', 'HIT', 'HIT']) {
        expect((await attacked.ask('/', { host: 'a.example' })).cache).to.equal(cache);
        const other = await attacked.ask('/', { host: 'A.example' });
        expect([other.text, other.reason]).to.deep.equal(['for A.example', 'other-host']);
      }
    });

    it('encoded-path: an encoded slash is no path of another route', async () => {
      attacked.route('/files/:name', (req, res) => res.send(`name ${req.params['name']}`));
      attacked.route('/files/:dir/:name', (req, res) =>
        res.send(`in ${req.params['dir']}: ${req.params['name']}`),
      );
      const expected = {
        '/files/a%2Fb': 'name a/b',
        '/files/a%2fb': 'name a/b',
        '/files/a/b': 'in a: b',
        '/files/a%252Fb': 'name a%2Fb',
        '/files/a%2Fb/c': 'in a/b: c',
        '/files/a/b%2Fc': 'in a: b/c',
        '/files/%61/b': 'in a: b',
        '/files/a%3Fx': 'name a?x',
        '/files/a%23x': 'name a#x',
        '/files/a%3Ab': 'name a:b',
        '/files/a:b': 'name a:b',
      };
      for (const round of [1, 2]) {
        for (const [path, text] of Object.entries(expected)) {
          expect((await attacked.ask(path)).text, `${round} ${path}`).to.equal(text);
        }
      }
    });

    for (const parser of ['simple', 'extended']) {
      it(`repeated-param: none is read for the other, by the ${parser} parser`, async () => {
        attacked.http.app.set('query parser', parser);
        attacked.route('/', (req, res) => res.json({ query: req.query, url: req.url }));
        for (const round of [1, 2]) {
          for (const query of REPEATED) {
            const { url } = JSON.parse((await attacked.ask(`/?${query}`)).text) as { url: string };
            expect(url, `${round}`).to.equal(`/?${query}`);
          }
        }
        expect(attacked.runs).to.equal(REPEATED.length);
      });

      it(`proto-keys: they are names like all others, by the ${parser} parser`, async () => {
        attacked.http.app.set('query parser', parser);
        attacked.route('/', (req, res) => res.send(`/ ${req.url}`));
        attacked.route('/:name', (req, res) => res.send(`named ${req.url}`));
        const targets = [
          ...PROTO_KEYS.map((query) => `/?${query}`),
          ...['__proto__', 'constructor', 'toString', '__proto__?__proto__'].map((it) => `/${it}`),
          '/',
        ];
        const headers = Object.fromEntries([['__proto__', 'x']]) as Record<string, string>;
        for (const round of [1, 2]) {
          for (const target of targets) {
            const { text, cache } = await attacked.ask(target, headers);
            expect(text, `${round}`).to.match(/^(?:\/|named) /);
            expect(text.endsWith(` ${target}`), `${round} ${target}: ${text}`).to.equal(true);
            expect(cache, `${round} ${target}`).to.equal(round === 1 ? 'MISS' : 'HIT');
          }
        }
        for (const field of ['__proto__', 'constructor']) {
          attacked.route(`/vary/${field}`, (_req, res) => res.vary(field).send(field));
          await attacked.ask(`/vary/${field}`);
          const hit = await attacked.ask(`/vary/${field}`);
          expect([hit.cache, hit.text]).to.deep.equal(['HIT', field]);
        }
        expect(({} as { role?: string }).role).to.equal(undefined);
        const { sets } = attacked.http.manager.cache('http').statistics();
        expect(sets).to.equal(targets.length + 2);
      });
    }
  });
}
