import { inspect } from 'node:util';
import { expect } from 'chai';
import { accelerate } from '#internal/express/accelerate.js';
import type { AccelerateOptions } from '#internal/express/accelerate-options.js';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import { InvalidOptionError } from '#internal/errors.js';
import { HttpFixture } from '../../support/http-fixture.js';

describe('accelerate: options', () => {
  let http: HttpFixture | undefined;
  let errors: string[];

  afterEach(() => http?.stop());

  async function start(options: AccelerateOptions): Promise<HttpFixture> {
    const fixture = await HttpFixture.start({}, (app) => accelerate(app, options));
    http = fixture;
    errors = [];
    fixture.manager.on('error', ({ operation }) => void errors.push(operation));
    fixture.app.get(
      '/',
      httpCache({ manager: fixture.manager, ttl: '1m', front: true }),
      (_req, res) => void res.set('X-Frame-Options', 'DENY').send('text'),
    );
    return fixture;
  }

  async function place(headers: Record<string, string> = {}): Promise<string> {
    const answer = await http!.ask('/', { headers });
    return answer.headers['x-powered-by'] === undefined ? 'in front' : 'by Express';
  }

  for (const isAsync of [false, true]) {
    it(`asks the limit once for each answer, and ${isAsync ? 'waits for it' : 'at once'}`, async () => {
      let left = 2;
      let asked = 0;
      await start({
        limit: () => {
          asked++;
          const isAllowed = left-- > 0;
          return isAsync ? Promise.resolve(isAllowed) : isAllowed;
        },
      });
      const places: string[] = [];
      for (let time = 0; time < 4; time++) places.push(await place());
      expect(places).to.deep.equal(['by Express', 'in front', 'in front', 'by Express']);
      // Not for the miss, which the application's own limiter counts.
      expect(asked).to.equal(3);
      expect(errors).to.deep.equal([]);
    });
  }

  for (const [name, limit] of Object.entries<NonNullable<AccelerateOptions['limit']>>({
    throws: () => {
      throw new Error('broken');
    },
    rejects: () => Promise.reject(new Error('broken')),
  })) {
    it(`leaves the request to the application when the limit ${name}`, async () => {
      await start({ limit });
      await place();
      expect(await place()).to.equal('by Express');
      expect(errors).to.deep.equal(['accelerate']);
    });
  }

  it('takes nothing but true for a permission', async () => {
    await start({ limit: (() => 1) as never });
    await place();
    expect(await place()).to.equal('by Express');
  });

  it('answers only requests that meet the condition', async () => {
    await start({ condition: ({ headers }) => headers.origin === undefined });
    await place();
    expect(await place()).to.equal('in front');
    expect(await place({ origin: 'https://a.example' })).to.equal('by Express');
  });

  it('leaves the request to the application when the condition throws', async () => {
    await start({
      condition: () => {
        throw new Error('broken');
      },
    });
    await place();
    expect(await place()).to.equal('by Express');
    expect(errors).to.deep.equal(['accelerate']);
  });

  it('adds fields that the response has not', async () => {
    const { ask } = await start({
      headers: { 'X-Content-Type-Options': 'nosniff', 'x-frame-options': 'SAMEORIGIN' },
    }).then((fixture) => ({ ask: fixture.ask.bind(fixture) }));
    await ask('/');
    for (const headers of [{}, { 'if-none-match': '*' }, { range: 'bytes=0-1' }]) {
      const answer = await ask('/', { headers });
      expect(answer.headers['x-content-type-options']).to.equal('nosniff');
      expect(answer.headers['x-frame-options']).to.equal('DENY');
    }
    await ask('/', { method: 'HEAD' });
    const head = await ask('/', { method: 'HEAD' });
    expect(head.headers['x-content-type-options']).to.equal('nosniff');
  });

  for (const [option, value] of [
    ['limit', 10],
    ['condition', true],
    ['maxUrls', 0],
    ['headers', { 'X Y': 'a' }],
    ['headers', { 'X-Y': 'a\r\nb' }],
    ['headers', { 'X-Y': 1 }],
    ['limits', () => true],
  ] as const) {
    it(`refuses ${option}: ${inspect(value)}`, () => {
      const make = (): unknown => accelerate(() => undefined, { [option]: value } as never);
      expect(make).to.throw(InvalidOptionError, `accelerate.${option}`);
    });
  }

  it('refuses to mark a route that needs the application', () => {
    const options: readonly HttpCacheOptions[] = [
      { key: () => ['a'] },
      { condition: () => true },
      { refreshWhen: () => true },
      { varyBy: ['userId'] },
      { manager: () => undefined as never },
    ];
    for (const each of options) {
      expect(() => httpCache({ ...each, front: true })).to.throw(
        InvalidOptionError,
        /httpCache\.front/,
      );
      expect(() => httpCache({ ...each, front: false })).not.to.throw();
    }
  });
});
