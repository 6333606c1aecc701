import { deepStrictEqual } from 'node:assert/strict';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  copyKept,
  copyKeptFrozen,
  exactCopy,
  exactFrozenCopy,
} from '#internal/backends/memory/exact-copy.js';
import { CacheSerializationError } from '#internal/errors.js';

class Account {
  readonly balance = 1;
}

const sparse = [1, , 3, ,] as unknown[];
const withProto = JSON.parse('{"__proto__": {"polluted": true}, "constructor": 1}') as object;
const bare = Object.assign(Object.create(null) as object, { a: 1 });
const lastIndex = /a/g;
lastIndex.lastIndex = 3;
const ownError = Object.assign(new TypeError('broken', { cause: { reason: [1] } }), {
  code: 'E_X',
});
const bytes = new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8]);

/** Kinds that come back as they went in, with something of each that a copy could lose. */
const COPIED: Readonly<Record<string, unknown>> = {
  null: null,
  'a text': 'x',
  '-0': -0,
  NaN,
  'a bigint': 2n ** 80n,
  'an undefined property': { a: undefined },
  'an array of undefined': [undefined, null],
  'a sparse array': sparse,
  'an empty array with a length': new Array(3),
  'a nested array': [[1, [2]], { a: [{}] }],
  'an object without prototype': bare,
  'a property called __proto__': withProto,
  'an object with odd keys': { '': 1, 'a.b': 2, 0: 3 },
  'a date': new Date(1_700_000_000_000),
  'a map': new Map<unknown, unknown>([
    [{ key: 1 }, new Set([1])],
    ['a', new Date(0)],
  ]),
  'a set': new Set([1, 'a', { b: 2 }]),
  'a regular expression': /a+(b)/giu,
  'its position': lastIndex,
  'a buffer': Buffer.from('abc'),
  'a slice of a buffer': Buffer.from('abcdef').subarray(2, 4),
  'bytes in the middle': bytes.subarray(2, 5),
  'an array buffer': bytes.buffer,
  'a data view': new DataView(bytes.buffer, 1, 3),
  floats: new Float64Array([1.5, -0, NaN]),
  'big integers': new BigUint64Array([2n ** 63n]),
  'an error': new Error('broken'),
  'an error with properties': ownError,
  'an aggregate error': new AggregateError([new RangeError('a'), 1], 'both'),
};

/** What would not be itself any more, with the path that the message names. */
const REFUSED: readonly (readonly [name: string, value: unknown, path: string, word: RegExp])[] = [
  ['a class instance', { account: new Account() }, 'value.account', /instance of Account/],
  ['a function', { items: [1, { save: () => 1 }] }, 'value.items[1].save', /function/],
  ['a function in an array', [() => 1], 'value[0]', /function/],
  ['a symbol', { a: Symbol('s') }, 'value.a', /symbol/],
  ['a symbol at the root', Symbol('s'), 'value', /symbol/],
  ['a symbol key', { a: { [Symbol('s')]: 1 } }, 'value.a', /symbol/],
  [
    'an accessor',
    { a: Object.defineProperty({}, 'b', { get: () => 1, enumerable: true }) },
    'value.a',
    /accessor, 'b'/,
  ],
  [
    'a hidden property',
    Object.defineProperty({}, 'b', { value: 1 }),
    'value',
    /not enumerable, 'b'/,
  ],
  [
    'an array with a property',
    Object.assign([1, 2], { total: 3 }),
    'value',
    /extra property, 'total'/,
  ],
  ['the result of a match', /a/.exec('a'), 'value', /extra property, 'index'/],
  [
    'a map with a property',
    { m: Object.assign(new Map(), { a: 1 }) },
    'value.m',
    /extra property, 'a'/,
  ],
  [
    'a date with a symbol',
    Object.assign(new Date(), { [Symbol('s')]: 1 }),
    'value',
    /extra property/,
  ],
  ['a subclass of Map', new (class Cache extends Map {})(), 'value', /instance of Cache/],
  ['a subclass of Array', new (class List extends Array {})(), 'value', /array/],
  ['a subclass of Error', new (class NotFound extends Error {})(), 'value', /instance of NotFound/],
  [
    'an error with an accessor',
    Object.defineProperty(new Error('x'), 'a', { get: () => 1 }),
    'value',
    /accessor, 'a'/,
  ],
  ['a boxed number', { n: Object(1) as unknown }, 'value.n', /instance of Number/],
  ['a promise', Promise.resolve(), 'value', /instance of Promise/],
  ['a weak map', new WeakMap(), 'value', /instance of WeakMap/],
  ['a URL', new URL('http://localhost'), 'value', /instance of URL/],
  ['shared memory', new Uint8Array(new SharedArrayBuffer(8)), 'value', /Uint8Array/],
  ['an impostor', Object.create(Date.prototype), 'value', /Date/],
  ['a function as a map key', new Map([[() => 1, 1]]), 'value.keys()[0]', /function/],
  [
    'a function as a map value',
    new Map([
      [1, 1],
      [2, () => 1],
    ] as never),
    'value.values()[1]',
    /function/,
  ],
  ['a function in a set', new Set([1, () => 1]), 'value.values()[1]', /function/],
];

