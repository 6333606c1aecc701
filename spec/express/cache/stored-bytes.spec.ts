import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { expect } from 'chai';
import fc from 'fast-check';
import { httpCache } from '#internal/express/http-cache.js';
import { HttpFixture, type Answer } from '../../support/http-fixture.js';

/** Fields that tell of the cache, or of one connection. */
const APART = new Set([
  'age',
  'x-cache',
  'cache-status',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'content-length',
]);

/** Name and value of every field that a client may rely on, in order of their names. */
function fieldsOf({ rawHeaders }: Answer): string[] {
  const fields: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    if (APART.has(rawHeaders[index]!.toLowerCase())) continue;
    fields.push(`${rawHeaders[index]}: ${rawHeaders[index + 1]}`);
  }
  return fields.sort();
}

/** The ways in which a route can write the same response. */
type Way = (
  res: ServerResponse,
  fields: readonly (readonly [string, string])[],
  body: Buffer,
) => void;

const grouped = (fields: readonly (readonly [string, string])[]): [string, string | string[]][] => {
  const groups = new Map<string, string[]>();
  for (const [name, value] of fields) groups.set(name, [...(groups.get(name) ?? []), value]);
  return [...groups].map(([name, values]) => [name, values.length === 1 ? values[0]! : values]);
};

const set: Way = (res, fields) => {
  for (const [name, value] of grouped(fields)) res.setHeader(name, value);
};

const WAYS: Readonly<Record<string, Way>> = {
  'setHeader and end': (res, fields, body) => {
    set(res, fields, body);
    res.end(body);
  },
  'writeHead with an object': (res, fields, body) => {
    res.writeHead(200, Object.fromEntries(grouped(fields)));
    res.end(body);
  },
  'writeHead with a reason and an object': (res, fields, body) => {
    res.writeHead(200, 'Fine', Object.fromEntries(grouped(fields)));
    res.end(body);
  },
  'writeHead with a flat list': (res, fields, body) => {
    res.writeHead(200, fields.flat());
    res.end(body);
  },
  'writeHead with an undefined reason': (res, fields, body) => {
    res.writeHead(200, undefined, Object.fromEntries(grouped(fields)));
    res.end(body);
  },
  'setHeader overridden by writeHead': (res, fields, body) => {
    for (const [name] of fields) res.setHeader(name, 'overridden');
    res.writeHead(200, Object.fromEntries(grouped(fields)));
    res.end(body);
  },
  'writes in pieces': (res, fields, body) => {
    set(res, fields, body);
    for (let at = 0; at < body.length; at += 7) res.write(body.subarray(at, at + 7));
    res.end();
  },
  'a reused buffer': (res, fields, body) => {
    set(res, fields, body);
    const buffer = Buffer.alloc(5);
    const next = (at: number): void => {
      if (at >= body.length) {
        res.end();
        return;
      }
      const size = body.copy(buffer, 0, at, at + 5);
      res.write(buffer.subarray(0, size), () => {
        buffer.fill(0x21);
        next(at + size);
      });
    };
    next(0);
  },
  'a pipe': (res, fields, body) => {
    set(res, fields, body);
    Readable.from([body.subarray(0, 3), body.subarray(3)].filter(({ length }) => length > 0)).pipe(
      res,
    );
  },
  'texts in other encodings': (res, fields, body) => {
    set(res, fields, body);
    const half = Math.floor(body.length / 2);
    res.write(body.subarray(0, half).toString('hex'), 'hex');
    res.end(body.subarray(half).toString('base64'), 'base64');
  },
  'end with a callback': (res, fields, body) => {
    set(res, fields, body);
    res.end(body, () => undefined);
  },
  'an explicit length': (res, fields, body) => {
    set(res, fields, body);
    res.setHeader('Content-Length', body.length);
    res.write(body);
    res.end();
  },
};

