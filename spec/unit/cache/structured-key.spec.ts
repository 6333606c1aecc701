import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { argumentsKey } from '#internal/cache/cache-key.js';
import { sparseArray } from '../../support/argument-trees.js';
import { keyErrorOf } from '../../support/key-error.js';

describe('argumentsKey', () => {
  it('does not depend on the order in which an object, Map or Set was filled', () => {
    expect(argumentsKey([{ b: 1, a: { d: 1, c: 2 } }])).to.equal(
      argumentsKey([{ a: { c: 2, d: 1 }, b: 1 }]),
    );
    const entries: [unknown, unknown][] = [
      ['x', 1],
      [1, 'x'],
      [{ k: 1 }, [1]],
    ];
    expect(argumentsKey([new Map(entries)])).to.equal(argumentsKey([new Map(entries.reverse())]));
    expect(argumentsKey([new Set([1, '1', null])])).to.equal(
      argumentsKey([new Set([null, '1', 1])]),
    );
  });

  it('keeps apart what looks alike', () => {
    const lookAlikes = [
      [{}],
      [[]],
      [new Map()],
      [new Set()],
      [null],
      [],
      [''],
      ['()'],
      ['Object()'],
      [[undefined]],
      [sparseArray(1, {})],
      [[null]],
      [[[]]],
      [{ a: 1 }],
      [{ a: '1' }],
      [new Map([['a', 1]])],
      [['a', 1]],
      ['a', 1],
      ['a:1'],
      ['a,1'],
      [['a,1']],
      [{ 'a=1,b': 2 }],
      [{ a: '1,b=2' }],
      [{ a: 1, b: 2 }],
      [{ a: undefined }],
      [{ a: null }],
      [{ a: 1 }, { b: 2 }],
      [new Set([1, 2])],
      [new Set(['1,2'])],
      [new Set([{}, {}])],
      [new Set([{}])],
      [new Uint8Array(1)],
      [Buffer.alloc(1)],
      [new Int8Array(1)],
      [new ArrayBuffer(1)],
      [new DataView(new ArrayBuffer(1))],
      ['AA'],
      [/a/],
      [/a/g],
      ['/a/'],
      [new Date(0)],
      ['1970-01-01T00:00:00.000Z'],
      [0],
      [-0],
      [0n],
      [[0]],
      [[-0]],
      [new Map([['a', -0]])],
      [new Float64Array([0])],
      [new Float64Array([-0])],
      [new URL('http://a/')],
      ['http://a/'],
    ];
    const texts = lookAlikes.map((args) => argumentsKey(args));
    expect(new Set(texts).size, texts.join('\n')).to.equal(lookAlikes.length);
  });

  it('takes a repeated object, when it does not contain itself', () => {
    const shared = { a: 1 };
    expect(argumentsKey([[shared, shared], shared])).to.equal(
      'Array(Object(a=1),Object(a=1)):Object(a=1)',
    );
  });

  it('takes objects without a prototype and of another realm like any other', () => {
    const bare = Object.assign(Object.create(null) as object, { a: [1] });
    const foreign: unknown = runInNewContext(
      '[{ a: [1] }, new Map([[1, new Set([2])]]), new Date(0), /x/g, new Uint8Array(1)]',
    );
    expect(argumentsKey([bare])).to.equal('Object(a=Array(1))');
    expect(argumentsKey(foreign as unknown[])).to.equal(
      'Object(a=Array(1)):Map(1=Set(2)):@1970-01-01T000000.000Z:RegExp(x,g):Uint8Array(AA)',
    );
  });

  it('takes a property named __proto__ for what it is', () => {
    expect(argumentsKey([JSON.parse('{"__proto__":{"a":1}}')])).to.equal(
      'Object(__proto__=Object(a=1))',
    );
  });

  it('takes the bytes of a view, and nothing else of its buffer', () => {
    const bytes = new Uint8Array([9, 104, 105, 9]);
    expect(argumentsKey([bytes.subarray(1, 3)])).to.equal('Uint8Array(aGk)');
    expect(argumentsKey([new DataView(bytes.buffer, 1, 2)])).to.equal('DataView(aGk)');
  });

  it('costs no more than what a sparse array holds', () => {
    const array = sparseArray(2 ** 32 - 1, { 4_000_000_000: 1 });
    expect(argumentsKey([array])).to.equal('SparseArray(4294967295,4000000000=1)');
  });

  it('tells where a regular expression goes on', () => {
    const expression = /a/g;
    expression.lastIndex = 3;
    expect(argumentsKey([expression])).to.equal('RegExp(a,g,3)');
  });

  class User {
    readonly id = 1;
  }
  class Money extends Date {
    readonly currency = 'EUR';
  }
  class Bytes extends Uint8Array {}
  class List extends Array<number> {}
  class Dictionary extends Map<string, number> {}
  const cycle: Record<string, unknown> = {};
  cycle['list'] = [cycle];
  const cyclicMap = new Map<string, unknown>();
  cyclicMap.set('self', cyclicMap);
  const deep = Array.from({ length: 101 }).reduce<unknown>((inner) => [inner], []);

  const refused: readonly (readonly [string, unknown[], string, string])[] = [
    ['a function', [() => 1], 'args[0]', 'is a function'],
    ['a function inside', [{ filter: () => 1 }], 'args[0].filter', 'is a function'],
    ['a class', ['a', [User]], 'args[1][0]', 'is a function'],
    ['a symbol', [{ 'a b': Symbol('s') }], 'args[0]["a b"]', 'is a symbol'],
    ['a symbol as a key', [{ [Symbol('s')]: 1 }], 'args[0][Symbol(s)]', 'symbol as its key'],
    ['a cycle', [cycle], 'args[0].list[0]', 'refers to an object that contains it'],
    ['a cyclic Map', [cyclicMap], 'args[0].values()[0]', 'refers to an object that contains it'],
    ['too deep a nesting', [deep], `args[0]${'[0]'.repeat(100)}`, 'deeper than 100 levels'],
    ['an instance', [1, new User()], 'args[1]', 'is an instance of User'],
    ['an instance as a Map key', [new Map([[new User(), 1]])], 'args[0].keys()[0]', 'User'],
    ['an instance in a Set', [new Set([1, new User()])], 'args[0].values()[1]', 'User'],
    ['an instance in a sparse array', [sparseArray(2, { 1: new User() })], 'args[0][1]', 'User'],
    ['an object that inherits', [Object.create({ a: 1 })], 'args[0]', 'is an instance of Object'],
    [
      'an object that inherits from nothing much',
      [Object.create(Object.create(null))],
      'args[0]',
      'a prototype of its own',
    ],
    ['an Error', [new RangeError('x')], 'args[0]', 'is an instance of RangeError'],
    ['a boxed number', [Object(1)], 'args[0]', 'is an instance of Number'],
    ['a boxed string', [Object('a')], 'args[0]', 'is an instance of String'],
    ['a WeakMap', [new WeakMap()], 'args[0]', 'is an instance of WeakMap'],
    ['shared memory', [new SharedArrayBuffer(1)], 'args[0]', 'is an instance of SharedArrayBuffer'],
    ['a promise', [{ user: Promise.resolve() }], 'args[0].user', 'is a promise'],
    ['an invalid Date', [new Date(NaN)], 'args[0]', 'is an invalid Date'],
    ['a Date of a subclass', [new Money(0)], 'args[0]', 'is an extended Date'],
    [
      'a Date with a property',
      [Object.assign(new Date(0), { zone: 1 })],
      'args[0]',
      'is an extended Date',
    ],
    ['a typed array of a subclass', [new Bytes(1)], 'args[0]', 'is an instance of Bytes'],
    [
      'a Buffer of a subclass',
      [Object.setPrototypeOf(Buffer.from('a'), Object.create(Buffer.prototype))],
      'args[0]',
      'is an instance of Buffer',
    ],
    [
      'a regular expression with a property',
      [Object.assign(/a/, { a: 1 })],
      'args[0]',
      'is an instance of RegExp',
    ],
    ['an array of a subclass', [new List()], 'args[0]', 'is an array'],
    ['a Map of a subclass', [new Dictionary()], 'args[0]', 'is an instance of Dictionary'],
    [
      'a Map with a property',
      [Object.assign(new Map(), { a: 1 })],
      'args[0]',
      'is an instance of Map',
    ],
    ['an array with a property', ['abc'.match(/b/)], 'args[0]', 'properties of its own'],
    [
      'an array with a property in place of a hole',
      [sparseArray(2, { 1: 1, '-1': 2 })],
      'args[0]',
      'properties of its own',
    ],
    [
      'an array with a fraction for a name',
      [Object.assign([1, 2], { 0.5: 2 })],
      'args[0]',
      'properties of its own',
    ],
  ];
  for (const [name, args, path, message] of refused) {
    it(`refuses ${name}, naming its place`, () => {
      const error = keyErrorOf(() => argumentsKey(args));
      expect(error.path).to.equal(path);
      expect(error.message.startsWith(`${path} `)).to.equal(true);
      expect(error.message).to.include(message);
      expect(error.message).to.include('Give a key function');
    });
  }

  it('reports what a getter or proxy throws, as the cause', () => {
    const cause = new Error('secret');
    const thrower = (): never => {
      throw cause;
    };
    const getter = {
      user: {
        get name() {
          return thrower();
        },
      },
    };
    const proxy = new Proxy({}, { ownKeys: thrower });
    const prototype = new Proxy({}, { getPrototypeOf: thrower });
    const cases = [
      [getter, 'args[0].user.name'],
      [[1, proxy], 'args[0][1]'],
      [prototype, 'args[0]'],
    ] as const;
    for (const [argument, path] of cases) {
      const error = keyErrorOf(() => argumentsKey([argument]));
      expect(error.path).to.equal(path);
      expect(error.cause).to.equal(cause);
      expect(error.message).to.not.include('secret');
    }
  });

  it('names no value in its message', () => {
    const error = keyErrorOf(() =>
      argumentsKey([{ password: 'secret', check: () => 1 }, () => 'secret']),
    );
    expect(error.message).to.not.include('secret');
  });
});
