import { setImmediate as turn } from 'node:timers/promises';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import compression from 'compression';
import { expect } from 'chai';
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response,
} from 'express';
import { CacheManager, MemoryBackend } from 'cachewell';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { httpInvalidation } from '#internal/express/http-invalidation.js';
import { exchange, listening } from '../../support/http-listener.js';
import { LateTags } from '../../support/late-tags.js';

const BIG = 'b'.repeat(400_000);

/** Every way in which a handler may answer, and what it saw of its response on the way. */
const HANDLERS: Readonly<Record<string, (req: Request, res: Response, seen: unknown[]) => void>> = {
  json: (_req, res) => void res.status(201).json({ a: 1 }),
  text: (_req, res) => void res.send('text'),
  buffer: (_req, res) => void res.send(Buffer.from([1, 2, 3])),
  'send with a callback': (_req, res, seen) => {
    res.end('x', () => seen.push('ended'));
  },
  'end with nothing': (_req, res) => void res.end(),
  'end with a callback alone': (_req, res, seen) => void res.end(() => seen.push('ended')),
  'end with an encoding': (_req, res) => void res.end('YWJj', 'base64'),
  204: (_req, res) => void res.sendStatus(204),
  304: (_req, res) => void res.status(304).end(),
  redirect: (_req, res) => void res.redirect(303, '/items/1'),
  'writeHead with an object': (_req, res) => {
    res.removeHeader('x-powered-by');
    res.writeHead(201, { 'Content-Type': 'text/plain', Location: '/items/2' }).end('x');
  },
  'writeHead with a message': (_req, res) => {
    res.writeHead(202, 'Taken', { 'X-A': '1' });
    res.end('x');
  },
  'writeHead with a flat list': (_req, res) => {
    res.writeHead(201, ['X-A', '1', 'X-B', '2']).end('x');
  },
  'writeHead, then end in a later turn': (_req, res, seen) => {
    res.writeHead(200, { 'Content-Length': '1' });
    seen.push(res.headersSent);
    setImmediate(() => res.end('x'));
  },
  'fields as lists': (_req, res) => {
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    res.end('x');
  },
  chunks: (_req, res, seen) => {
    res.write('a', () => seen.push('a is out'));
    seen.push(res.headersSent, res.writableEnded);
    res.write(Buffer.from('b'));
    res.write('c', 'utf8');
    res.end('d');
    seen.push(res.writableEnded);
  },
  'chunks over several turns': (_req, res) => {
    let left = 20;
    const next = (): void => {
      if (left-- === 0) return void res.end();
      res.write(`chunk ${left};`);
      setImmediate(next);
    };
    next();
  },
  'chunks of a declared length': (_req, res) => {
    res.setHeader('Content-Length', 6);
    res.write('abc');
    setImmediate(() => {
      res.write('def');
      res.end();
    });
  },
  'flushed head': (_req, res, seen) => {
    res.flushHeaders();
    seen.push(res.headersSent);
    setImmediate(() => res.end('x'));
  },
  trailers: (req, res) => {
    if (req.httpVersion === '1.1') res.setHeader('Trailer', 'X-Sum');
    res.write('a');
    res.addTrailers({ 'X-Sum': '1' });
    res.end();
  },
  pipe: (_req, res) => void Readable.from(['a', 'b', 'c']).pipe(res),
  'a long pipe': (_req, res) => {
    Readable.from(
      (function* () {
        for (let index = 0; index < 20; index++) yield Buffer.alloc(50_000, index);
      })(),
    ).pipe(res);
  },
  'one large body': (_req, res) => void res.send(BIG),
  'many large chunks with back-pressure': (_req, res, seen) => {
    let left = 12;
    const next = (): void => {
      while (left-- > 0) {
        if (!res.write(Buffer.alloc(100_000, left))) return void res.once('drain', next);
      }
      seen.push('drained');
      res.end();
    };
    next();
  },
  'corked chunks': (_req, res) => {
    res.cork();
    res.write('a');
    res.write('b');
    res.uncork();
    res.end('c');
  },
  'a second answer': (_req, res, seen) => {
    res.send('first');
    try {
      res.status(500).send('second');
    } catch (error) {
      seen.push((error as NodeJS.ErrnoException).code);
    }
  },
  'write after end': (_req, res, seen) => {
    res.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code));
    res.end('x');
    res.write('y');
  },
  'a bad status': (_req, res, seen) => {
    try {
      res.writeHead(99);
    } catch (error) {
      seen.push((error as NodeJS.ErrnoException).code);
    }
    res.end('x');
  },
  'a bad chunk': (_req, res, seen) => {
    try {
      res.end(5 as unknown as string);
    } catch (error) {
      seen.push((error as NodeJS.ErrnoException).code);
    }
    if (!res.writableEnded) res.end('x');
  },
  'an error': () => {
    throw new Error('broken');
  },
  'not found': (_req, res) => void res.sendStatus(404),
  'early hints': (_req, res) => {
    res.writeEarlyHints({ link: '</a.css>; rel=preload' }, () => res.end('x'));
  },
  'a file': (_req, res) => {
    res.sendFile(new URL(import.meta.url).pathname, { lastModified: false, etag: false });
  },
};

