import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import express, { type ErrorRequestHandler, type Request, type Response } from 'express';
import { CacheManager, InvalidOptionError, MemoryBackend } from 'cachewell';
import { FaultyBackend } from 'cachewell/testing';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { httpInvalidation, noInvalidation } from '#internal/express/http-invalidation.js';
import type { HttpInvalidationOptions } from '#internal/express/http-invalidation-options.js';
import { exchange, listening, type Listening } from '../../support/http-listener.js';
import { until } from '../../support/until.js';

interface Subject extends AsyncDisposable {
  readonly manager: CacheManager;
  readonly backend: FaultyBackend;
  readonly app: express.Express;
  readonly server: Listening;
  /** The tags of each invalidation, in order. */
  readonly dropped: (readonly string[])[];
  readonly errors: string[];
  send(method: string, path: string, fields?: string): Promise<string>;
}

type Options = HttpInvalidationOptions<Request, Response>;

async function subject(options: Options = {}, route: Options = {}): Promise<Subject> {
  const backend = new FaultyBackend(new MemoryBackend());
  const manager = new CacheManager({ backend, logger: silentLogger });
  const dropped: (readonly string[])[] = [];
  const errors: string[] = [];
  manager.on('invalidate', (event) => {
    if (event.scope === 'tags') dropped.push(event.tags);
  });
  manager.on('error', ({ error }) => errors.push(error.message));
  const app = express();
  app.set('env', 'test');
  app.use(httpInvalidation({ manager, ...options }));
  app.use('/routed', httpInvalidation(route));
  app.use('/quiet', noInvalidation());
  app.all('/status/:status', (req, res) => void res.status(Number(req.params.status)).end());
  app.all('/throws', () => {
    throw new Error('broken');
  });
  const server = await listening(app);
  return {
    manager,
    backend,
    app,
    server,
    dropped,
    errors,
    send: (method, path, fields = '') =>
      exchange(
        server.port,
        `${method} ${path} HTTP/1.1\r\nHost: api.example.com\r\nConnection: close\r\n${fields}\r\n`,
      ),
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await manager.close();
    },
  };
}

