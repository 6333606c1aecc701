import { expect } from 'chai';
import fc from 'fast-check';
import * as oracle from 'structured-headers';
import { type BareItem, parseDictionary, parseItemList } from '#internal/http/structured-field.js';

/** The kind that the other library found. */
function kindOf(item: oracle.BareItem): string {
  if (typeof item === 'number') return Number.isInteger(item) ? 'integer' : 'decimal';
  if (typeof item === 'string') return 'string';
  if (typeof item === 'boolean') return 'boolean';
  if (item instanceof Date) return 'date';
  if (item instanceof oracle.Token) return 'token';
  return item instanceof oracle.DisplayString ? 'display' : 'bytes';
}

function describeOther(item: oracle.Item | oracle.InnerList): unknown {
  const value = item[0];
  if (Array.isArray(value)) return ['list'];
  const kind = kindOf(value);
  if (kind === 'integer' || kind === 'string' || kind === 'boolean') return [kind, value];
  return kind === 'token' ? [kind, String(value)] : [kind];
}

function describeOurs(item: BareItem): unknown {
  return 'value' in item ? [item.kind, item.value] : [item.kind];
}

function tryOther<Result>(parse: () => Result): Result | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}

describe('parseDictionary', () => {
  const DICTIONARIES: readonly (readonly [string, readonly (readonly [string, unknown])[]])[] = [
    ['', []],
    ['max-age=60', [['max-age', ['integer', 60]]]],
    [
      'a, b=?0',
      [
        ['a', ['boolean', true]],
        ['b', ['boolean', false]],
      ],
    ],
    ['a=1, a=2', [['a', ['integer', 2]]]],
    ['a=-5;x;y="q"', [['a', ['integer', -5]]]],
    ['a="x\\"y\\\\"', [['a', ['string', 'x"y\\']]]],
    ['a=tok:en/1', [['a', ['token', 'tok:en/1']]]],
    [
      'a=1.5, b=:AQI=:, c=@5',
      [
        ['a', ['decimal']],
        ['b', ['bytes']],
        ['c', ['date']],
      ],
    ],
    ['a=(1 "b" c);d', [['a', ['list']]]],
    [
      '  a  ,\tb ',
      [
        ['a', ['boolean', true]],
        ['b', ['boolean', true]],
      ],
    ],
  ];
  for (const [text, expected] of DICTIONARIES) {
    it(`reads ${JSON.stringify(text)}`, () => {
      const members = parseDictionary(text);
      const found = [...members!].map(([name, item]) => [name, describeOurs(item)]);
      expect(found).to.deep.equal(expected);
    });
  }

  const FAULTS: readonly string[] = [
    'max-age=10000, &&&&&',
    'MaX-aGe=60',
    'max-age =60',
    'max-age= 60',
    'a,',
    ',a',
    'a b',
    'a=',
    'a="',
    'a="\\x"',
    'a="\u00e4"',
    'a=?2',
    'a=:x',
    'a=(1',
    'a=("x"y)',
    'a=1.',
    'a=1.2345',
    'a=1234567890123456',
    'a=--1',
    'a;=1',
    'a=@1.5',
  ];
  for (const text of FAULTS) {
    it(`drops ${JSON.stringify(text)} as a whole`, () => {
      expect(parseDictionary(text)).to.equal(undefined);
    });
  }

  /**
   * Pieces of the grammar, so that a fair share of the texts is sound and most of the rest nearly so. No dates: the other
   * library refuses a blank after one, which RFC 9651 section 4.2 allows.
   */
  const PIECE = fc.constantFrom(
    ...[
      'a',
      'b-c',
      '*x',
      'A',
      '=',
      ',',
      ' ',
      '\t',
      ';',
      '"q"',
      '"',
      '\\',
      '1',
      '-2',
      '1.5',
      '.',
      '?1',
      '?0',
      '(',
      ')',
      ':AQI=:',
      ':',
      'tok/en',
      'é',
    ],
  );
  const TEXT = fc.array(PIECE, { maxLength: 12 }).map((pieces) => pieces.join(''));

  it('agrees with another library on what is sound and what it holds', () => {
    let sound = 0;
    fc.assert(
      fc.property(TEXT, (text) => {
        const other = tryOther(() => oracle.parseDictionary(text));
        const ours = parseDictionary(text);
        const expected =
          other && Object.fromEntries([...other].map(([n, i]) => [n, describeOther(i)]));
        const found = ours && Object.fromEntries([...ours].map(([n, i]) => [n, describeOurs(i)]));
        if (found !== undefined && text !== '') sound++;
        expect(found, text).to.deep.equal(expected);
      }),
      { numRuns: 5000 },
    );
    expect(sound).to.be.greaterThan(100);
  });

  it('agrees with it on lists', () => {
    fc.assert(
      fc.property(TEXT, (text) => {
        const other = tryOther(() => oracle.parseList(text));
        expect(parseItemList(text)?.map(describeOurs), text).to.deep.equal(
          other?.map(describeOther),
        );
      }),
      { numRuns: 5000 },
    );
  });
});
