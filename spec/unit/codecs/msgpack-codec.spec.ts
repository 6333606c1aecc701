import { expect } from 'chai';
import { CacheDeserializationError } from '#internal/errors.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { MsgpackCodec } from '#internal/codecs/msgpack-codec.js';
import { assertSameValue } from '#internal/testing/same-value.js';
import { rows } from '../../support/framing.js';

const JSON_MARK = 0xc1;
const codec = new MsgpackCodec();

describe(MsgpackCodec.name, () => {
  describe('#encode', () => {
    it('takes less than 0.6 of the bytes of JSON for rows', () => {
      const plain = JSON.parse(JSON.stringify(rows(60))) as unknown;
      expect(codec.encode(plain).length).to.be.below(new JsonCodec().encode(plain).length * 0.6);
    });

    it('leaves to msgpackr what msgpackr carries exactly', () => {
      const value = {
        undefined: undefined,
        numbers: [NaN, Infinity, -Infinity, 2 ** 60, 0.1],
        bigints: [1n, -(2n ** 63n), 2n ** 64n - 1n],
        dates: [new Date(0), new Date(-1), new Date(8.64e15)],
        binary: [Buffer.of(1), new Uint8Array([1]), new Float64Array([NaN]), new ArrayBuffer(2)],
        map: new Map<unknown, unknown>([
          [1, '1'],
          ['1', new Set([{ a: 1 }])],
        ]),
      };
      const bytes = codec.encode(value);
      expect(bytes[0]).to.not.equal(JSON_MARK);
      assertSameValue(codec.decode(bytes), value);
    });

    for (const [what, value] of Object.entries<unknown>({
      'minus zero': [-0],
      holes: Object.assign([], { length: 3 }),
      'a wide bigint': 2n ** 64n,
      'half a surrogate pair': ['a\ud800'],
      'half a surrogate pair in a property name': { '\udfff': 1 },
      'a byte order mark before a long text': `\ufeff${'a'.repeat(100)}`,
      'a property that msgpackr renames': JSON.parse('{"__proto__":1}'),
      'a property that msgpackr uses itself': [
        { a: 1, __keys__: 2 },
        { a: 1, __keys__: 2 },
      ],
      'an object without prototype': Object.assign(Object.create(null), { a: 1 }),
      'a regular expression': /a/g,
      'a URL': new URL('a:b'),
      'a dictionary': Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`k${n}`, n])),
    })) {
      it(`falls back on the form of JsonCodec for ${what}`, () => {
        const bytes = codec.encode(value);
        expect(bytes[0]).to.equal(JSON_MARK);
        assertSameValue(codec.decode(bytes), value);
      });
    }

    it('writes each message so that it can be read alone', () => {
      const messages = [1, 2, 3].map((n) =>
        codec.encode([
          { id: n, name: 'x' },
          { id: n, name: 'y' },
        ]),
      );
      assertSameValue(new MsgpackCodec().decode(messages[2]!), [
        { id: 3, name: 'x' },
        { id: 3, name: 'y' },
      ]);
    });

    it('uses record numbers anew when there are more shapes than numbers', () => {
      for (const shapes of [63, 64, 65, 66, 130, 500]) {
        const value = Array.from({ length: shapes * 3 }, (_, n) => ({
          [`a${n % shapes}`]: { [`b${n % 70}`]: n },
        }));
        assertSameValue(codec.decode(codec.encode(value)), value);
      }
    });

    it('does not call toJSON', () => {
      const value = { constructor: 1, toJSON: 'text' };
      assertSameValue(codec.decode(codec.encode(value)), value);
    });
  });

  describe('#decode', () => {
    it('adds nothing to the bytes that it reads', () => {
      const bytes = codec.encode([1, 2]);
      codec.decode(bytes);
      expect(Object.keys(bytes)).to.deep.equal(['0', '1', '2']);
    });

    for (const [what, bytes] of Object.entries({
      nothing: [],
      'an array that ends early': [0xdd, 0xff, 0xff, 0xff, 0xff, 1],
      'a map that ends early': [0xdf, 0xff, 0xff, 0xff, 0xff, 1, 1],
      'bytes behind the value': [1, 2],
      'an unknown extension': [0xd4, 0x55, 0],
      'a fallback that is not JSON': [JSON_MARK, 0x7b],
      'nesting without end': Array.from({ length: 100_000 }, () => 0x91),
    })) {
      it(`refuses ${what}`, () => {
        expect(() => codec.decode(Uint8Array.from(bytes))).to.throw(CacheDeserializationError);
      });
    }

    it('does not quote the value in its message', () => {
      const bytes = Buffer.concat([codec.encode({ card: '4111' }), Buffer.of(1)]);
      expect(() => codec.decode(bytes))
        .to.throw(CacheDeserializationError)
        .that.satisfies(
          (error: Error) => !error.message.includes('4111') && error.cause === undefined,
        );
    });

    it('does not reach a prototype through record or map keys', () => {
      const hostile = [
        0xd4,
        0x72,
        0x40,
        0x91,
        0xa9,
        ...Buffer.from('__proto__'),
        0x81,
        0xa1,
        0x61,
        1,
      ];
      const value = codec.decode(Uint8Array.from(hostile)) as { a?: unknown };
      expect(value.a).to.equal(undefined);
      expect(Object.getPrototypeOf(value)).to.equal(Object.prototype);
    });
  });
});