describe('exactCopy', () => {
  for (const [name, value] of Object.entries(COPIED)) {
    it(`copies ${name} exactly, when storing and when reading`, () => {
      const kept = exactCopy({ value });
      deepStrictEqual(kept, { value });
      deepStrictEqual(copyKept(kept), { value });
      deepStrictEqual(exactCopy(value), value);
    });
  }

  for (const [name, value, path, word] of REFUSED) {
    it(`refuses ${name}, and says where it is`, () => {
      for (const copy of [exactCopy, exactFrozenCopy]) {
        let thrown: unknown;
        try {
          copy(value);
        } catch (error) {
          thrown = error;
        }
        expect(thrown).to.be.instanceOf(CacheSerializationError);
        expect((thrown as CacheSerializationError).path).to.equal(path);
        expect((thrown as CacheSerializationError).message).to.match(word);
      }
    });
  }

  it('copies an invalid date', () => {
    const copy = exactCopy(new Date(NaN)) as Date;
    expect(copy).to.be.instanceOf(Date);
    expect(copy.getTime()).to.be.NaN;
  });

  it('shares nothing with the value', () => {
    const value = { list: [{ a: 1 }], date: new Date(0), map: new Map([['a', { b: 1 }]]), bytes };
    const copy = exactCopy(value) as typeof value;
    copy.list[0]!.a = 2;
    copy.date.setTime(5);
    copy.map.get('a')!.b = 2;
    copy.bytes[0] = 99;
    expect(value.list[0]!.a).to.equal(1);
    expect(value.date.getTime()).to.equal(0);
    expect(value.map.get('a')!.b).to.equal(1);
    expect(bytes[0]).to.equal(1);
  });

  it('gives a buffer memory of its own', () => {
    const copy = exactCopy(Buffer.from('abc')) as Buffer;
    expect(Buffer.isBuffer(copy)).to.equal(true);
    expect(copy.buffer.byteLength).to.equal(3);
  });

  it('does not pollute prototypes', () => {
    const copy = exactCopy(withProto) as { polluted?: unknown };
    expect(copy.polluted).to.equal(undefined);
    expect(Object.getOwnPropertyNames(copy)).to.deep.equal(['__proto__', 'constructor']);
  });

  it('keeps cycles and shared references', () => {
    const shared = { a: 1 };
    const value: Record<string, unknown> = { first: shared, second: [shared], map: new Map() };
    value['self'] = value;
    (value['map'] as Map<unknown, unknown>).set(value, value);
    const error = new Error('x') as Error & { self?: unknown };
    error.self = error;
    value['error'] = error;
    const copy = exactCopy(value) as typeof value;
    expect(copy['self']).to.equal(copy);
    expect((copy['second'] as unknown[])[0]).to.equal(copy['first']);
    expect(copy['first']).not.to.equal(shared);
    expect((copy['map'] as Map<unknown, unknown>).get(copy)).to.equal(copy);
    expect((copy['error'] as typeof error).self).to.equal(copy['error']);
  });

  it('refuses what is nested too deeply', () => {
    let deep: unknown = null;
    for (let depth = 0; depth < 100_000; depth++) deep = { deep };
    expect(() => exactCopy(deep)).to.throw(CacheSerializationError, /nested too deeply/);
  });

  it('copies any value that is made of what it knows', () => {
    const anything = fc.anything({
      withBigInt: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(anything, (value) => {
        const kept = exactCopy(value);
        deepStrictEqual(kept, value);
        deepStrictEqual(copyKept(kept), value);
        const frozen = exactFrozenCopy(value);
        deepStrictEqual(frozen.value, value);
        deepStrictEqual(copyKeptFrozen(frozen.value), value);
      }),
    );
  });
});

describe('exactFrozenCopy', () => {
  it('freezes plain objects and arrays, all the way down', () => {
    const value = { list: [{ a: 1 }], nested: { deep: [] } };
    const { value: copy, isFrozen } = exactFrozenCopy(value) as {
      value: typeof value;
      isFrozen: boolean;
    };
    expect(isFrozen).to.equal(true);
    for (const part of [copy, copy.list, copy.list[0], copy.nested, copy.nested.deep]) {
      expect(Object.isFrozen(part)).to.equal(true);
    }
    expect(Object.isFrozen(value)).to.equal(false);
    expect(() => {
      copy.list[0]!.a = 2;
    }).to.throw(TypeError);
  });

  it('says that a value is not frozen, when a part of it cannot be', () => {
    for (const part of [new Date(), new Map(), new Set(), Buffer.alloc(1), /a/, new Error('x')]) {
      expect(exactFrozenCopy({ list: [part] }).isFrozen).to.equal(false);
    }
  });
});
