import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import compression from 'compression';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture, type Answer } from '../../support/http-fixture.js';

const TEXT = 'all work and no play makes a dull cache. '.repeat(100);
const ENCODINGS = ['identity', 'gzip', 'br'] as const;

function decoded({ headers, body }: Answer): string {
  if (headers['content-encoding'] === 'gzip') return gunzipSync(body).toString();
  if (headers['content-encoding'] === 'br') return brotliDecompressSync(body).toString();
  return body.toString();
}

describe('httpCache beside compression', () => {
  let http: HttpFixture;
  let runs: number;

  beforeEach(async () => {
    http = await HttpFixture.start();
    runs = 0;
  });

  afterEach(() => http.stop());

  for (const place of ['before the cache', 'behind the cache'] as const) {
    for (const write of ['send', 'write', 'pipe'] as const) {
      it(`encoding-vary: each client gets its encoding with compression ${place}, by ${write}`, async () => {
        const cache = httpCache({ manager: http.manager, ttl: '1m' });
        const compress = compression({ threshold: 0 });
        const chain = place === 'before the cache' ? [compress, cache] : [cache, compress];
        http.app.get('/', ...chain, async (_req, res) => {
          runs++;
          res.type('text');
          if (write === 'send') res.send(TEXT);
          else if (write === 'write') {
            res.write(TEXT.slice(0, 1000));
            res.end(TEXT.slice(1000));
          } else {
            const { Readable } = await import('node:stream');
            Readable.from([TEXT.slice(0, 1000), TEXT.slice(1000)]).pipe(res);
          }
        });

        const seen: string[] = [];
        for (const round of ['first', 'second', 'third']) {
          for (const encoding of ENCODINGS) {
            const answer = await http.ask('/', { headers: { 'accept-encoding': encoding } });
            expect(answer.headers['content-encoding'] ?? 'identity', round).to.equal(encoding);
            expect(decoded(answer) === TEXT, `${round} ${encoding}`).to.equal(true);
            expect(answer.headers.vary).to.match(/accept-encoding/i);
            seen.push(answer.cache!);
          }
        }

        const misses = place === 'before the cache' ? 1 : 3;
        expect(seen.filter((word) => word === 'MISS').length).to.equal(misses);
        expect(seen.filter((word) => word === 'HIT').length).to.equal(9 - misses);
        expect(runs).to.equal(misses);
      });
    }

    it(`serves a stale response and refreshes it with compression ${place}`, async () => {
      const cache = httpCache({ manager: http.manager, ttl: '10s', staleWhileRevalidate: '1m' });
      const compress = compression({ threshold: 0 });
      const chain = place === 'before the cache' ? [compress, cache] : [cache, compress];
      http.app.get('/', ...chain, (_req, res) => {
        res.type('text').send(`${++runs} ${TEXT}`);
      });
      const headers = { 'accept-encoding': 'gzip' };
      await http.ask('/', { headers });
      http.clock.advance('20s');
      const stale = await http.ask('/', { headers });
      while (http.manager.cache('http').statistics().sets < 2) await new Promise(setImmediate);
      const fresh = await http.ask('/', { headers });

      expect([stale.cache, decoded(stale).slice(0, 2)]).to.deep.equal(['STALE', '1 ']);
      expect([fresh.cache, decoded(fresh).slice(0, 2)]).to.deep.equal(['HIT', '2 ']);
      expect(decoded(fresh).length).to.equal(TEXT.length + 2);
    });
  }
});
