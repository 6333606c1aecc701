import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';
import { describePostAnswers } from '../../support/http-post-suite.js';

describePostAnswers('memory', () => new MemoryBackend());

describe('a POST', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start();
  });

  afterEach(() => http.stop());

  it('has nothing to do with the cache by default', async () => {
    const stored: string[] = [];
    http.manager.on('set', ({ key }) => stored.push(key));
    http.app.use(httpCache({ manager: http.manager }));
    http.app.post('/', (_req, res) => {
      res.set({ 'Cache-Control': 'max-age=60', 'Content-Location': '/' }).send('x');
    });
    const { cache, headers } = await http.ask('/', { method: 'POST' });
    expect([cache, headers['cache-status']]).to.deep.equal([
      'SKIP',
      'cachewell; fwd=method; detail=method',
    ]);
    expect(stored).to.deep.equal([]);
  });

  it('is answered, though the function for its tags fails', async () => {
    const tags = (): readonly string[] => {
      throw new TypeError('no tags');
    };
    http.app.use(httpCache({ manager: http.manager, profile: 'rfc9111', tags }));
    http.app.post('/', (_req, res) => void res.send('done'));
    const { status, text, cache } = await http.ask('/', { method: 'POST' });
    expect([status, text, cache]).to.deep.equal([200, 'done', 'SKIP']);
  });

  it('on a marked route is the business of the cache on the route', async () => {
    const { manager } = http;
    const stored: string[] = [];
    manager.on('set', ({ cache }) => stored.push(cache));
    http.app.use(httpCache({ manager, profile: 'rfc9111', cache: 'outer' }));
    http.app.post('/', httpCache({ manager, profile: 'rfc9111', cache: 'inner' }), (_req, res) => {
      res.set({ 'Cache-Control': 'max-age=60', 'Content-Location': '/' }).send('x');
    });
    const { rawHeaders } = await http.ask('/', { method: 'POST' });
    for (let turns = 0; turns < 5; turns++) await http.ask('/nowhere');
    expect(rawHeaders.filter((name) => name === 'X-Cache')).to.have.length(1);
    expect(stored).to.deep.equal(['inner']);
  });
});
