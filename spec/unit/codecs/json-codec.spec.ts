import { expect } from 'chai';
import { CacheDeserializationError, CacheSerializationError } from '#internal/errors.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { assertSameValue } from '#internal/testing/same-value.js';

const codec = new JsonCodec();
const textOf = (value: unknown): string => codec.encode(value).toString();
const backAndForth = (value: unknown): unknown => codec.decode(codec.encode(value));

describe(JsonCodec.name, () => {
  describe('#encode', () => {
    it('writes plain JSON for plain data', () => {
      for (const value of [null, 0, '', false, [], {}, 'ü', [1, { a: ['~', null] }]]) {
        expect(textOf(value)).to.equal(JSON.stringify(value));
      }
    });

    it('keeps a property named __proto__ as plain JSON, without touching a prototype', () => {
      const value = JSON.parse('{"__proto__":{"isAdmin":true}}') as object;
      expect(textOf(value)).to.equal('{"__proto__":{"isAdmin":true}}');
      const back = backAndForth(value) as { isAdmin?: boolean };
      expect(Object.keys(back)).to.deep.equal(['__proto__']);
      expect(back.isAdmin).to.equal(undefined);
      expect(Object.getPrototypeOf(back)).to.equal(Object.prototype);
    });

    it('keeps a property named __proto__ in the tagged form, too', () => {
      const value = JSON.parse('{"__proto__":{"a":1},"b":2}') as Record<string, unknown>;
      value['c'] = new Map([[value, undefined]]);
      assertSameValue(backAndForth(value), value);
    });

    it('writes the documented tags for everything else', () => {
      const one = { a: 1 };
      const cases: readonly (readonly [unknown, string])[] = [
        [undefined, '~"~u"'],
        [['~x', NaN, Infinity, -Infinity, -0], '~["~~x","~n","~+","~-","~0"]'],
        [[31n, -31n], '~["~i1f","~i-1f"]'],
        [new Date(5), '~"~d5"'],
        [new Map([['k', -0]]), '~["~#map","k","~0"]'],
        [new Set(['~']), '~["~#set","~~"]'],
        [Buffer.from('hi'), '~["~#binary","Buffer","aGk="]'],
        [new Uint16Array([258]), '~["~#binary","Uint16Array","AgE="]'],
        [Object.assign([], { 1: 'x', length: 3 }), '~["~#sparse",3,1,"x"]'],
        [Object.assign(Object.create(null), one), '~["~#null",{"a":1}]'],
        [/a~/g, '~["~#regexp","a~","g",0]'],
        [new URL('https://a.b/'), '~["~#url","https://a.b/"]'],
        [[one, one], '~[["~#mark",0,{"a":1}],"~r0"]'],
      ];
      for (const [value, text] of cases) {
        expect(textOf(value)).to.equal(text);
        assertSameValue(codec.decode(Buffer.from(text)), value);
      }
    });

    it('keeps cycles through every kind of container', () => {
      const array: unknown[] = [];
      const map = new Map<unknown, unknown>();
      const set = new Set<unknown>();
      const bare = Object.create(null) as Record<string, unknown>;
      const sparse: unknown[] = [];
      const date = new Date(7);
      const all = { array, map, set, bare, sparse, date };
      array.push(all, map);
      map.set(all, set).set('date', date);
      set.add(all).add(bare);
      Object.assign(bare, { all, sparse });
      sparse[2] = [all, array, date];
      assertSameValue(backAndForth(all), all);
    });

    it('keeps the fields of a regular expression', () => {
      const value = /x/gy;
      value.lastIndex = 3;
      assertSameValue(backAndForth([value]), [value]);
    });

    it('gives a Buffer back as a Buffer and a Uint8Array as a Uint8Array, with memory of their own', () => {
      const back = backAndForth([Buffer.of(1), new Uint8Array([1])]) as [Buffer, Uint8Array];
      expect(Buffer.isBuffer(back[0])).to.equal(true);
      expect(Buffer.isBuffer(back[1])).to.equal(false);
      expect(back[0].buffer.byteLength).to.equal(1);
    });

    it('refuses to work while a prototype has toJSON', () => {
      const prototype = Object.prototype as { toJSON?: unknown };
      prototype.toJSON = () => 'changed';
      try {
        expect(() => codec.encode({ a: 1 })).to.throw(CacheSerializationError, /toJSON/);
      } finally {
        delete prototype.toJSON;
      }
    });
  });

  describe('#decode', () => {
    it('calls nothing but JSON.parse for plain JSON', () => {
      expect(codec.decode(Buffer.from(' {"a":[1,"~u"]}'))).to.deep.equal({ a: [1, '~u'] });
    });

    it('reads a plain Uint8Array', () => {
      expect(codec.decode(new Uint8Array([0x31, 0x32]))).to.equal(12);
    });

    it('does not quote the value in its message', () => {
      expect(() => codec.decode(Buffer.from('{"card":4111}x')))
        .to.throw(CacheDeserializationError)
        .that.satisfies(
          (error: Error) => !error.message.includes('4111') && error.cause === undefined,
        );
    });

    for (const text of [
      '',
      '~',
      '~x',
      '~"~"',
      '~"~?"',
      '~"~ux"',
      '~"~d"',
      '~"~d1e3"',
      '~"~d8640000000000001"',
      '~"~i"',
      '~"~ixyz"',
      '~"~r0"',
      '~"~r-1"',
      '~["~#nope"]',
      '~["~#map",1]',
      '~["~#null",[1]]',
      '~["~#null",1]',
      '~["~#sparse",-1]',
      '~["~#sparse",4294967296]',
      '~["~#sparse",2,2,1]',
      '~["~#sparse",2,"a",1]',
      '~["~#binary","Buffer"]',
      '~["~#binary","Nope",""]',
      '~["~#binary","Float64Array","AAA="]',
      '~["~#regexp","(","",0]',
      '~["~#regexp","a","zz",0]',
      '~["~#url","nope"]',
      '~["~#mark",1,[]]',
      '~["~#mark",0,1]',
      '~["~#mark",0,"~u"]',
      '~["~#mark",0,["~#mark",1,[]]]',
      `~${'['.repeat(5000)}${']'.repeat(5000)}`,
      `~${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
      `~${'["~#set",'.repeat(200_000)}1${']'.repeat(200_000)}`,
    ]) {
      it(`refuses ${text.slice(0, 40)}`, () => {
        expect(() => codec.decode(Buffer.from(text))).to.throw(CacheDeserializationError);
      });
    }

    it('spends no memory on the length of an array with holes', () => {
      const text = `~[${Array.from({ length: 100 }, () => '["~#sparse",33554431,5,1]').join()}]`;
      const before = process.memoryUsage().heapUsed;
      const [first] = codec.decode(Buffer.from(text)) as unknown[][];
      expect(process.memoryUsage().heapUsed - before).to.be.below(50_000_000);
      expect(first!.length).to.equal(33_554_431);
      expect(Object.keys(first!)).to.deep.equal(['5']);
    });

    it('reads a long bigint in linear time', () => {
      const value = 1n << 4_000_000n;
      expect(backAndForth(value)).to.equal(value);
    });
  });
});
