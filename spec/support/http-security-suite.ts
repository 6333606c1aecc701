import { connect } from 'node:net';
import { expect } from 'chai';
import type { Request, Response } from 'express';
import type { CacheBackend } from '#internal/cache/backend.js';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import type { FieldMap } from '#internal/http/http-message.js';
import { describeErrorAttacks } from './http-error-attacks.js';
import { HttpFixture, type Answer, type AskOptions } from './http-fixture.js';
import { describeKeyAttacks } from './http-key-attacks.js';
import { until } from './until.js';

/** Fields that say what the URL was, to some framework or other. */
const UNKEYED = [
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-scheme',
  'x-forwarded-port',
  'x-forwarded-prefix',
  'x-forwarded-server',
  'x-forwarded-ssl',
  'front-end-https',
  'x-host',
  'x-original-url',
  'x-rewrite-url',
  'x-http-method-override',
  'x-http-method',
  'x-method-override',
  'forwarded',
];

const ODD_PRIVATE = [
  'PRIVATE',
  'Private, max-age=60',
  'max-age=60,private',
  'max-age=60 , private',
  'private=""',
  'private="set-cookie"',
  'private, private',
  'max-age=60, "private"',
  'public, private',
  'max-age=60; private',
];

/** Names of an account page that others may take for a file's, or for those of another path. */
const DISGUISED = [
  '/account/x.css',
  '/account/x.css?',
  '/account/a.js?v=1',
  '/account;x.css',
  '/account;x',
  '/account%2Fx.css',
  '/account%2Fx',
  '/account/%2e%2e/x.js',
  '/account/%2e%2e/x',
  '/account/x.css%00.js',
  '/account/x%00',
];

/**
 * The attacks on shared caches, each by its name, against a cache with nothing but a `ttl`: what an attacker, or an
 * unlucky client, can do by requests alone must not change what others get.
 */