type Layers = (app: express.Express, invalidation: RequestHandler) => void;

const LAYERS: Readonly<Record<string, Layers>> = {
  alone: (app, invalidation) => void app.use(invalidation),
  'inside compression': (app, invalidation) =>
    void app.use(compression({ threshold: 0 }), invalidation),
  'outside compression': (app, invalidation) =>
    void app.use(invalidation, compression({ threshold: 0 })),
};

function application(
  seen: unknown[],
  layers: Layers,
  invalidation: RequestHandler,
): express.Express {
  const app = express();
  layers(app, invalidation);
  app.use((req: Request, res: Response, next: NextFunction) => {
    res.on('finish', () => seen.push('finish'));
    res.on('close', () => seen.push('close'));
    next();
  });
  for (const [index, handler] of Object.values(HANDLERS).entries()) {
    app.all(`/${index}`, (req, res) => handler(req, res, seen));
  }
  app.use((error: Error, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) return next(error);
    res.status(500).send(error.message);
  });
  app.set('env', 'test');
  return app;
}

/** A held response finishes later than others, so an error that a handler makes after `end` may come before. */
function finishingLast(seen: readonly unknown[]): readonly unknown[] {
  const finished = seen.filter((each) => each === 'finish');
  return [...seen.filter((each) => each !== 'finish'), ...finished];
}

function withoutDate(bytes: string): string {
  return bytes.replaceAll(/^Date: .*\r\n/gm, '');
}

