import { expect } from 'chai';
import type { Request, Response } from 'express';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';

type Setting = (req: Request & Record<string, unknown>, res: Response) => void;

/** Where an attribute stands, what puts it there, and what keys hold of it; `undefined` = it is missing. */
const PLACES: readonly (readonly [
  where: string,
  set: Setting,
  found: string | undefined,
  name?: string,
])[] = [
  ['nowhere', () => undefined, undefined],
  ['in res.locals', (_req, res) => void (res.locals['tenant'] = 'local'), 'local'],
  ['in req', (req) => void (req['tenant'] = 'own'), 'own'],
  ['in req.user', (req) => void (req['user'] = { tenant: 'user' }), 'user'],
  [
    'in res.locals before req',
    (req, res) => {
      req['tenant'] = 'own';
      res.locals['tenant'] = 'local';
    },
    'local',
  ],
  [
    'in res.locals before req.user',
    (req, res) => {
      req['user'] = { tenant: 'user' };
      res.locals['tenant'] = 'local';
    },
    'local',
  ],
  [
    'in req before req.user',
    (req) => Object.assign(req, { tenant: 'own', user: { tenant: 'user' } }),
    'own',
  ],
  [
    'in the next place, where they are null or undefined',
    (req, res) => {
      res.locals['tenant'] = null;
      req['tenant'] = undefined;
      req['user'] = { tenant: 'user' };
    },
    'user',
  ],
  [
    'in the first place only, where they are there and say nothing',
    (req, res) => {
      res.locals['tenant'] = '';
      req['tenant'] = 'own';
    },
    undefined,
  ],
  ['also where they are 0', (_req, res) => void (res.locals['tenant'] = 0), '0'],
  ['also where they are false', (_req, res) => void (res.locals['tenant'] = false), 'false'],
  [
    'nowhere, where they are objects',
    (_req, res) => void (res.locals['tenant'] = { id: 1 }),
    undefined,
  ],
  ['nowhere in a user that is a text', (req) => void (req['user'] = 'ada'), undefined, 'length'],
  [
    'nowhere in what a user inherits',
    (req) => void (req['user'] = Object.create({ tenant: 'inherited' })),
    undefined,
  ],
  ['nowhere in what Express gives every request', () => undefined, undefined, 'hostname'],
  [
    'in req.user under a name that every object has',
    (req) => Object.assign(req, { user: { constructor: 'user' } }),
    'user',
    'constructor',
  ],
];

describe('httpCache: attributes of varyBy', () => {
  let http: HttpFixture;
  let warnings: { readonly message: string; readonly cache: unknown }[];

  beforeEach(async () => {
    warnings = [];
    http = await HttpFixture.start({
      logger: {
        ...silentLogger,
        warn: (message, context) => void warnings.push({ message, cache: context?.['cache'] }),
      },
    });
  });

  afterEach(() => http.stop());

  for (const [where, set, found, name = 'tenant'] of PLACES) {
    it(`are found ${where}`, async () => {
      http.app.use((req, res, next) => {
        set(req as unknown as Parameters<Setting>[0], res);
        next();
      });
      const cache = httpCache({ manager: http.manager, ttl: '1m', varyBy: [name], debug: true });
      http.app.get('/', cache, (_req, res) => void res.send('x'));

      const first = await http.ask('/');
      const second = await http.ask('/');
      const { keys } = await http.manager.cache('http').keys();

      const outcomes = [first.cache, second.cache, second.reason];
      if (found === undefined) {
        expect(outcomes).to.deep.equal(['SKIP', 'SKIP', 'attribute']);
        expect(keys).to.deep.equal([]);
      } else {
        expect(outcomes.slice(0, 2)).to.deep.equal(['MISS', 'HIT']);
        expect(keys.map((key) => key.split(':')[2])).to.deep.equal([`@${name}=${found}`]);
      }
    });
  }

  it('are warned of once each, where requests lack them', async () => {
    http.app.use((req, res, next) => {
      Object.assign(res.locals, req.query);
      next();
    });
    for (const path of ['/a', '/b']) {
      const varyBy = ['tenant', 'plan'];
      const cache = httpCache({ manager: http.manager, ttl: '1m', varyBy });
      http.app.get(path, cache, (_req, res) => void res.send('x'));
    }
    const toldOf = (): readonly (string | undefined)[] =>
      warnings.map(({ message }) => /has no '(.+?)'/.exec(message)?.[1]);

    expect((await http.ask('/a?tenant=t&plan=p')).cache).to.equal('MISS');
    expect(toldOf()).to.deep.equal([]);
    for (let time = 0; time < 3; time++) {
      expect((await http.ask('/a')).cache).to.equal('SKIP');
      expect((await http.ask('/a?plan=p')).cache).to.equal('SKIP');
    }
    expect(toldOf()).to.deep.equal(['tenant']);
    for (let time = 0; time < 3; time++) {
      expect((await http.ask('/a?tenant=t')).cache).to.equal('SKIP');
      expect((await http.ask('/a')).cache).to.equal('SKIP');
    }
    expect(toldOf()).to.deep.equal(['tenant', 'plan']);
    // Of another route nobody knows yet.
    await http.ask('/b?tenant=t');
    await http.ask('/b?tenant=t');
    expect(toldOf()).to.deep.equal(['tenant', 'plan', 'plan']);
    expect(warnings.map(({ cache }) => cache)).to.deep.equal(['http', 'http', 'http']);
  });
});