export function describeHttpSecurity(title: string, backendOf: () => CacheBackend): void {
  describe(`httpCache under attack, ${title}`, () => {
    let http: HttpFixture;
    let runs: number;

    beforeEach(async () => {
      http = await HttpFixture.start({ backend: backendOf() });
      runs = 0;
    });

    afterEach(() => http.stop());

    function route(
      path: string,
      handler: (req: Request, res: Response) => unknown,
      options: HttpCacheOptions = {},
    ): void {
      http.app.get(
        path,
        httpCache({ manager: http.manager, ttl: '1m', ...options }),
        (req, res) => {
          runs++;
          return handler(req, res);
        },
      );
    }

    const ask = (
      path: string,
      headers: AskOptions['headers'] = {},
    ): ReturnType<HttpFixture['ask']> => http.ask(path, { headers });

    it('set-cookie-replay: a cookie goes to nobody else', async () => {
      route('/', (_req, res) => res.cookie('sid', String(runs)).send(`session ${runs}`));
      const first = await ask('/');
      const second = await ask('/');

      expect(first.headers['set-cookie']).to.deep.equal(['sid=1; Path=/']);
      expect(second.headers['set-cookie']).to.deep.equal(['sid=2; Path=/']);
      expect(second.text).to.equal('session 2');
    });

    it('set-cookie-replay: nor where the route lists the fields to replay', async () => {
      route('/', (_req, res) => res.cookie('sid', String(runs)).set('X-A', 'a').send('x'), {
        replayHeaders: ['X-A'],
      });
      await ask('/');
      const hit = await ask('/');

      expect([hit.cache, hit.headers['x-a'], hit.headers['set-cookie']]).to.deep.equal([
        'HIT',
        'a',
        undefined,
      ]);
    });

    for (const profile of ['safe', 'rfc9111'] as const) {
      it(`limit-fields: nobody is told of the limit of another one, in ${profile}`, async () => {
        const ofLimits = [
          'ratelimit',
          'ratelimit-policy',
          'x-ratelimit-reset',
          'x-rate-limit-limit',
        ];
        const left = (answer: Answer): readonly unknown[] =>
          [...ofLimits, 'retry-after'].map((name) => answer.headers[name]);
        // A limiter that stands behind the cache.
        route(
          '/',
          (req, res) => {
            for (const name of ofLimits) res.set(name, `run ${runs}`);
            res.set({ 'Retry-After': '60', 'X-Other': 'kept', ETag: '"v"' });
            if (req.headers['if-none-match'] === '"v"') res.status(304).end();
            else res.send('x');
          },
          { profile },
        );
        const nothing = [undefined, undefined, undefined, undefined, undefined];
        for (const run of [1, 2]) {
          const own = await ask('/');
          const text = `run ${run}`;
          expect([own.cache, ...left(own)]).to.deep.equal(['MISS', text, text, text, text, '60']);
          // Redis has a clock of its own, by which what was stored first is fresh until the second one takes its place.
          await until('it is stored', () => {
            return http.manager.cache('http').statistics().sets === run;
          });
          const other = await ask('/');
          expect([other.cache, other.headers['x-other']]).to.deep.equal(['HIT', 'kept']);
          expect(left(other)).to.deep.equal(nothing);
          // The second run says by a 304 that what is stored still holds.
          http.clock.advance('2m');
        }
        expect(runs).to.equal(2);
      });

      it(`limit-fields: a Retry-After that is about no limit is everybody's, in ${profile}`, async () => {
        route('/', (_req, res) => res.set('Retry-After', '60').send('x'), { profile });
        await ask('/');
        const hit = await ask('/');
        expect([hit.cache, hit.headers['retry-after']]).to.deep.equal(['HIT', '60']);
      });

      it(`limit-fields: who is refused by a limit is refused alone, in ${profile}`, async () => {
        route(
          '/',
          (_req, res) => res.status(429).set('Cache-Control', 'public, max-age=60').send(`${runs}`),
          { profile },
        );
        await ask('/');
        const second = await ask('/');
        expect([second.cache, second.text]).to.deep.equal(['SKIP', '2']);
      });
    }

    it('authorization-shared: nobody gets what was made for credentials', async () => {
      route('/', (req, res) => res.send(`for ${req.headers.authorization}`));
      for (const authorization of ['Bearer a', 'Bearer b']) {
        expect((await ask('/', { authorization })).text).to.equal(`for ${authorization}`);
      }
      expect((await ask('/')).text).to.equal('for undefined');
      expect((await ask('/', { authorization: 'Bearer c' })).text).to.equal('for Bearer c');
    });

    it('session-cookie: nor for a cookie', async () => {
      route('/', (req, res) => res.send(`for ${req.headers.cookie}`));
      for (const cookie of ['sid=a', 'sid=b']) {
        expect((await ask('/', { cookie })).text).to.equal(`for ${cookie}`);
      }
      expect((await ask('/')).text).to.equal('for undefined');
      expect((await ask('/', { cookie: 'sid=c' })).text).to.equal('for sid=c');
    });

    it('attribute-is-no-identity: nor where clients share an attribute of the key', async () => {
      route('/', (req, res) => res.send(`for ${req.headers.cookie ?? req.headers.authorization}`), {
        varyBy: [{ name: 'currency', value: () => 'EUR' }],
      });
      for (const headers of [
        { cookie: 'sid=a' },
        { cookie: 'sid=b' },
        { authorization: 'Bearer a' },
        { authorization: 'Bearer b' },
      ]) {
        const { text } = await ask('/', headers);
        expect(text).to.equal(`for ${Object.values(headers)[0]}`);
      }
      expect((await ask('/')).text).to.equal('for undefined');
      expect((await ask('/', { cookie: 'sid=c' })).text).to.equal('for sid=c');
      expect((await ask('/')).cache).to.equal('HIT');
    });

    for (const [name, word] of [
      ['respects-no-store', 'no-store'],
      ['respects-private', 'private'],
    ] as const) {
      for (const field of ['Cache-Control', 'CDN-Cache-Control', 'Cachewell-Cache-Control']) {
        it(`${name}: in ${field}`, async () => {
          route('/:words', (req, res) => {
            res.set('Cache-Control', 'public, max-age=600');
            res.set(field, String(req.params['words'])).send(`run ${runs}`);
          });
          for (const words of [word, `${word}, max-age=600`, `max-age=600, ${word}`]) {
            const first = await ask(`/${encodeURIComponent(words)}`);
            const second = await ask(`/${encodeURIComponent(words)}`);
            expect([first.cache, second.cache], words).to.deep.equal(['SKIP', 'SKIP']);
            expect(second.text).to.not.equal(first.text);
          }
          expect(http.manager.cache('http').statistics().sets).to.equal(0);
        });
      }
    }

    for (const cacheControl of ODD_PRIVATE) {
      it(`odd-private: ${cacheControl}`, async () => {
        route('/', (_req, res) => res.set('Cache-Control', cacheControl).send(`run ${runs}`));
        await ask('/');
        expect((await ask('/')).text).to.equal('run 2');
      });
    }

    it('deception: a private page under the name of a file is not stored for a whole application', async () => {
      http.app.use(httpCache({ manager: http.manager, ttl: '1m' }));
      // Of this field nobody could tell that it says who asks.
      http.app.get('/account{*rest}', (req, res) => {
        res.send(`for ${req.headers['x-visitor']}`);
      });
      // Without a disguise a page that says nothing is everybody's: the attack is live.
      await ask('/account/a', { 'x-visitor': 'victim' });
      const plain = await ask('/account/a');
      expect([plain.cache, plain.text]).to.deep.equal(['HIT', 'for victim']);
      for (const path of DISGUISED) {
        const victims = await ask(path, { 'x-visitor': 'victim' });
        expect(victims.text, path).to.equal('for victim');
        const stranger = await ask(path);
        expect([stranger.cache, stranger.text], path).to.deep.equal(['SKIP', 'for undefined']);
      }
    });

    for (const field of UNKEYED) {
      it(`unkeyed-header: ${field} poisons no other request`, async () => {
        route('/', (req, res) => res.send(`link to ${req.headers[field] ?? 'home'}`));
        const poison = field === 'forwarded' ? 'host=evil.example;for=10.0.0.1' : 'evil.example';
        await ask('/', { [field]: poison });
        expect((await ask('/')).text).to.equal('link to home');
        expect((await ask('/', { [field]: poison })).text).to.equal(`link to ${poison}`);
      });
    }

    it('host-in-key: hosts do not share responses', async () => {
      route('/', (req, res) => res.send(`host ${req.headers.host}`));
      for (const host of ['a.example', 'b.example', 'A.example:80']) {
        expect((await ask('/', { host })).text).to.equal(`host ${host}`);
      }
    });

    it('host-in-key: nor where the application trusts a proxy', async () => {
      http.app.set('trust proxy', true);
      route('/', (req, res) => res.send(`${req.protocol}://${req.hostname}`));
      await ask('/', { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' });
      expect((await ask('/')).text).to.equal('http://127.0.0.1');
    });

    it('fat-get: a body on a GET changes nothing for others', async () => {
      http.app.use((req, _res, next) => {
        req.on('data', (data: Buffer) => ((req as { body?: string }).body = data.toString()));
        req.on('end', () => next());
        req.resume();
      });
      route('/', (req, res) => res.send(`body ${(req as { body?: string }).body ?? 'none'}`));
      await http.ask('/', { body: 'evil', headers: { 'content-length': '4' } });
      await http.ask('/', { body: 'evil', headers: { 'transfer-encoding': 'chunked' } });
      expect((await ask('/')).text).to.equal('body none');
    });

    it('key-confusion: what Express or a handler can tell apart shares nothing', async () => {
      http.app.get('/{*path}', httpCache({ manager: http.manager, ttl: '1m' }), (req, res) => {
        res.send(`for ${req.originalUrl}`);
      });
      const targets = [
        '/a/b',
        '/a%2Fb',
        '/a%252Fb',
        '/A/b',
        '/a/b/',
        '//a/b',
        '/a//b',
        '/a/./b',
        '/a/../a/b',
        '/a;v=1/b',
        '/a:b',
        '/a*b',
        '/a[b',
        '/a?x=1&x=2',
        '/a?x=2&x=1',
        '/a?x=1;y=2',
        '/a?x=1&y=2',
        '/a?x',
        '/a?x=',
        '/a?',
        '/a',
        '/a?x%3D1',
        '/a?__proto__=1',
        '/a?x[]=1',
        '/a?x[0]=1',
        '/a?x=1:y=2',
      ];
      for (const round of [1, 2]) {
        for (const target of targets) {
          expect((await ask(target)).text, `${round} ${target}`).to.equal(`for ${target}`);
        }
      }
    });

    for (const [name, first] of [
      ['head-first', { method: 'HEAD' }],
      ['conditional-first', { headers: { 'if-none-match': '*' } }],
      ['range-first', { headers: { range: 'bytes=0-1' } }],
    ] as const) {
      it(`${name}: never becomes the whole`, async () => {
        route('/', (_req, res) => res.send('abcdef'));
        await http.ask('/', first);
        const whole = await ask('/');
        expect([whole.status, whole.text]).to.deep.equal([200, 'abcdef']);
      });
    }

    it('client-abort: half a response is not stored when its client goes', async () => {
      let closed = 0;
      route('/', (_req, res) => {
        res.once('close', () => void closed++);
        if (runs === 1) {
          res.write('half');
          return;
        }
        res.send('whole');
      });
      const socket = connect(http.port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n\r\n`);
      await until('it runs', () => runs === 1);
      socket.destroy();
      await until('the server knows', () => closed === 1);
      expect((await ask('/')).text).to.equal('whole');
    });

    for (const [how, cut] of [
      ['is destroyed', (res: Response) => res.destroy()],
      ['ends before its length', (res: Response) => res.end()],
    ] as const) {
      it(`truncated-origin: nor when it ${how}`, async () => {
        route('/', (_req, res) => {
          if (runs > 1) return res.send('whole');
          res.set('Content-Length', '100').write('half');
          return cut(res);
        });
        // A client that waits for the rest of it is not what this is about.
        const socket = connect(http.port, '127.0.0.1');
        socket.on('error', () => undefined);
        socket.write(`GET / HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n\r\n`);
        await until('half of it is there', () => socket.bytesRead > 0 || socket.destroyed);
        const whole = await ask('/');
        socket.destroy();
        expect([whole.status, whole.text]).to.deep.equal([200, 'whole']);
      });
    }

    it('empty-page: a 204 that one client provokes is not stored', async () => {
      route('/', (req, res) =>
        req.headers['x-evil'] === undefined ? res.send('fine') : res.status(204).end(),
      );
      await ask('/', { 'x-evil': '1' });
      expect((await ask('/')).text).to.equal('fine');
    });

    for (const field of ['authorization', 'cookie']) {
      it(`validated-leak: nobody with ${field} gets the answer for all because its tag is the same`, async () => {
        route('/', (req, res) => {
          if (req.headers['if-none-match'] === '"v1"') return res.status(304).end();
          return res.set('ETag', '"v1"').send(`for ${req.headers[field]}`);
        });
        await ask('/');
        expect((await ask('/', { [field]: 'a=b' })).text).to.equal('for a=b');
        http.clock.advance('2m');
        expect((await ask('/', { [field]: 'c=d' })).text).to.equal('for c=d');
        const plain = await ask('/');
        expect([plain.cache, plain.text]).to.deep.equal(['MISS', 'for undefined']);
        expect(plain.headers['cache-status']).to.contain('fwd-status=304');
      });
    }

    for (const field of ['authorization', 'cookie']) {
      for (const [leader, headers] of [
        ['one of them', { [field]: 'client=0' }],
        ['somebody without any', {}],
      ] as const) {
        it(`collapse-leak: 100 clients with ${field} of their own each get their own answer, who wait for ${leader}`, async () => {
          const held: (() => void)[] = [];
          // What nobody has asked for by the same credentials, and says nothing about who may have it.
          route('/', (req, res) => {
            held.push(() => res.send(`for ${req.headers[field]}`));
            if (held.length > 1) held.at(-1)!();
          });
          const first = ask('/', headers);
          await until('it runs', () => held.length === 1);
          const credentials = Array.from({ length: 100 }, (_, index) => `client=${index + 1}`);
          const others = credentials.map((each) => ask('/', { [field]: each }));
          // They wait for the same key: no handler runs for them before that of the first one is done.
          await until('all wait', () => http.manager.cache('http').statistics().misses === 101);
          expect(held.length).to.equal(1);
          held[0]!();

          expect((await first).text).to.equal(`for ${(headers as FieldMap)[field]}`);
          const texts = (await Promise.all(others)).map(({ text }) => text);
          expect(texts).to.deep.equal(credentials.map((each) => `for ${each}`));
        });
      }
    }

    it('collapse-leak: 100 identities at once get their own, each by its own key', async () => {
      const waiting: (() => void)[] = [];
      route(
        '/',
        (req, res) => {
          waiting.push(() => res.send(`for ${req.headers['x-user']} ${req.headers.cookie}`));
          if (waiting.length > 0) setImmediate(() => waiting.shift()?.());
        },
        {
          varyBy: [
            { name: 'who', value: (req) => req.headers['x-user'] as string, identity: true },
          ],
        },
      );
      const users = Array.from({ length: 100 }, (_, index) => `u${index}`);
      const answers = await Promise.all(
        users.map((user) => ask('/', { 'x-user': user, cookie: `sid=${user}` })),
      );
      expect(answers.map(({ text }) => text)).to.deep.equal(
        users.map((user) => `for ${user} sid=${user}`),
      );
    });

    it('stampede-error: a handler that dies hangs nobody', async () => {
      route('/', async (_req, res) => {
        await new Promise(setImmediate);
        if (runs === 1) throw new Error('dead');
        res.send('fine');
      });
      const answers = await Promise.all(Array.from({ length: 20 }, () => ask('/')));
      expect(answers.filter(({ status }) => status === 500).length).to.equal(1);
      expect(answers.filter(({ text }) => text === 'fine').length).to.equal(19);
    });

    it('read-write-race: what was read before a write is not there after it', async () => {
      let version = 1;
      let release!: () => void;
      const gate = new Promise<void>((resolve) => (release = resolve));
      route(
        '/',
        async (_req, res) => {
          const read = version;
          if (runs === 1) await gate;
          res.send(`version ${read}`);
        },
        { tags: ['thing'] },
      );
      const early = ask('/');
      await until('it runs', () => runs === 1);
      version = 2;
      await http.manager.invalidateTags('thing');
      release();
      expect((await early).text).to.equal('version 1');
      expect((await ask('/')).text).to.equal('version 2');
      expect((await ask('/')).text).to.equal('version 2');
    });

    it('response-splitting: a line break in a redirect is an error, and nothing is stored', async () => {
      route('/', (req, res) => {
        res.statusCode = 302;
        res.setHeader('Location', `/${String(req.headers['x-to'])}\r\nX-Evil: 1`);
        res.end();
      });
      const answer = await ask('/', { 'x-to': 'home' });
      expect(answer.status).to.equal(500);
      expect(answer.headers).to.not.have.property('x-evil');
      expect(http.manager.cache('http').statistics().sets).to.equal(0);
    });

    it('cardinality: a URL that varies by User-Agent has a bounded number of entries', async () => {
      route('/', (req, res) => res.vary('User-Agent').send(req.headers['user-agent']));
      for (let index = 0; index < 60; index++) {
        expect((await ask('/', { 'user-agent': `agent ${index}` })).text).to.equal(
          `agent ${index}`,
        );
      }
      const { keys } = await http.manager.cache('http').keys({ count: 1000 });
      expect(keys.length).to.be.at.most(17);
    });

    it('oracle: nothing tells of the cache where its fields are switched off', async () => {
      route('/', (_req, res) => res.send('x'), { xCache: false, statusHeader: false });
      await ask('/');
      const hit = await ask('/');
      expect(Object.keys(hit.headers).filter((name) => name.includes('cache'))).to.deep.equal([]);
    });

    it('secrets: no key holds a credential', async () => {
      route('/', (_req, res) => res.set('Cache-Control', 'public, max-age=60').send('x'), {
        varyBy: [{ name: 'authorization', value: (req) => req.headers.authorization }],
      });
      await ask('/', { authorization: 'Bearer top-secret', cookie: 'sid=hidden' });
      const { keys } = await http.manager.cache('http').keys();
      expect(keys.length).to.equal(1);
      expect(keys[0]).to.not.match(/top-secret|hidden|Bearer/);
    });

    describeKeyAttacks(backendOf);
    describeErrorAttacks(backendOf);
  });
}
