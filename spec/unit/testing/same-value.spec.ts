import { expect } from 'chai';
import { assertSameValue } from '#internal/testing/same-value.js';

const one = { a: 1 };
const other = (): object => ({ a: 1 });
const sparse = (): unknown[] => Object.assign([], { 1: 1, length: 2 });

describe('assertSameValue', () => {
  const different: Readonly<Record<string, readonly [unknown, unknown]>> = {
    'minus zero and zero': [-0, 0],
    'a hole and undefined': [sparse(), [undefined, 1]],
    'a property that is undefined and none': [{ a: undefined }, {}],
    'a Buffer and a Uint8Array': [Buffer.of(1), new Uint8Array([1])],
    'an object with and without prototype': [Object.assign(Object.create(null), one), one],
    URLs: [new URL('a:b'), new URL('a:c')],
    'maps of another order': [
      new Map([
        [1, 1],
        [2, 2],
      ]),
      new Map([
        [2, 2],
        [1, 1],
      ]),
    ],
    'sets of another order': [new Set([1, 2]), new Set([2, 1])],
    'one object twice, and two equal ones': [
      [one, one],
      [one, other()],
    ],
    'two equal objects, and one twice': [
      [one, other()],
      [one, one],
    ],
    'a shared key of a map, and an equal one': [new Map([[one, one]]), new Map([[one, other()]])],
    'the position of a regular expression': [/a/g, Object.assign(/a/g, { lastIndex: 1 })],
  };
  for (const [what, [left, right]] of Object.entries(different)) {
    it(`tells apart ${what}`, () => {
      expect(() => assertSameValue(left, right)).to.throw();
      expect(() => assertSameValue(right, left)).to.throw();
    });
  }

  it('accepts copies, cycles included', () => {
    const make = (): unknown => {
      const shared = { at: new Date(1), url: new URL('a:b') };
      const all: unknown[] = [
        shared,
        new Map<unknown, unknown>([[shared, NaN]]),
        new Set([-0]),
        sparse(),
      ];
      all.push(all);
      return all;
    };
    assertSameValue(make(), make());
  });
});