describe('httpInvalidation', () => {
  describe('acts on', () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH', 'MKCOL', 'PURGE', 'LOCK']) {
      it(`a successful ${method}`, async () => {
        await using s = await subject();
        await s.send(method, '/status/200');
        expect(s.dropped).to.deep.equal([['http:at:/status', 'http:under:/status/200']]);
      });
    }

    for (const status of [200, 201, 202, 204, 206, 299, 301, 303, 304, 308, 399]) {
      it(`a ${status}`, async () => {
        await using s = await subject();
        await s.send('POST', `/status/${status}`);
        expect(s.dropped).to.have.length(1);
      });
    }
  });

  describe('leaves alone', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'REPORT', 'SEARCH']) {
      it(`a ${method}`, async () => {
        await using s = await subject();
        await s.send(method, '/status/200');
        expect(s.dropped).to.deep.equal([]);
      });
    }

    for (const status of [400, 401, 404, 409, 412, 429, 500, 503, 599]) {
      it(`a ${status}`, async () => {
        await using s = await subject();
        await s.send('PUT', `/status/${status}`);
        expect(s.dropped).to.deep.equal([]);
      });
    }

    it('a write that throws or is not found', async () => {
      await using s = await subject();
      expect(await s.send('POST', '/throws')).to.match(/^HTTP\/1.1 500/);
      expect(await s.send('POST', '/none')).to.match(/^HTTP\/1.1 404/);
      expect(s.dropped).to.deep.equal([]);
    });

    it('a write that never begins to answer', async () => {
      await using s = await subject();
      s.app.post('/hangs', () => undefined);
      const socket = connect(s.server.port, '127.0.0.1');
      socket.write('POST /hangs HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
      const [, res] = (await once(s.server.server, 'request')) as [unknown, Response];
      socket.destroy();
      await once(res, 'close');
      await turn();
      expect(s.dropped).to.deep.equal([]);
    });

    it('whatever a route takes out', async () => {
      await using s = await subject();
      s.app.post('/quiet/a', (_req, res) => void res.end());
      await s.send('POST', '/quiet/a');
      expect(s.dropped).to.deep.equal([]);
    });

    it('what its condition refuses', async () => {
      await using s = await subject({ condition: (req) => req.query['keep'] === undefined });
      await s.send('POST', '/status/200?keep');
      expect(s.dropped).to.deep.equal([]);
      await s.send('POST', '/status/200');
      expect(s.dropped).to.have.length(1);
    });
  });

  it('invalidates after a write whose client has hung up, when the handler ends it', async () => {
    await using s = await subject();
    let answer = (): void => undefined;
    s.app.put('/slow', (_req, res) => void (answer = () => void res.json({ done: true })));
    const socket = connect(s.server.port, '127.0.0.1');
    socket.write('PUT /slow HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n');
    const [, res] = (await once(s.server.server, 'request')) as [unknown, Response];
    socket.destroy();
    await once(res, 'close');
    answer();
    await turn();
    expect(s.dropped).to.deep.equal([['http:under:/slow']]);
  });

  describe('reaches', () => {
    const item = '/spaces/1/items/2';
    const scopes = {
      ancestors: [
        'http:at:/spaces',
        'http:at:/spaces/1',
        'http:at:/spaces/1/items',
        `http:under:${item}`,
      ],
      hierarchy: ['http:under:/spaces'],
      exact: [`http:under:${item}`],
    } as const;
    for (const scope of ['ancestors', 'hierarchy', 'exact'] as const) {
      it(`what its scope '${scope}' says`, async () => {
        await using s = await subject({ scope });
        s.app.patch(item, (_req, res) => void res.end());
        await s.send('PATCH', `${item}?x=1`);
        expect(s.dropped).to.deep.equal([scopes[scope]]);
      });
    }

    it('nothing above the base path', async () => {
      await using s = await subject({ basePath: '/api/v1' });
      s.app.patch('/api/v1/a/2', (_req, res) => void res.end());
      await s.send('PATCH', '/api/v1/a/2');
      expect(s.dropped).to.deep.equal([['http:at:/api/v1/a', 'http:under:/api/v1/a/2']]);
    });

    it('the whole path of a route in a mounted router, also as it was rewritten', async () => {
      await using s = await subject();
      const router = express.Router();
      router.put('/items/:id', (_req, res) => void res.end());
      s.app.use('/api', router);
      s.app.use((req, _res, next) => {
        if (req.url.startsWith('/old/')) req.url = req.url.replace('/old/', '/api/');
        next();
      }, router);
      await s.send('PUT', '/api/items/1');
      expect(s.dropped.at(-1)).to.deep.equal([
        'http:at:/api',
        'http:at:/api/items',
        'http:under:/api/items/1',
      ]);
      s.app.use('/api', router);
      await s.send('PUT', '/old/items/1');
      expect(s.dropped.at(-1)).to.include.members([
        'http:under:/api/items/1',
        'http:under:/old/items/1',
      ]);
    });

    const references: readonly (readonly [
      field: string,
      value: string,
      reached: string | undefined,
    ])[] = [
      ['Location', '/things/7', '/things/7'],
      ['Location', '7', '/status/new/7'],
      ['Location', '../../things/7?x#y', '/things/7'],
      ['Location', 'http://api.example.com/things/7', '/things/7'],
      ['Location', 'https://API.example.com/things/7', '/things/7'],
      ['Location', '//api.example.com/things/7', '/things/7'],
      ['Location', 'http://api.example.com:80/things/7', '/things/7'],
      ['Location', 'https://public.example.com/things/7', '/things/7'],
      ['Content-Location', '/things/7', '/things/7'],
      ['Location', 'http://api.example.com:8080/things/7', undefined],
      ['Location', 'http://evil.example.com/things/7', undefined],
      ['Location', '//evil.example.com/things/7', undefined],
      ['Location', 'http://api.example.com@evil.example.com/things/7', undefined],
      ['Location', 'mailto:a@b', undefined],
      ['Location', 'http://[', undefined],
      ['Content-Location', 'https://evil.example.com/things/7', undefined],
    ];
    const forms = ['setHeader', 'object', 'flat', 'pairs'] as const;
    for (const [field, value, reached] of references) {
      it(`${reached ?? 'no further path'} by ${field}: ${value}, however it is set`, async () => {
        for (const form of forms) {
          await using s = await subject({ origin: 'https://public.example.com' });
          s.app.disable('x-powered-by');
          s.app.post('/status/new/x', (_req, res) => {
            if (form === 'setHeader') res.setHeader(field, value);
            const fields = {
              object: { [field]: value },
              flat: [field, value],
              pairs: [[field, value]],
            };
            if (form === 'setHeader') res.writeHead(201);
            else res.writeHead(201, fields[form] as string[]);
            res.end();
          });
          await s.send('POST', '/status/new/x');
          const own = ['http:at:/status', 'http:at:/status/new', 'http:under:/status/new/x'];
          const more = s.dropped.flat().filter((tag) => !own.includes(tag));
          expect(s.dropped, form).to.have.length(1);
          if (reached === undefined) expect(more, form).to.deep.equal([]);
          else expect(more, form).to.include(`http:under:${reached}`);
        }
      });
    }

    it('declared tags, related paths and groups, with its path in one call, each once', async () => {
      await using s = await subject(
        { tags: ['users'], relates: ['/reports/1'] },
        {
          tags: (req) => [`user:${String(req.params['id'])}`, 'users'],
          relates: () => ['/reports/1', '/feed'],
        },
      );
      s.app.put('/routed/:id', (_req, res) => {
        res.setHeader('Cache-Group-Invalidation', '"feeds", "users"');
        res.end();
      });
      await s.send('PUT', '/routed/7');
      expect(s.dropped).to.deep.equal([
        [
          'feeds',
          'http:at:/reports',
          'http:at:/routed',
          'http:under:/feed',
          'http:under:/reports/1',
          'http:under:/routed/7',
          'user:7',
          'users',
        ],
      ]);
      expect(s.backend.calls('invalidateTags')).to.equal(1);
    });

    it('what a later middleware narrows', async () => {
      await using s = await subject({ scope: 'hierarchy' }, { scope: 'exact' });
      s.app.put('/routed/7', (_req, res) => void res.end());
      await s.send('PUT', '/routed/7');
      expect(s.dropped).to.deep.equal([['http:under:/routed/7']]);
    });

    it('results of decorated methods and values of caches by their tags', async () => {
      await using s = await subject({ tags: ['users'] });
      const users = s.manager.cache('users');
      await users.set('ada', 1, { tags: ['users'] });
      await s.send('POST', '/status/200');
      expect(await users.get('ada')).to.equal(undefined);
    });
  });

  describe('with callbacks that fail', () => {
    it('invalidates the rest, and tells', async () => {
      const fail = (): never => {
        throw new Error('no tags today');
      };
      await using s = await subject(
        { tags: fail, relates: fail, condition: fail },
        { tags: ['a'] },
      );
      s.app.put('/routed', (_req, res) => void res.end());
      expect(await s.send('PUT', '/routed')).to.match(/^HTTP\/1.1 200/);
      expect(s.dropped).to.deep.equal([['a', 'http:under:/routed']]);
      expect(s.errors).to.have.length(3);
      for (const message of s.errors) expect(message).to.include('no tags today');
    });

    it('refuses lists that are none', async () => {
      const bad = (() => [1, '']) as unknown as () => string[];
      await using s = await subject({ tags: bad, relates: bad });
      await s.send('POST', '/status/200');
      expect(s.dropped).to.deep.equal([['http:at:/status', 'http:under:/status/200']]);
      expect(s.errors).to.have.length(2);
    });
  });

  describe('holds', () => {
    it('the response until the store has acknowledged', async () => {
      await using s = await subject();
      const held = s.backend.hold('invalidateTags');
      let isThere = false;
      const answer = s.send('POST', '/status/201').then((bytes) => {
        isThere = true;
        return bytes;
      });
      await held.arrived();
      // Whatever the server had sent would be here before the answer to a request that came later.
      await s.send('GET', '/status/200');
      expect(isThere).to.equal(false);
      held.release();
      expect(await answer).to.match(/^HTTP\/1.1 201/);
    });

    it('the head of a response in parts, and its last byte again', async () => {
      await using s = await subject();
      let end = (): void => undefined;
      s.app.post('/parts', (_req, res) => {
        res.write('first');
        end = () => void res.end('last');
      });
      const heads = s.backend.hold('invalidateTags');
      const socket = connect(s.server.port, '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.write(
        'POST /parts HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
      );
      await heads.arrived();
      await s.send('GET', '/status/200');
      expect(received).to.equal('');
      heads.release();
      await until('the first part', () => received.includes('first'));
      const ends = s.backend.hold('invalidateTags');
      end();
      await ends.arrived();
      await s.send('GET', '/status/200');
      expect(received).not.to.include('last');
      ends.release();
      await once(socket, 'close');
      expect(received).to.match(/last\r\n0\r\n\r\n$/);
      expect(s.dropped).to.have.length(2);
    });

    it('the byte that completes a declared length', async () => {
      await using s = await subject();
      let more = (): void => undefined;
      s.app.post('/parts', (_req, res) => {
        res.writeHead(200, { 'content-length': '8' });
        res.write('héad'); // 5 bytes
        more = () => void res.write(Buffer.from('end'), () => res.end());
      });
      const socket = connect(s.server.port, '127.0.0.1');
      let received = '';
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.write('POST /parts HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n');
      await until('the first part', () => received.endsWith('héad'));
      const held = s.backend.hold('invalidateTags');
      more();
      await held.arrived();
      await s.send('GET', '/status/200');
      expect(received).to.match(/héad$/);
      held.release();
      await once(socket, 'close');
      expect(received).to.match(/héadend$/);
      expect(s.dropped).to.have.length(2);
    });

    it('nothing once the time is up', async () => {
      class Hanging extends FaultyBackend {
        override get callTimeoutMs(): number {
          return 20;
        }
      }
      const backend = new Hanging(new MemoryBackend());
      const held = backend.hold('invalidateTags');
      await using manager = new CacheManager({ backend, logger: silentLogger });
      await using s = await subject({ manager });
      expect(await s.send('POST', '/status/200')).to.match(/^HTTP\/1.1 200/);
      held.release();
    });

    it('nothing when the store fails, and the write succeeds', async () => {
      for (const onError of ['bypass', 'throw'] as const) {
        const backend = new FaultyBackend(new MemoryBackend());
        await using manager = new CacheManager({ backend, logger: silentLogger, onError });
        let errors = 0;
        manager.on('error', () => errors++);
        backend.fail('invalidateTags');
        await using s = await subject({ manager });
        expect(await s.send('POST', '/status/200')).to.match(/^HTTP\/1.1 200/);
        expect(errors).to.equal(1);
      }
    });

    it("nothing with invalidateTiming 'after', and invalidates when the response has ended", async () => {
      await using s = await subject({ invalidateTiming: 'after' });
      const held = s.backend.hold('invalidateTags');
      expect(await s.send('POST', '/status/200')).to.match(/^HTTP\/1.1 200/);
      await held.arrived();
      held.release();
      await until('the invalidation', () => s.dropped.length === 1);
      await s.send('POST', '/status/500');
      await s.send('GET', '/status/200');
      expect(s.dropped).to.have.length(1);
    });
  });

  it('invalidates again when a response in parts breaks off', async () => {
    await using s = await subject();
    let breakOff = (): void => undefined;
    s.app.post('/parts', (_req, res) => {
      res.write('first');
      breakOff = () => void res.destroy();
    });
    const answer = s.send('POST', '/parts').catch(() => undefined);
    await until('the head', () => s.dropped.length === 1);
    breakOff();
    await answer;
    await until('the second invalidation', () => s.dropped.length === 2);
  });

  it('does not wait for the transaction that the handler answers in', async () => {
    await using s = await subject();
    s.app.post('/transaction', async (_req, res) => {
      await s.manager.transaction(async () => {
        res.json({});
        await turn();
        expect(s.dropped).to.have.length(0);
      });
    });
    expect(await s.send('POST', '/transaction')).to.match(/^HTTP\/1.1 200/);
    await until('the commit', () => s.dropped.length === 1);
  });

  it('uses the manager of the container when none is given', async () => {
    const app = express();
    app.use(httpInvalidation());
    app.post('/', (_req, res) => void res.end('x'));
    await using server = await listening(app);
    expect((await fetch(server.origin, { method: 'POST' })).status).to.equal(200);
  });

  it('fails a write at once when there is no manager, before its handler runs', async () => {
    const app = express();
    app.set('env', 'test');
    let runs = 0;
    const manager = (() => 'none') as unknown as () => CacheManager;
    app.use(httpInvalidation({ manager }));
    app.all('/', (_req, res) => void res.send(String(++runs)));
    app.use(
      ((_error, _req, res, _next) => void res.status(200).send('handled')) as ErrorRequestHandler,
    );
    await using server = await listening(app);
    expect(await (await fetch(server.origin, { method: 'POST' })).text()).to.equal('handled');
    expect(await (await fetch(server.origin)).text()).to.equal('1');
  });

  describe('refuses', () => {
    const wrong: readonly (readonly [options: object, option: string])[] = [
      [{ scop: 'exact' }, 'httpInvalidation.scop'],
      [{ scope: 'all' }, 'httpInvalidation.scope'],
      [{ basePath: 'api' }, 'httpInvalidation.basePath'],
      [{ basePath: 1 }, 'httpInvalidation.basePath'],
      [{ tags: 'a' }, 'httpInvalidation.tags'],
      [{ tags: [1] }, 'httpInvalidation.tags'],
      [{ relates: '/a' }, 'httpInvalidation.relates'],
      [{ relates: ['/a', 'b'] }, 'httpInvalidation.relates[1]'],
      [{ invalidateTiming: 'later' }, 'httpInvalidation.invalidateTiming'],
      [{ condition: true }, 'httpInvalidation.condition'],
      [{ origin: 'api.example.com' }, 'httpInvalidation.origin'],
      [{ origin: 'https://api.example.com/x' }, 'httpInvalidation.origin'],
      [{ origin: 'ftp://api.example.com' }, 'httpInvalidation.origin'],
    ];
    for (const [options, option] of wrong) {
      it(JSON.stringify(options), () => {
        expect(() => httpInvalidation(options))
          .to.throw(InvalidOptionError)
          .with.property('option', option);
      });
    }

    it('options that are none', () => {
      expect(() => httpInvalidation('exact' as never)).to.throw(InvalidOptionError);
    });
  });
});
