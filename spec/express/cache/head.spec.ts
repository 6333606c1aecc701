import { expect } from 'chai';
import type { RequestHandler } from 'express';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { BackendStore, CacheSpace } from '#internal/cache/backend.js';
import { httpCache } from '#internal/express/http-cache.js';
import { settle } from '../../support/gated-source.js';
import { HttpFixture, type Answer } from '../../support/http-fixture.js';

/* RFC 9111 section 4.3.5: what a HEAD that its handler answers says about the stored response to a GET. */
describe('httpCache: a HEAD that goes on to its handler', () => {
  let http: HttpFixture;
  let version: string;
  let fields: Record<string, string>;
  let status: number;
  let seen: string[];

  beforeEach(async () => {
    http = await HttpFixture.start();
    version = 'v1';
    fields = {};
    status = 200;
    seen = [];
    const options = { manager: http.manager, ttl: '1m' } as const;
    const cache = httpCache({ ...options, profile: 'rfc9111' });
    const answer: RequestHandler = (req, res) => {
      seen.push(`${req.method} ${req.headers['if-none-match'] ?? '-'}`);
      res.set({ ETag: `"${version}"`, ...fields });
      if (req.headers['if-none-match'] === `"${version}"`) res.status(304).end();
      else res.status(req.method === 'HEAD' ? status : 200).send(`text of ${version}`);
    };
    http.app.get('/', cache, answer);
    http.app.get('/safe', httpCache(options), answer);
  });

  afterEach(() => http.stop());

  /** Not content with what is stored, so the handler is asked. */
  function askAnew(headers: Record<string, string> = {}): Promise<Answer> {
    return http.ask('/', { method: 'HEAD', headers: { 'cache-control': 'no-cache', ...headers } });
  }

  async function outcome(headers: Record<string, string> = {}): Promise<string> {
    const { text, cache } = await http.ask('/', { headers });
    return `${text} ${cache}`;
  }

  it('makes it void where the validator is another one', async () => {
    await outcome();
    version = 'v2';
    expect(await outcome()).to.equal('text of v1 HIT');
    const head = await askAnew();
    expect([head.status, head.cache, head.headers.etag, head.text]).to.deep.equal([
      200,
      'MISS',
      '"v2"',
      '',
    ]);
    expect(head.headers['content-length']).to.equal('10');
    expect(await outcome()).to.equal('text of v2 MISS');
    expect(seen.slice(-2)).to.deep.equal(['HEAD -', 'GET -']);
  });

  it('makes it void where the length is another one', async () => {
    fields = { ETag: '"same"' };
    await outcome();
    version = 'v1000';
    await askAnew();
    expect(await outcome()).to.equal('text of v1000 MISS');
  });

  it('makes it void where it may be stored no more', async () => {
    await outcome();
    fields = { 'Cache-Control': 'no-store' };
    await askAnew();
    fields = {};
    expect(await outcome()).to.equal('text of v1 MISS');
  });

  it('makes it void that is stale, so that it is not served in place of an error', async () => {
    fields = { 'Cache-Control': 'max-age=1, stale-if-error=600' };
    await outcome();
    http.clock.advance('2s');
    version = 'v2';
    await http.ask('/', { method: 'HEAD' });
    expect(await outcome()).to.equal('text of v2 MISS');
    expect(seen.slice(-2)).to.deep.equal(['HEAD -', 'GET -']);
  });

  it('leaves what is fresh as it is where both agree, and what is stale to be validated', async () => {
    await outcome();
    await askAnew();
    expect(await outcome()).to.equal('text of v1 HIT');
    http.clock.advance('61s');
    expect((await http.ask('/', { method: 'HEAD' })).cache).to.equal('MISS');
    expect(await outcome()).to.equal('text of v1 MISS');
    expect(seen.slice(-2)).to.deep.equal(['HEAD -', 'GET "v1"']);
  });

  for (const other of [204, 404, 410, 500]) {
    it(`says nothing with ${other}`, async () => {
      await outcome();
      [version, status] = ['v2', other];
      expect((await askAnew()).status).to.equal(other);
      expect(await outcome()).to.equal('text of v1 HIT');
    });
  }

  it('says nothing about the variant of others', async () => {
    fields = { Vary: 'Accept-Language' };
    await outcome({ 'accept-language': 'de' });
    version = 'v2';
    await askAnew({ 'accept-language': 'fr' });
    expect(await outcome({ 'accept-language': 'de' })).to.equal('text of v1 HIT');
    await askAnew({ 'accept-language': 'de' });
    expect(await outcome({ 'accept-language': 'de' })).to.equal('text of v2 MISS');
  });

  it('says nothing about what its client may not be given', async () => {
    await http.ask('/safe');
    http.clock.advance('61s');
    version = 'own';
    await http.ask('/safe', { method: 'HEAD', headers: { authorization: 'Bearer a' } });
    version = 'v1';
    await http.ask('/safe');
    expect(seen).to.deep.equal(['GET -', 'HEAD -', 'GET "v1"']);
  });

  it('is answered once the store has taken note', async () => {
    await http.stop();
    const backend = new HesitantBackend();
    http = await HttpFixture.start({ backend });
    const cache = httpCache({ manager: http.manager, ttl: '1m', profile: 'rfc9111' });
    http.app.get('/', cache, (_req, res) => void res.set('ETag', `"${version}"`).send(version));
    await outcome();
    version = 'v2';

    let isAnswered = false;
    const head = askAnew().finally(() => (isAnswered = true));
    await backend.asked;
    await settle();
    expect(isAnswered).to.equal(false);
    backend.goOn();
    expect((await head).headers.etag).to.equal('"v2"');
    expect(await outcome()).to.equal('v2 MISS');
  });
});

/** Deletes nothing until it is told to. */
class HesitantBackend extends MemoryBackend {
  readonly asked: Promise<void>;
  readonly #gate: Promise<void>;
  #tell!: () => void;
  goOn!: () => void;

  constructor() {
    super();
    this.asked = new Promise((resolve) => (this.#tell = resolve));
    this.#gate = new Promise((resolve) => (this.goOn = resolve));
  }

  override open(space: CacheSpace): BackendStore {
    const store = super.open(space);
    const remove = store.delete.bind(store);
    return Object.assign(store, {
      delete: async (...args: Parameters<BackendStore['delete']>): Promise<number> => {
        this.#tell();
        await this.#gate;
        return remove(...args);
      },
    });
  }
}