describe('httpCache: what is stored is what was written', () => {
  let http: HttpFixture;

  beforeEach(async () => {
    http = await HttpFixture.start();
  });

  afterEach(() => http.stop());

  for (const [name, write] of Object.entries(WAYS)) {
    it(`holds for ${name}`, async () => {
      const name_ = fc
        .stringMatching(/^[A-Z][a-z]{1,6}(-[A-Z][a-z]{1,6})?$/)
        .map((text) => `X-${text}`);
      const value = fc.stringMatching(/^[!-~]([ -~]{0,20}[!-~])?$/);
      let current: { fields: [string, string][]; body: Buffer } | undefined;
      let runs = 0;
      http.app.disable('x-powered-by');
      http.app.get('/:id', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
        runs++;
        write(res, current!.fields, current!.body);
      });
      let id = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(name_, value), { maxLength: 5 }),
          fc.uint8Array({ maxLength: 60 }),
          async (fields, bytes) => {
            // A field's lines stay together, as they do on the wire.
            const sorted = [...fields].sort(([a], [b]) => a.localeCompare(b));
            const lower = new Map(sorted.map(([each]) => [each.toLowerCase(), each]));
            const named = sorted.map(([each, text]): [string, string] => [
              lower.get(each.toLowerCase())!,
              text,
            ]);
            current = { fields: named, body: Buffer.from(bytes) };
            const path = `/${id++}`;
            const before = runs;
            const miss = await http.ask(path);
            const hit = await http.ask(path);
            expect(runs - before).to.equal(1);
            expect(miss.cache).to.equal('MISS');
            expect(hit.cache).to.equal('HIT');
            expect(hit.status).to.equal(miss.status);
            expect(hit.body.equals(current.body)).to.equal(true);
            expect(miss.body.equals(current.body)).to.equal(true);
            const tagged = miss.headers.etag !== undefined;
            const own = fieldsOf(hit).filter((field) => tagged || !field.startsWith('ETag: '));
            expect(own).to.deep.equal(fieldsOf(miss));
            expect(hit.headers.etag).to.match(/^"[\w-]+"$/);
          },
        ),
        { numRuns: 25 },
      );
    });
  }

  it('keeps lines of one field apart', async () => {
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      res.setHeader('Link', ['</a>; rel=x', '</b>; rel=y']);
      res.end('body');
    });

    await http.ask('/');
    const hit = await http.ask('/');

    const lines = hit.rawHeaders.filter((_, index) => hit.rawHeaders[index - 1] === 'Link');
    expect(lines).to.deep.equal(['</a>; rel=x', '</b>; rel=y']);
  });

  it('calls the callbacks of write and end, and fires finish once', async () => {
    const calls: string[] = [];
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      res.on('finish', () => calls.push('finish'));
      res.write('a', () => calls.push('write'));
      res.end('b', 'utf8', () => calls.push('end'));
    });

    await http.ask('/');

    expect(calls.sort()).to.deep.equal(['end', 'finish', 'write']);
  });

  it('stores exactly maxResponseSize bytes, and not one more', async () => {
    const options = {
      manager: http.manager,
      ttl: '1m',
      maxResponseSize: 1000,
      debug: true,
    } as const;
    http.app.get('/:size', httpCache(options), (req, res) => {
      const body = Buffer.alloc(Number(req.params['size']), 'x');
      for (let at = 0; at < body.length; at += 300) res.write(body.subarray(at, at + 300));
      res.end();
    });

    await http.ask('/1000');
    await http.ask('/1001');

    expect((await http.ask('/1000')).cache).to.equal('HIT');
    const over = await http.ask('/1001');
    expect(over.cache).to.equal('MISS');
    expect(over.body.length).to.equal(1001);
  });

  it('says SKIP where the length is announced to be too large', async () => {
    const options = { manager: http.manager, ttl: '1m', maxResponseSize: 10, debug: true } as const;
    http.app.get('/', httpCache(options), (_req, res) => {
      res.setHeader('Content-Length', 11);
      res.end('hello world');
    });

    const answer = await http.ask('/');

    expect([answer.cache, answer.reason, answer.text]).to.deep.equal([
      'SKIP',
      'too-large',
      'hello world',
    ]);
  });

  it('passes 50 MiB on as they are, without collecting them', async function () {
    this.timeout(60_000);
    const chunk = Buffer.alloc(64 * 1024, 'y');
    const hash = createHash('sha256');
    for (let index = 0; index < 800; index++) hash.update(chunk);
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      Readable.from(
        (function* () {
          for (let index = 0; index < 800; index++) yield chunk;
        })(),
      ).pipe(res);
    });

    const answer = await http.ask('/');

    expect(createHash('sha256').update(answer.body).digest('hex')).to.equal(hash.digest('hex'));
    expect(http.manager.cache('http').statistics().sets).to.equal(0);
  });

  it('keeps no entry of a response that sends another length than it said', async () => {
    let runs = 0;
    http.app.get('/', httpCache({ manager: http.manager, ttl: '1m' }), (_req, res) => {
      runs++;
      res.setHeader('Content-Length', 10);
      res.write('short');
      res.destroy();
    });

    await http.ask('/').catch(() => undefined);
    await http.ask('/').catch(() => undefined);

    expect(runs).to.equal(2);
  });
});
