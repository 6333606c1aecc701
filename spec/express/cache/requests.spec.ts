import { expect } from 'chai';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

describe('httpCache: HEAD, conditional and range requests', () => {
  let http: HttpFixture;
  let runs: number;
  let seen: (string | undefined)[];

  beforeEach(async () => {
    http = await HttpFixture.start();
    runs = 0;
    seen = [];
    const options = { manager: http.manager, ttl: '1m' } as const;
    http.app.get('/tagged', httpCache(options), (req, res) => {
      runs++;
      seen.push(req.headers['if-none-match'], req.headers.range);
      res.on('finish', () => seen.push(req.headers['if-none-match']));
      res.set('ETag', '"v1"').set('Last-Modified', 'Mon, 01 Jan 2024 00:00:00 GMT').send(LETTERS);
    });
    http.app.get('/untagged', httpCache(options), (_req, res) => {
      runs++;
      res.write(LETTERS.slice(0, 3));
      res.end(LETTERS.slice(3));
    });
    http.app.get('/express', httpCache(options), (_req, res) => {
      runs++;
      res.json(LETTERS);
    });
    http.app.get('/unstored', httpCache(options), (_req, res) => {
      runs++;
      res.set('Cache-Control', 'no-store').set('ETag', '"v1"').send(LETTERS);
    });
  });

  afterEach(() => http.stop());

  it('answers HEAD from the response to a GET', async () => {
    await http.ask('/tagged');
    const head = await http.ask('/tagged', { method: 'HEAD' });

    expect([head.status, head.cache, head.text]).to.deep.equal([200, 'HIT', '']);
    expect(head.headers['content-length']).to.equal('26');
    expect(runs).to.equal(1);
  });

  it('runs the handler for a HEAD that finds nothing, and stores nothing', async () => {
    const head = await http.ask('/tagged', { method: 'HEAD' });
    const get = await http.ask('/tagged');

    expect([head.cache, get.cache, get.text]).to.deep.equal(['MISS', 'MISS', LETTERS]);
  });

  for (const path of ['/tagged', '/untagged', '/express']) {
    it(`fills the cache by a conditional request and answers 304, at ${path}`, async () => {
      await http.ask(path);
      const { etag } = (await http.ask(path)).headers;
      await http.manager.cache('http').clear();

      const first = await http.ask(path, { headers: { 'if-none-match': etag! } });
      const hit = await http.ask(path, { headers: { 'if-none-match': `"other", ${etag}` } });
      const full = await http.ask(path);

      expect([first.status, first.cache, first.text]).to.deep.equal([304, 'MISS', '']);
      expect([hit.status, hit.cache, hit.text]).to.deep.equal([304, 'HIT', '']);
      expect([full.status, full.cache]).to.deep.equal([200, 'HIT']);
      expect(full.text.replaceAll('"', '')).to.equal(LETTERS);
      for (const answer of [first, hit]) {
        expect(answer.headers).to.include({ etag });
        expect(answer.headers).to.include.keys('date', 'cache-status');
        expect(answer.headers).to.not.have.any.keys('content-type', 'content-length');
      }
      expect(runs).to.equal(2);
    });
  }

  it('hides conditionals and range from the handler, and puts them back', async () => {
    await http.ask('/tagged', { headers: { 'if-none-match': '"v0"', range: 'bytes=0-1' } });

    expect(seen).to.deep.equal([undefined, undefined, '"v0"']);
  });

  it('sends the whole response to a client with another version', async () => {
    const first = await http.ask('/tagged', { headers: { 'if-none-match': '"v0"' } });
    const hit = await http.ask('/tagged', { headers: { 'if-none-match': '"v0"' } });

    expect([first.status, first.text, first.cache]).to.deep.equal([200, LETTERS, 'MISS']);
    expect([hit.status, hit.text, hit.cache]).to.deep.equal([200, LETTERS, 'HIT']);
  });

  it('answers If-Modified-Since', async () => {
    await http.ask('/tagged');
    const since = { 'if-modified-since': 'Mon, 01 Jan 2024 00:00:00 GMT' };
    const before = { 'if-modified-since': 'Sun, 31 Dec 2023 00:00:00 GMT' };

    expect((await http.ask('/tagged', { headers: since })).status).to.equal(304);
    expect((await http.ask('/tagged', { headers: before })).status).to.equal(200);
  });

  it('answers 304 where nothing is stored, as the handler would have', async () => {
    const answer = await http.ask('/unstored', { headers: { 'if-none-match': '"v1"' } });

    expect([answer.status, answer.cache, answer.text]).to.deep.equal([304, 'SKIP', '']);
  });

  for (const path of ['/tagged', '/untagged']) {
    it(`serves ranges from the whole, and fills by a range request, at ${path}`, async () => {
      const cold = await http.ask(path, { headers: { range: 'bytes=2-4' } });
      const hit = await http.ask(path, { headers: { range: 'bytes=-3' } });
      const whole = await http.ask(path);

      expect([cold.status, cold.text, cold.cache]).to.deep.equal([206, 'cde', 'MISS']);
      expect(cold.headers).to.include({ 'content-range': 'bytes 2-4/26', 'content-length': '3' });
      expect([hit.status, hit.text, hit.cache]).to.deep.equal([206, 'xyz', 'HIT']);
      expect([whole.status, whole.text, whole.cache]).to.deep.equal([200, LETTERS, 'HIT']);
      expect(runs).to.equal(1);
    });
  }

  it('refuses a range beyond the end', async () => {
    await http.ask('/tagged');
    const answer = await http.ask('/tagged', { headers: { range: 'bytes=26-' } });

    expect([answer.status, answer.text]).to.deep.equal([416, '']);
    expect(answer.headers['content-range']).to.equal('bytes */26');
  });

  it('serves a range under If-Range only of the version asked for', async () => {
    await http.ask('/tagged');
    const own = { range: 'bytes=0-1', 'if-range': '"v1"' };
    const other = { range: 'bytes=0-1', 'if-range': '"v0"' };

    expect((await http.ask('/tagged', { headers: own })).text).to.equal('ab');
    expect((await http.ask('/tagged', { headers: other })).text).to.equal(LETTERS);
  });

  it('answers 504 where the client wants nothing but a stored response', async () => {
    const options = { manager: http.manager, ttl: '1m', respectRequestCacheControl: true } as const;
    http.app.get('/only', httpCache(options), (_req, res) => void res.send(`run ${++runs}`));
    const headers = { 'cache-control': 'only-if-cached' };

    const cold = await http.ask('/only', { headers });
    await http.ask('/only');
    const warm = await http.ask('/only', { headers });

    expect([cold.status, cold.text]).to.deep.equal([504, '']);
    expect([warm.status, warm.cache]).to.deep.equal([200, 'HIT']);
    expect(runs).to.equal(1);
  });
});
