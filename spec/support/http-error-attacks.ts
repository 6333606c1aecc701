import { connect } from 'node:net';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { expect } from 'chai';
import type { Request, Response } from 'express';
import type { CacheBackend } from '#internal/cache/backend.js';
import { attackedRoute } from './attacked-route.js';
import type { Answer } from './http-fixture.js';

const STATUSES = [400, 401, 403, 404, 405, 410, 413, 414, 429, 431, 500, 501, 502, 503, 504];

/** What an unlucky or evil field makes a handler do, although it has said that its answer may be kept. */
const FAILURES: Readonly<Record<string, (res: Response) => unknown>> = {
  'a 400': (res) => res.status(400).send('bad request'),
  'a 500': (res) => res.status(500).send('broken'),
  'a thrown error': () => {
    throw new Error('broken');
  },
  'a rejected promise': () => Promise.reject(new Error('broken')),
  'an error after half of the response': (res) => {
    res.write('half');
    throw new Error('broken');
  },
  'a response that ends nowhere': (res) =>
    res.set('Content-Length', '100').write('half') && res.destroy(),
};

const PLAIN = 'all work and no play makes a dull cache. '.repeat(20);

/** Attacks by which one client's error, or another client's encoding, is to become everybody's response. */
export function describeErrorAttacks(backendOf: () => CacheBackend): void {
  describe('by errors', () => {
    const attacked = attackedRoute(backendOf);

    /** A route that says that its responses may be kept, and fails for some requests. */
    function failing(isEvil: (req: Request) => boolean, fail: (res: Response) => unknown): void {
      attacked.route('/', (req, res) => {
        res.set('Cache-Control', 'max-age=600');
        return isEvil(req) ? fail(res) : res.send('fine');
      });
    }

    /** Sends bytes that an HTTP client would not send, and gives what came back until the server closed. */
    function askRaw(lines: readonly string[]): Promise<string> {
      return new Promise((resolve) => {
        const socket = connect(attacked.http.port, '127.0.0.1');
        let received = '';
        socket.on('data', (data) => (received += data.toString('latin1')));
        // A server that refuses a request need not read all of it.
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(received));
        const own = ['Host: 127.0.0.1:' + attacked.http.port, 'Connection: close'];
        socket.write(`${[lines[0], ...own, ...lines.slice(1)].join('\r\n')}\r\n\r\n`, 'latin1');
      });
    }

    async function expectFine(): Promise<void> {
      const answer = await attacked.ask('/');
      expect([answer.status, answer.text]).to.deep.equal([200, 'fine']);
    }

    for (const [kind, fail] of Object.entries(FAILURES)) {
      it(`error-flood: ${kind} that one client provokes is nobody else's`, async () => {
        failing((req) => req.headers['x-evil'] !== undefined, fail);
        const flood = (): Promise<unknown> =>
          attacked.ask('/', { 'x-evil': '1' }).catch(() => undefined);
        for (let index = 0; index < 3; index++) await flood();
        await expectFine();
        expect((await attacked.ask('/')).cache).to.equal('HIT');
        expect(attacked.http.manager.cache('http').statistics().sets).to.equal(1);
        // Nor does it take the place of what is there: neither while that is fresh, nor after.
        await flood();
        await expectFine();
        attacked.http.clock.advance('11m');
        await flood();
        attacked.http.clock.advance('1m');
        await expectFine();
      });
    }

    for (const status of STATUSES) {
      it(`error-not-stored: ${status}`, async () => {
        attacked.route('/', (_req, res) => {
          res.set('Cache-Control', 'public, max-age=600');
          return attacked.runs === 1 ? res.status(status).send('error') : res.send('fine');
        });
        const first = await attacked.ask('/');
        expect([first.status, first.cache]).to.deep.equal([status, 'SKIP']);
        await expectFine();
      });
    }

    it('oversize-header: what is too large for the handler is refused to one client only', async () => {
      failing(
        (req) => String(req.headers['x-big'] ?? '').length > 4096,
        (res) => res.status(431).send('too large'),
      );
      const refused = await attacked.ask('/', { 'x-big': 'x'.repeat(8000) });
      expect(refused.status).to.equal(431);
      await expectFine();
    });

    it('oversize-header: so is what is too large for the server', async () => {
      failing(
        () => false,
        () => undefined,
      );
      for (const line of [`X-Big: ${'x'.repeat(40_000)}`, `Cookie: ${'a=b; '.repeat(8000)}`]) {
        expect(await askRaw(['GET / HTTP/1.1', line])).to.not.match(/^HTTP\/1\.1 200/);
      }
      expect(attacked.runs).to.equal(0);
      await expectFine();
    });

    it('control-characters: a field with one is refused to one client only', async () => {
      // Of what a field may hold, Node lets a tab and bytes beyond ASCII through; the rest it refuses by itself.
      failing(
        (req) => req.headers['x-evil'] !== undefined,
        (res) => res.status(400).send('bad characters'),
      );
      for (const evil of [
        '\0',
        '\x01',
        '\x07',
        '\x1b[31m',
        '\x7f',
        'a\rb',
        'a\nX-B: c',
        '\t\xff',
        '\x80',
      ]) {
        const answer = await askRaw(['GET / HTTP/1.1', `X-Evil: a${evil}b`]);
        expect(answer, JSON.stringify(evil)).to.match(/^HTTP\/1\.1 400 /);
      }
      expect(attacked.runs, 'those that Node lets through').to.be.at.least(2);
      await expectFine();
    });

    it('control-characters: so is a URL with one', async () => {
      failing(
        (req) => req.url !== '/',
        (res) => res.status(400).send('bad characters'),
      );
      for (const target of [
        '/\0',
        '/\x01',
        '/\x7f',
        '/%00',
        '/%0d%0aX-Evil:1',
        '/?%00',
        '/?\x07',
      ]) {
        expect(await askRaw([`GET ${target} HTTP/1.1`]), target).to.match(/^HTTP\/1\.1 40[04] /);
      }
      await expectFine();
      expect((await attacked.http.manager.cache('http').keys()).keys.length).to.equal(1);
    });

    for (const says of ['with Vary', 'without a word of Vary'] as const) {
      it(`encoding-vary: nobody gets an encoding that he cannot read, ${says}`, async () => {
        attacked.route('/', (req, res) => {
          const wanted = String(req.headers['accept-encoding'] ?? 'identity');
          if (says === 'with Vary') res.set('Vary', 'Accept-Encoding');
          if (wanted === 'identity') return res.type('text').send(PLAIN);
          const body = wanted === 'gzip' ? gzipSync(PLAIN) : brotliCompressSync(PLAIN);
          return res.type('text').set('Content-Encoding', wanted).send(body);
        });
        for (const encoding of ['gzip', 'br', 'identity', 'gzip', 'br', 'identity']) {
          const answer = await attacked.ask('/', { 'accept-encoding': encoding });
          expect(answer.headers['content-encoding'] ?? 'identity').to.equal(encoding);
          expect(decoded(answer)).to.equal(PLAIN);
        }
        expect(attacked.runs).to.equal(3);
      });
    }
  });
}

function decoded({ headers, body }: Answer): string {
  if (headers['content-encoding'] === 'gzip') return gunzipSync(body).toString();
  if (headers['content-encoding'] === 'br') return brotliDecompressSync(body).toString();
  return body.toString();
}
