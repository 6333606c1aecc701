import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import { MAX_PREVIEW_LENGTH, previewValue } from '#internal/express/admin/value-preview.js';
import { ValuePrinter } from '#internal/express/admin/value-printer.js';
import { approximateSize } from '#internal/express/admin/value-size.js';

/** Values that would do harm if anything of them were called. */
function armed(): { value: object; fired: () => number } {
  let fired = 0;
  const fire = (): never => {
    fired++;
    throw new Error('it was called');
  };
  const value = {
    get accessor() {
      return fire();
    },
    toJSON: fire,
    toString: fire,
    [Symbol.for('nodejs.util.inspect.custom')]: fire,
    [Symbol.toPrimitive]: fire,
    list: [new Proxy({}, { get: fire, ownKeys: fire, getPrototypeOf: fire, has: fire })],
    inherited: Object.create({
      get other() {
        return fire();
      },
    }) as object,
    class: Object.create(
      Object.defineProperty({}, 'constructor', { get: fire }) as object,
    ) as object,
  };
  return { value, fired: () => fired };
}

describe(previewValue.name, () => {
  it('shows a text as it is, and bytes as text where they are one', () => {
    expect(previewValue('a\nb')).to.deep.equal({ type: 'text', text: 'a\nb', truncated: false });
    expect(previewValue(Buffer.from('grüße'))).to.deep.equal({
      type: 'text',
      text: 'grüße',
      truncated: false,
    });
    expect(previewValue(Buffer.from([0, 255, 16]))).to.deep.equal({
      type: 'bytes',
      text: '00 ff 10',
      truncated: false,
    });
  });

  it('cuts what is long, and says so', () => {
    const long = 'ä'.repeat(MAX_PREVIEW_LENGTH);
    expect(previewValue(`${long}!`)).to.deep.equal({ type: 'text', text: long, truncated: true });
    const bytes = previewValue(Buffer.from(`x${long}`));
    expect(bytes.type).to.equal('text');
    expect(bytes.truncated).to.equal(true);
    const list = previewValue(Array.from({ length: 1_000_000 }, () => 'x'));
    expect(list.text.length).to.equal(MAX_PREVIEW_LENGTH);
    expect(list.truncated).to.equal(true);
    expect(previewValue(Buffer.alloc(5_000))).to.include({ type: 'bytes', truncated: true });
  });

  it('shows a stored response as it goes over the wire, without credentials', () => {
    const record = {
      v: 1,
      status: 200,
      headers: ['Content-Type', 'text/html', 'Set-Cookie', 'sid=secret', 'X-A', '1'],
      body: Buffer.from('<p>hello</p>'),
    };
    expect(previewValue(record)).to.deep.equal({
      type: 'http',
      text: 'HTTP 200\nContent-Type: text/html\nSet-Cookie: (hidden)\nX-A: 1\n\n<p>hello</p>',
      truncated: false,
    });
    const zipped = {
      ...record,
      headers: ['Content-Encoding', 'gzip'],
      body: gzipSync('hello'.repeat(10)),
    };
    expect(previewValue(zipped).text).to.contain('hello'.repeat(10));
    const bomb = { ...zipped, body: gzipSync(Buffer.alloc(50_000_000)) };
    expect(previewValue(bomb).text.length).to.be.at.most(MAX_PREVIEW_LENGTH);
    expect(previewValue({ ...zipped, body: Buffer.from('not gzip') }).text).to.contain('not gzip');
  });

  it('calls nothing of a value', () => {
    const { value, fired } = armed();
    const { text } = previewValue(value);
    expect(text).to.contain('accessor: [an accessor]').and.to.contain('[a proxy]');
    approximateSize(value);
    expect(fired()).to.equal(0);
  });

  it('shows the usual kinds of values', () => {
    const cyclic: Record<string, unknown> = { a: 1n, d: new Date(0), n: null, u: undefined };
    cyclic['self'] = cyclic;
    cyclic['map'] = new Map([[{ k: 1 }, new Set(['x'])]]);
    class Point {
      x = -0;
    }
    cyclic['point'] = new Point();
    cyclic['error'] = new RangeError('too far');
    cyclic['bytes'] = new Uint8Array([1, 2]);
    cyclic['empty'] = [];
    cyclic['a key'] = /x/g;
    expect(previewValue(cyclic).text).to.equal(
      [
        '{',
        '  a: 1n,',
        '  d: Date(1970-01-01T00:00:00.000Z),',
        '  n: null,',
        '  u: undefined,',
        '  self: [the object around it],',
        '  map: Map {',
        '    {',
        '      k: 1',
        '    } => Set {',
        '      "x"',
        '    }',
        '  },',
        '  point: Point {',
        '    x: -0',
        '  },',
        '  error: RangeError: too far,',
        '  bytes: Bytes(2: 0102),',
        '  empty: [],',
        '  "a key": /x/g',
        '}',
      ].join('\n'),
    );
  });

  it('gives a text of bounded length for any value, and never throws', () => {
    fc.assert(
      fc.property(
        fc.anything({
          withBigInt: true,
          withDate: true,
          withMap: true,
          withSet: true,
          withTypedArray: true,
          withNullPrototype: true,
          withSparseArray: true,
        }),
        (value) => {
          const printer = new ValuePrinter(200);
          expect(printer.print(value).length).to.be.at.most(200);
          expect(previewValue(value).text.length).to.be.at.most(MAX_PREVIEW_LENGTH);
          expect(approximateSize(value)).to.be.at.least(0);
        },
      ),
    );
  });

  it('survives nesting beyond any stack', () => {
    let deep: unknown = 'end';
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(previewValue(deep).text).to.contain('[…]');
    expect(approximateSize(deep)).to.be.at.least(0);
  });
});

describe(approximateSize.name, () => {
  it('counts texts as UTF-8, buffers as they are, anything else as 8', () => {
    expect(approximateSize('äb')).to.equal(3);
    expect(approximateSize(Buffer.alloc(1_000))).to.equal(1_000);
    expect(approximateSize(17)).to.equal(8);
    expect(approximateSize({ name: 'Ada', age: 36 })).to.equal(4 + 3 + 3 + 8);
    expect(approximateSize(['abc', ['d']])).to.equal(4);
    expect(approximateSize(new Map([['k', 'vv']]))).to.equal(8 + 1 + 2);
    const shared = 'x'.repeat(10);
    const object = { shared };
    expect(approximateSize([object, object])).to.equal(6 + 10);
  });

  it('reckons large lists from a part of them', () => {
    const texts = Array.from({ length: 4_000 }, () => 'x'.repeat(100));
    expect(approximateSize(texts)).to.equal(400_000);
    const nested = Array.from({ length: 4_000 }, () => ['x'.repeat(50), 'x'.repeat(50)]);
    expect(approximateSize(nested)).to.be.within(200_000, 600_000);
  });
});