describe('Responses of writes', () => {
  async function withManager<Result>(
    run: (invalidation: RequestHandler) => Promise<Result>,
  ): Promise<Result> {
    const backend = new LateTags(new MemoryBackend());
    await using manager = new CacheManager({ backend, logger: silentLogger });
    return await run(httpInvalidation({ manager }));
  }

  const none: RequestHandler = (_req, _res, next) => next();

  async function answer(
    layers: Layers,
    index: number,
    invalidation: RequestHandler,
    request: (path: string) => string,
  ): Promise<{ bytes: string; seen: unknown[] }> {
    const seen: unknown[] = [];
    await using server = await listening(application(seen, layers, invalidation));
    const bytes = withoutDate(await exchange(server.port, request(`/${index}`)));
    while (!seen.includes('close')) await turn();
    return { bytes, seen };
  }

  const requests: Readonly<Record<string, (path: string) => string>> = {
    'HTTP/1.1': (path) =>
      `POST ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab`,
    'HTTP/1.0': (path) => `DELETE ${path} HTTP/1.0\r\n\r\n`,
    gzip: (path) =>
      `PUT ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAccept-Encoding: gzip\r\nContent-Length: 0\r\n\r\n`,
    'Expect: 100-continue': (path) =>
      `PATCH ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\nab`,
  };

  for (const [where, layers] of Object.entries(LAYERS)) {
    describe(`with httpInvalidation ${where}`, () => {
      for (const [index, name] of Object.keys(HANDLERS).entries()) {
        it(`are the same, and so is what the handler sees: ${name}`, async () => {
          await withManager(async (invalidation) => {
            for (const [kind, request] of Object.entries(requests)) {
              const plain = await answer(layers, index, none, request);
              const held = await answer(layers, index, invalidation, request);
              expect(
                held.bytes === plain.bytes,
                `${kind}:\n${held.bytes.slice(0, 400)}\n---\n${plain.bytes.slice(0, 400)}`,
              ).to.equal(true);
              expect(finishingLast(held.seen), kind).to.deep.equal(finishingLast(plain.seen));
            }
          });
        });
      }
    });
  }

  it('keep their order on a connection, pipelined with reads', async () => {
    await withManager(async (invalidation) => {
      const indexes = Object.keys(HANDLERS).flatMap((name, index) =>
        /error|second|after end/.test(name) ? [] : [index],
      );
      const parts = indexes.flatMap((index) => [
        `POST /${index} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`,
        `GET /0 HTTP/1.1\r\nHost: h\r\n\r\n`,
      ]);
      const request = `${parts.join('')}GET /404 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`;
      const answers = await Promise.all(
        [none, invalidation].map(async (middleware) => {
          await using server = await listening(application([], LAYERS['alone']!, middleware));
          return withoutDate(await exchange(server.port, request));
        }),
      );
      expect(answers[1]!.length).to.equal(answers[0]!.length);
      expect(answers[1] === answers[0]).to.equal(true);
    });
  });

  it('reach a client that stays on its connection', async () => {
    await withManager(async (invalidation) => {
      await using server = await listening(application([], LAYERS['alone']!, invalidation));
      const json = Object.keys(HANDLERS).indexOf('json');
      for (let round = 0; round < 50; round++) {
        const response = await fetch(`${server.origin}/${json}`, { method: 'POST' });
        expect(await response.json()).to.deep.equal({ a: 1 });
      }
    });
  });

  it('are sent although the handler throws afterwards, when the store answers at once', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const app = express();
    app.set('env', 'test');
    app.use(httpInvalidation({ manager }));
    app.post('/', (_req, res) => {
      res.send('done');
      throw new Error('late');
    });
    await using server = await listening(app);
    const bytes = await exchange(server.port, 'POST / HTTP/1.1\r\nHost: h\r\n\r\n');
    expect(bytes).to.match(/^HTTP\/1\.1 200 OK[^]*done$/);
  });

  it('are let go when their client has hung up', async () => {
    await withManager(async (invalidation) => {
      const seen: unknown[] = [];
      await using server = await listening(application(seen, LAYERS['alone']!, invalidation));
      const index = Object.keys(HANDLERS).indexOf('one large body');
      const socket = connect(server.port, '127.0.0.1');
      socket.write(`POST /${index} HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n`);
      await once(server.server, 'request');
      socket.destroy();
      while (!seen.includes('close')) await turn();
    });
  });

  it('can be destroyed and given a timeout while they are held', async () => {
    await withManager(async (invalidation) => {
      const timeouts: number[] = [];
      const handler = (req: IncomingMessage, res: ServerResponse): void => {
        invalidation(req as Request, res as Response, () => undefined);
        res.writeHead(200);
        res.setTimeout(12_345);
        res.on('socket', (socket) => timeouts.push(socket.timeout ?? 0));
        res.write('x');
        if (req.url === '/destroy') res.destroy();
        else res.end();
      };
      await using server = await listening(handler);
      const request = (path: string): string =>
        `POST ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`;
      expect(await exchange(server.port, request('/destroy'))).to.equal('');
      expect(await exchange(server.port, request('/'))).to.include('HTTP/1.1 200');
      expect(timeouts).to.deep.equal([12_345, 12_345]);
    });
  });
});
