import { createServer, type IncomingMessage } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { expect } from 'chai';
import type { RequestHandler } from 'express';
import { accelerate } from '#internal/express/accelerate.js';
import { httpCache } from '#internal/express/http-cache.js';
import type { HttpCacheOptions } from '#internal/express/http-cache-options.js';
import type { HttpMiddleware } from '#internal/express/http-middleware.js';
import { HttpFixture, type Answer, type AskOptions } from '../../support/http-fixture.js';

describe('accelerate', () => {
  let http: HttpFixture;
  let runs: number;

  beforeEach(async () => {
    http = await HttpFixture.start({}, (app) => accelerate(app));
    runs = 0;
  });

  afterEach(() => http.stop());

  function marked(options: HttpCacheOptions = {}): HttpMiddleware {
    return httpCache({ manager: http.manager, ttl: '1m', front: true, ...options });
  }

  /** What became of a request, and where: Express says so in a field that nothing else sets. */
  async function outcome(path: string, options?: AskOptions): Promise<string> {
    const answer = await http.ask(path, options);
    return `${answer.cache} ${isInFront(answer) ? 'in front' : 'by Express'}`;
  }

  it('answers a hit as the application would, but for what the application adds', async () => {
    http.app.get('/items', marked({ tags: ['items'] }), (_req, res) => {
      res.set('Link', '</a>; rel=next').json({ run: ++runs });
    });
    http.app.get('/plain', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      res.set('Link', '</a>; rel=next').json({ run: 1 });
    });
    for (const path of ['/items', '/plain']) await http.ask(path);
    http.clock.advance('7s');

    const hit = await http.ask('/items');
    const plain = await http.ask('/plain');

    expect(isInFront(hit)).to.equal(true);
    expect(isInFront(plain)).to.equal(false);
    expect(runs).to.equal(1);
    expect(hit.status).to.equal(200);
    expect(hit.text).to.equal('{"run":1}');
    const { 'x-powered-by': _, ...fields } = plain.headers;
    expect(hit.headers).to.deep.equal(fields);
    expect(hit.headers.age).to.equal('7');
    expect(http.manager.statistics().hits).to.equal(2);
  });

  it('knows a URL once its response was stored, or answered from the cache', async () => {
    http.app.get('/', marked(), (_req, res) => void res.send('x'));
    const other = await HttpFixture.start({}, () => accelerate(http.app));
    const host = { headers: { host: 'x' } };

    expect(await outcome('/', host)).to.equal('MISS by Express');
    expect(await outcome('/', host)).to.equal('HIT in front');
    const [first, second] = [await other.ask('/', host), await other.ask('/', host)];
    expect([first.cache, isInFront(first)]).to.deep.equal(['HIT', false]);
    expect([second.cache, isInFront(second)]).to.deep.equal(['HIT', true]);
    await other.stop();
  });

  it('hands everything else on as it came', async () => {
    const seen: (readonly PropertyKey[])[] = [];
    const look = (req: IncomingMessage): void => {
      // In whatever order: see `shareShapes`.
      const names = [...Reflect.ownKeys(req), ...req.eventNames()].map(String).sort();
      seen.push(names, Reflect.ownKeys(req.headers));
    };
    const listen = accelerate((req, res) => {
      look(req);
      res.end('from the application');
    });
    const servers = [
      listen,
      (req: IncomingMessage, res: { end(): void }) => (look(req), res.end()),
    ];
    for (const listener of servers) {
      const server = createServer(listener as never).listen(0, '127.0.0.1');
      await new Promise((resolve) => server.once('listening', resolve));
      const { port } = server.address() as AddressInfo;
      for (const method of ['GET', 'POST', 'HEAD']) {
        await fetch(`http://127.0.0.1:${port}/a?b=c`, { method });
      }
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
    expect(seen.slice(0, 6)).to.deep.equal(seen.slice(6));
  });

  it('answers HEAD once the application has answered one from the cache', async () => {
    http.app.get('/get', marked(), (_req, res) => void res.send('text'));
    http.app.head('/both', (_req, res) => void res.set('X-Own', 'yes').end());
    http.app.get('/both', marked(), (_req, res) => void res.send('text'));
    for (const path of ['/get', '/both']) await http.ask(path);

    const head = { method: 'HEAD' };
    expect(await outcome('/get', head)).to.equal('HIT by Express');
    const answer = await http.ask('/get', head);
    expect(isInFront(answer)).to.equal(true);
    expect(answer.text).to.equal('');
    expect(answer.headers['content-length']).to.equal('4');
    for (let time = 0; time < 2; time++) {
      expect((await http.ask('/both', head)).headers['x-own']).to.equal('yes');
    }
    expect(await outcome('/both')).to.equal('HIT in front');
  });

  it('answers conditionals and ranges as the application does', async () => {
    const write: RequestHandler = (_req, res) => {
      res
        .set('ETag', '"v1"')
        .set('Last-Modified', 'Thu, 01 Jan 2026 00:00:00 GMT')
        .send('0123456789');
    };
    http.app.get('/front', marked(), write);
    http.app.get('/inside', httpCache({ manager: http.manager, ttl: '1m' }), write);
    for (const path of ['/front', '/inside']) await http.ask(path);
    const asked = [
      { 'if-none-match': '"v1"' },
      { 'if-none-match': 'W/"v1", "x"' },
      { 'if-none-match': '"v2"' },
      { 'if-modified-since': 'Fri, 02 Jan 2026 00:00:00 GMT' },
      { range: 'bytes=2-4' },
      { range: 'bytes=-3' },
      { range: 'bytes=20-' },
      { range: 'bytes=2-4', 'if-range': '"v2"' },
      { range: 'bytes=2-4', 'if-range': '"v1"' },
    ];
    const statuses: number[] = [];
    for (const headers of asked) {
      const front = await http.ask('/front', { headers });
      const inside = await http.ask('/inside', { headers });
      expect(isInFront(front)).to.equal(true);
      const { 'x-powered-by': _, ...fields } = inside.headers;
      expect([front.status, front.text, front.headers]).to.deep.equal([
        inside.status,
        inside.text,
        fields,
      ]);
      statuses.push(front.status);
    }
    expect(statuses).to.deep.equal([304, 304, 200, 304, 206, 206, 416, 200, 206]);
  });

  it('gives each client its variant', async () => {
    http.app.get('/', marked(), (req, res) => {
      res.vary('Accept-Language').send(req.headers['accept-language']);
    });
    const ask = async (language: string): Promise<string> => {
      const answer = await http.ask('/', { headers: { 'accept-language': language } });
      return `${answer.text} ${answer.cache} ${isInFront(answer) ? 'in front' : 'by Express'}`;
    };

    for (const language of ['de', 'fr', 'pt']) {
      expect(await ask(language)).to.equal(`${language} MISS by Express`);
    }
    for (const language of ['de', 'fr', 'pt']) {
      expect(await ask(language)).to.equal(`${language} HIT in front`);
    }
  });

  it('leaves stale responses to the application, and answers again once they are refreshed', async () => {
    http.app.get('/', marked({ ttl: '1m', staleWhileRevalidate: '1m' }), (_req, res) => {
      res.send(String(++runs));
    });
    await http.ask('/');
    http.clock.advance('61s');

    const stale = await http.ask('/');
    expect([stale.cache, stale.text, isInFront(stale)]).to.deep.equal(['STALE', '1', false]);
    let fresh = await http.ask('/');
    while (fresh.cache === 'STALE') fresh = await http.ask('/');
    expect([fresh.cache, fresh.text, isInFront(fresh)]).to.deep.equal(['HIT', '2', true]);
  });

  it('gives nobody what was invalidated (P1)', async () => {
    http.app.get('/', marked({ tags: ['items'] }), (_req, res) => void res.send(String(++runs)));
    for (let time = 0; time < 20; time++) {
      expect(await outcome('/')).to.equal('MISS by Express');
      expect(await outcome('/')).to.equal('HIT in front');
      if (time % 2 === 0) await http.manager.invalidateTags('items');
      else await http.manager.cache('http').clear();
    }
    expect(runs).to.equal(20);
  });

  it('gives nobody with credentials what was not meant for everybody', async () => {
    http.app.get('/own', marked(), (req, res) => {
      res.send(req.headers.authorization ?? req.headers.cookie ?? 'nobody');
    });
    http.app.get('/public', marked(), (_req, res) => {
      res.set('Cache-Control', 'public, max-age=60').send('all');
    });
    for (const path of ['/own', '/public']) await http.ask(path);

    for (const headers of [{ authorization: 'Bearer a' }, { cookie: 'sid=b' }]) {
      const own = await http.ask('/own', { headers });
      expect([own.text, isInFront(own)]).to.deep.equal([Object.values(headers)[0], false]);
      expect(await outcome('/public', { headers })).to.equal('HIT in front');
    }
    expect((await http.ask('/own')).text).to.equal('nobody');
  });

  it('obeys what the client says where the route does', async () => {
    http.app.get('/safe', marked(), (_req, res) => void res.send('x'));
    http.app.get('/all', marked({ profile: 'rfc9111' }), (_req, res) => void res.send('x'));
    http.app.get(
      '/admin',
      marked({ respectRequestCacheControl: (req) => req.headers['x-admin'] === '1' }),
      (_req, res) => void res.send(String(++runs)),
    );
    for (const path of ['/safe', '/all', '/admin']) await http.ask(path);
    http.clock.advance('20s');
    const control = (text: string): AskOptions => ({ headers: { 'cache-control': text } });

    expect(await outcome('/safe', control('no-cache'))).to.equal('SKIP by Express');
    expect(await outcome('/safe', control('max-age=1'))).to.equal('HIT in front');
    expect(await outcome('/all', control('max-age=30'))).to.equal('HIT in front');
    expect(await outcome('/all', control('only-if-cached'))).to.equal('HIT in front');
    expect(await outcome('/all', control('max-age=10'))).to.equal('MISS by Express');
    expect((await http.ask('/all?new', control('only-if-cached'))).status).to.equal(504);
    expect(await outcome('/admin', control('no-cache'))).to.equal('HIT by Express');
    const refresh = { headers: { 'cache-control': 'no-cache', 'x-admin': '1' } };
    expect(await outcome('/admin', refresh)).to.equal('SKIP by Express');
    expect(runs).to.equal(2);
  });

  it('leaves requests alone that the cache leaves alone', async () => {
    http.app.use(marked(), (_req, res) => void res.send('x'));
    const requests: [string, AskOptions][] = [
      ['/a', { headers: { 'x-http-method-override': 'DELETE' } }],
      ['/a', { headers: { 'content-length': '1' }, body: 'x' }],
      ['/a', { headers: { 'if-match': '"x"' } }],
      ['/a', { method: 'POST' }],
      ['/a/%2e%2e/b', {}],
      ['/a//b', {}],
      [`/${'x'.repeat(1100)}`, {}],
      ['http://other.example/a', {}],
    ];
    await http.ask('/a');
    expect(await outcome('/a')).to.equal('HIT in front');
    for (const [path, options] of requests) {
      for (let time = 0; time < 2; time++) {
        expect(await outcome(path, options), path).to.match(/ by Express$/);
      }
    }
  });

  it('goes back to the application when the manager is closed or switched off', async () => {
    http.app.get('/', marked(), (_req, res) => void res.send('x'));
    await http.ask('/');
    expect(await outcome('/')).to.equal('HIT in front');
    http.manager.enabled = false;
    expect(await outcome('/')).to.equal('SKIP by Express');
    http.manager.enabled = true;
    expect(await outcome('/')).to.equal('HIT in front');
  });

  it('keeps the order of pipelined requests', async () => {
    http.app.get('/hit', marked(), (_req, res) => void res.send('hit'));
    http.app.get('/slow', (_req, res) => void setImmediate(() => res.send('slow')));
    await http.ask('/hit', { headers: { host: 'x' } });

    const text = await new Promise<string>((resolve, reject) => {
      const socket = connect(http.port, '127.0.0.1').setEncoding('latin1');
      let all = '';
      socket.on('data', (chunk: string) => (all += chunk));
      socket.on('error', reject);
      socket.on('end', () => resolve(all));
      const ask = (path: string, more = ''): string =>
        `GET ${path} HTTP/1.1\r\nHost: x\r\n${more}\r\n`;
      socket.write(
        ask('/slow') + ask('/hit') + ask('/slow') + ask('/hit', 'Connection: close\r\n'),
      );
    });

    expect(text.match(/\b(?:slow|hit)$|(?:slow|hit)(?=HTTP)/g)).to.deep.equal([
      'slow',
      'hit',
      'slow',
      'hit',
    ]);
    expect(text.match(/X-Cache: HIT/g)).to.have.length(2);
  });

  it('answers HTTP/1.0 without a host as the application does', async () => {
    http.app.get('/', marked(), (_req, res) => void res.send('x'));
    const ask = (): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(http.port, '127.0.0.1', () =>
          socket.write('GET / HTTP/1.0\r\n\r\n'),
        );
        let all = '';
        socket.setEncoding('latin1').on('data', (chunk: string) => (all += chunk));
        socket.on('error', reject);
        socket.on('end', () => resolve(all));
      });
    expect(await ask()).to.match(/X-Powered-By[^]*X-Cache: MISS/);
    const hit = await ask();
    expect(hit).to.match(/X-Cache: HIT[^]*\r\n\r\nx$/);
    expect(hit).not.to.include('X-Powered-By');
  });
});

function isInFront({ headers }: Answer): boolean {
  return headers['x-powered-by'] === undefined;
}
