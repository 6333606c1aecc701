import { expect } from 'chai';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';

describe('httpCache', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start();
  });

  afterEach(() => http.stop());

  it('answers from the store after the handler has run once', async () => {
    let runs = 0;
    http.app.get('/items', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      res.json({ run: ++runs });
    });

    const miss = await http.ask('/items');
    http.clock.advance('5s');
    const hit = await http.ask('/items');

    expect(miss.cache).to.equal('MISS');
    expect(miss.headers['cache-status']).to.equal('cachewell; fwd=uri-miss; stored');
    expect(hit.cache).to.equal('HIT');
    expect(hit.headers['cache-status']).to.equal('cachewell; hit; ttl=55');
    expect(hit.headers.age).to.equal('5');
    expect(hit.text).to.equal('{"run":1}');
    expect(hit.headers['content-type']).to.equal('application/json; charset=utf-8');
    expect(hit.headers.etag).to.equal(miss.headers.etag);
    expect(hit.headers.date).to.equal(miss.headers.date);
    expect(runs).to.equal(1);
  });

  it('runs the handler again once the lifetime is over', async () => {
    let runs = 0;
    http.app.get('/items', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      res.json({ run: ++runs });
    });

    await http.ask('/items');
    http.clock.advance('61s');
    const again = await http.ask('/items');

    expect(again.cache).to.equal('MISS');
    expect(again.text).to.equal('{"run":2}');
  });
});
