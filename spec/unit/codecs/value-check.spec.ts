import { createContext, runInContext } from 'node:vm';
import { expect } from 'chai';
import { CacheSerializationError } from '#internal/errors.js';
import { checkValue, MANY_PROPERTIES, MAX_DEPTH, TRAITS } from '#internal/codecs/value-check.js';

class Account {
  balance = 1;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

function refusalOf(value: unknown): CacheSerializationError {
  try {
    checkValue(value, 'JsonCodec');
  } catch (error) {
    expect(error).to.be.instanceOf(CacheSerializationError);
    return error as CacheSerializationError;
  }
  throw new Error('it was not refused');
}

describe('checkValue', () => {
  it('finds no traits in plain data', () => {
    expect(checkValue([{ a: [1, -1, 0, 0.5, 'x', null, true] }, {}, []], 'x')).to.include({
      traits: 0,
    });
  });

  for (const [name, value] of Object.entries<
    Record<keyof typeof TRAITS, unknown>[keyof typeof TRAITS]
  >({
    undefined: { a: undefined },
    nonFinite: [NaN],
    negativeZero: [-0],
    bigint: [2n ** 64n - 1n, -(2n ** 63n)],
    wideBigint: -(2n ** 63n) - 1n,
    date: new Date(),
    binary: [new ArrayBuffer(1), Buffer.of(1), new DataView(new ArrayBuffer(1))],
    map: new Map(),
    set: new Set(),
    sparseArray: Object.assign([], { length: 2 }),
    nullPrototype: Object.create(null) as unknown,
    url: new URL('a:b'),
    regExp: /a/,
    dunderName: JSON.parse('{"__proto__":1}') as unknown,
    dictionary: Object.fromEntries(
      Array.from({ length: MANY_PROPERTIES + 1 }, (_, n) => [`k${n}`, n]),
    ),
    shared: [Account.prototype.constructor.length, ...twice()],
  })) {
    it(`finds ${name}, and nothing else`, () => {
      expect(checkValue(value, 'x', true).traits).to.equal(TRAITS[name as keyof typeof TRAITS]);
    });
  }

  it('finds texts that UTF-8 would change only on demand', () => {
    for (const value of ['\ud800', { '\udc00': 1 }, ['\ufeffa']]) {
      expect(checkValue(value, 'x').traits).to.equal(0);
      expect(checkValue(value, 'x', true).traits).to.equal(TRAITS.awkwardText);
    }
  });

  it('names the objects that are reached more than once', () => {
    const one = {};
    const cycle: unknown[] = [one, one];
    cycle.push(cycle);
    expect([...checkValue(cycle, 'x').shared]).to.have.members([one, cycle]);
  });

  it('stops at the depth limit, also where the stack is nearly full', () => {
    expect(checkValue(nested(MAX_DEPTH), 'x').traits).to.equal(0);
    expect(refusalOf(nested(MAX_DEPTH + 1)).message).to.match(/nested deeper than 1000 levels/);
    expect(refusalOf(nested(200_000)).path.length).to.be.below(200);
    let refused: unknown;
    const dive = (): void => {
      try {
        dive();
      } catch {
        if (refused !== undefined) return;
        try {
          checkValue(nested(500), 'x');
          refused = undefined;
        } catch (error) {
          refused = error;
        }
      }
    };
    dive();
    if (refused !== undefined) {
      expect(refused instanceof CacheSerializationError || refused instanceof RangeError).to.equal(
        true,
      );
    }
  });

  const cases: Readonly<Record<string, readonly [unknown, string, RegExp]>> = {
    'a function': [{ items: [0, 0, 0, { save: () => 1 }] }, 'value.items[3].save', /a function/],
    'a symbol': [[Symbol('a')], 'value[0]', /a symbol/],
    'a class instance': [{ account: new Account() }, 'value.account', /an instance of Account/],
    'a promise': [{ a: Promise.resolve() }, 'value.a', /a promise/],
    'an error': [[new TypeError('x')], 'value[0]', /an error/],
    'a boxed number': [[Object(1)], 'value[0]', /an instance of Number/],
    'a WeakMap': [new WeakMap(), 'value', /an instance of WeakMap/],
    'an invalid date': [{ at: new Date(NaN) }, 'value.at', /an invalid date/],
    'an accessor': [
      {
        get a() {
          return 1;
        },
      },
      'value.a',
      /an accessor/,
    ],
    'a setter': [
      {
        set a(_: number) {
          expect.fail();
        },
      },
      'value.a',
      /an accessor/,
    ],
    'a hidden property': [
      [Object.defineProperty({}, 'a', { value: 1 })],
      'value[0]',
      /not enumerable/,
    ],
    'a property named by a symbol': [[{ [Symbol('s')]: 1 }], 'value[0]', /named by symbols/],
    'an array with an extra property': [
      [Object.assign([1], { extra: 1 })],
      'value[0]',
      /extra properties/,
    ],
    'a match of a regular expression': [/a/.exec('a'), 'value', /extra properties/],
    'a sparse array with an extra property': [
      Object.assign([], { length: 2, x: 1 }),
      'value',
      /extra properties/,
    ],
    'a Map with an extra property': [
      Object.assign(new Map(), { x: 1 }),
      'value',
      /extra properties/,
    ],
    'a Buffer with an extra property': [
      Object.assign(Buffer.of(1), { x: 1 }),
      'value',
      /extra properties/,
    ],
    'a DataView with an extra property': [
      Object.assign(new DataView(new ArrayBuffer(1)), { x: 1 }),
      'value',
      /extra/,
    ],
    'a subclass of Array': [
      new (class List extends Array<number> {})(),
      'value',
      /an instance of List/,
    ],
    'a subclass of Date': [new (class Day extends Date {})(0), 'value', /an instance of Day/],
    'something that only looks like a Date': [
      Object.create(Date.prototype),
      'value',
      /an instance of Date/,
    ],
    'something that only looks like a URL': [
      Object.create(URL.prototype),
      'value',
      /an instance of URL/,
    ],
    'something that only looks like a Buffer': [
      Object.create(Buffer.prototype),
      'value',
      /not a real Buffer/,
    ],
    'something that only looks like an array': [
      Object.create(Array.prototype),
      'value',
      /an instance of Array/,
    ],
    'shared memory': [new Uint8Array(new SharedArrayBuffer(1)), 'value', /shared between threads/],
    'a proxy': [{ p: new Proxy({}, {}) }, 'value.p', /a proxy/],
    'a proxy of an array': [[new Proxy([], {})], 'value[0]', /a proxy/],
    arguments: [argumentsOf(), 'value', /not enumerable/],
    'a namespace such as Math': [Math, 'value', /not enumerable/],
    'an object of another realm': [
      runInContext('({})', createContext()),
      'value',
      /an instance of Object/,
    ],
    'a key of a map': [new Map([[() => 1, 1]]), 'value.<key 0>', /a function/],
    'a value of a map': [
      {
        m: new Map<unknown, unknown>([
          [1, 1],
          [2, () => 1],
        ]),
      },
      'value.m.<value 1>',
      /a function/,
    ],
    'an item of a set': [new Set([Symbol('x')]), 'value.<item 0>', /a symbol/],
    'a property with a strange name': [
      { 'a b': { '': () => 1 } },
      'value["a b"][""]',
      /a function/,
    ],
    'an element behind holes': [
      Object.assign([], { 7: () => 1, length: 9 }),
      'value[7]',
      /a function/,
    ],
  };
  for (const [what, [value, path, message]] of Object.entries(cases)) {
    it(`refuses ${what}, with its path`, () => {
      const refusal = refusalOf(value);
      expect(refusal.path).to.equal(path);
      expect(refusal.message).to.match(message).and.contain(`JsonCodec cannot keep ${path}:`);
    });
  }
});

function twice(): object[] {
  const one = {};
  return [one, one];
}

/** The object that old functions see their arguments in. */
function argumentsOf(): unknown {
  return arguments;
}
