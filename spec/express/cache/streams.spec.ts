import { connect, type Socket } from 'node:net';
import { expect } from 'chai';
import type { Response } from 'express';
import { bufferedBytes } from '#internal/express/buffer-budget.js';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture } from '../../support/http-fixture.js';
import { until } from '../../support/until.js';

describe('httpCache: streams, limits and broken responses', () => {
  let http: HttpFixture;
  let sockets: Socket[];

  beforeEach(async () => {
    http = await HttpFixture.start();
    sockets = [];
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    await http.stop();
    expect(bufferedBytes(), 'bytes left in the common budget').to.equal(0);
  });

  /** A client that shows what has arrived so far. */
  function open(path: string): { received(): string; socket: Socket } {
    const socket = connect(http.port, '127.0.0.1');
    sockets.push(socket);
    let text = '';
    socket.on('data', (data) => (text += data.toString()));
    socket.on('error', () => undefined);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${http.port}\r\n\r\n`);
    return { received: () => text, socket };
  }

  it('does not hold an event stream back', async () => {
    let stream: Response | undefined;
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      stream = res;
      res.set('Content-Type', 'text/event-stream');
      res.flushHeaders();
    });
    const { received } = open('/');
    await until('the head is there', () => received().includes('text/event-stream'));
    expect(received()).to.include('X-Cache: SKIP');
    stream!.write('data: 1\n\n');
    await until('the event is there', () => received().includes('data: 1'));
    stream!.end();
  });

  it('sends a flushed head at once, and does not store what follows', async () => {
    let runs = 0;
    let stream: Response | undefined;
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      runs++;
      stream = res;
      res.flushHeaders();
    });
    const { received } = open('/');
    await until('the head is there', () => received().includes('\r\n\r\n'));
    stream!.end('x');
    const second = http.ask('/');
    await until('the handler runs again', () => runs === 2);
    stream!.end('y');
    expect((await second).text).to.equal('y');
  });

  it('hands interim responses on', async () => {
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      res.writeProcessing();
      res.writeEarlyHints({ link: '</x.css>; rel=preload' });
      res.send('x');
    });
    const { received } = open('/');
    await until('all is there', () => received().endsWith('\r\n\r\nx'));

    expect(received()).to.match(/^HTTP\/1\.1 102 /);
    expect(received()).to.include('HTTP/1.1 103 Early Hints');
    expect(received()).to.include('X-Cache: MISS');
    expect((await http.ask('/')).cache).to.equal('HIT');
  });

  it('keeps the back-pressure of the connection', async () => {
    const chunk = Buffer.alloc(256 * 1024, 'x');
    let refused = 0;
    let drained = 0;
    let end: (() => void) | undefined;
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      const write = (): void => {
        while (res.write(chunk)) if (refused > 3) break;
        refused++;
        if (refused > 3) end = () => res.end();
        else
          res.once('drain', () => {
            drained++;
            write();
          });
      };
      write();
    });
    const { socket } = open('/');
    socket.pause();
    await until('a write was refused', () => refused > 0);
    socket.resume();
    await until('all is written', () => end !== undefined);
    end!();
    expect(drained).to.equal(3);
  });

  for (const [what, write] of [
    [
      'longer',
      (res: Response): void => void res.writeHead(200, { 'Content-Length': '2' }).write('abc'),
    ],
    [
      'shorter',
      (res: Response): void => void res.writeHead(200, { 'Content-Length': '9' }).write('abc'),
    ],
  ] as const) {
    it(`does not store a body ${what} than its Content-Length`, async () => {
      let runs = 0;
      http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
        runs++;
        write(res);
        res.end();
      });
      const first = open('/');
      await until('it ran', () => runs === 1);
      await until('something is there', () => first.received() !== '');
      open('/');
      await until('it ran again', () => runs === 2);
      expect(http.manager.cache('http').statistics().sets).to.equal(0);
    });
  }

  it('does not store the response to a client who has gone, even if it ends later', async () => {
    let runs = 0;
    let last: Response | undefined;
    let closed = 0;
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      runs++;
      last = res;
      res.write('half ');
      res.once('close', () => void closed++);
    });
    const { socket, received } = open('/');
    await until('the first half is there', () => received().includes('half'));
    socket.destroy();
    await until('the server knows', () => closed === 1);
    last!.end('cut short');

    const second = http.ask('/');
    await until('it runs again', () => runs === 2);
    last!.end('whole');
    expect((await second).text).to.equal('half whole');
    expect((await http.ask('/')).text).to.equal('half whole');
  });

  it('collects no more at a time than maxBufferedBytes, over all requests', async () => {
    const size = 9 * 1024;
    const writing: Response[] = [];
    const options = { manager: http.manager, ttl: '1m', maxBufferedBytes: 10 * size } as const;
    http.app.get('/:id', httpCache(options), (_req, res) => {
      writing.push(res);
    });
    let most = 0;

    const asked = Array.from({ length: 100 }, (_, index) => http.ask(`/${index}`));
    await until('all run', () => writing.length === 100);
    for (const res of writing) {
      res.write(Buffer.alloc(size, 'x'));
      most = Math.max(most, bufferedBytes());
    }
    for (const res of writing) res.end();
    const answers = await Promise.all(asked);

    expect(answers.every(({ body }) => body.length === size)).to.equal(true);
    expect(most).to.equal(10 * size);
    expect(http.manager.cache('http').statistics().sets).to.equal(10);
  });

  it('lets a held response go when it is too large, without a byte lost', async () => {
    const options = { manager: http.manager, ttl: '1m', maxResponseSize: 1000 } as const;
    http.app.get('/', httpCache(options), (_req, res) => {
      for (let index = 0; index < 10; index++) res.write(String(index).repeat(300));
      res.end('!');
    });

    const answer = await http.ask('/', { headers: { range: 'bytes=0-9' } });

    expect(answer.status).to.equal(200);
    expect(answer.text).to.equal(`${'0123456789'.replace(/./g, (digit) => digit.repeat(300))}!`);
  });

  it('ends a response that the handler destroys, and frees the next request', async () => {
    let runs = 0;
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      if (++runs === 1) {
        res.write('x');
        res.destroy();
      } else res.send('y');
    });

    expect(await http.ask('/').catch(() => 'broken')).to.equal('broken');
    expect((await http.ask('/')).text).to.equal('y');
  });
});
