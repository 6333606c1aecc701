import { expect } from 'chai';
import { matchesStrongly, matchesWeakly, noneMatchHits } from '#internal/http/entity-tag.js';

describe('noneMatchHits', () => {
  const ROWS: readonly (readonly [string, string | undefined, boolean])[] = [
    ['"a"', '"a"', true],
    ['"a"', '"b"', false],
    ['"a"', undefined, false],
    ['*', undefined, true],
    [' * ', '"a"', true],
    ['"*"', '"a"', false],
    ['"x", "a" ,"y"', '"a"', true],
    ['"x","y","a"', '"a"', true],
    [',, "a"', '"a"', true],
    ['W/"a"', '"a"', true],
    ['"a"', 'W/"a"', true],
    ['W/"a"', 'W/"a"', true],
    ['"x, "a"', '"a"', false],
    ['"a,b"', '"a,b"', true],
    ['"a,b"', '"a', false],
    ['"a\\"', '"a\\"', true],
    ['"a\\", "b"', '"b"', true],
    ['"abc\u00fc"', '"abc\u00fc"', true],
    // What is no entity tag matches its own text only.
    ['a', 'a', true],
    ['a', '"a"', false],
    ['"a"', 'a', false],
    ['w/"a"', 'w/"a"', true],
    ['w/"a"', '"a"', false],
    ['', '"a"', false],
  ];
  for (const [field, tag, expected] of ROWS) {
    it(`${expected ? 'matches' : 'does not match'} ${field} with ${tag}`, () => {
      expect(noneMatchHits(field, tag)).to.equal(expected);
    });
  }
});

describe('matchesStrongly', () => {
  it('takes two equal strong entity tags', () =>
    expect(matchesStrongly('"a"', '"a"')).to.equal(true));
  it('refuses weak ones', () => expect(matchesStrongly('W/"a"', 'W/"a"')).to.equal(false));
  it('refuses what is none', () => expect(matchesStrongly('a', 'a')).to.equal(false));
  it('refuses different ones', () => expect(matchesStrongly('"a"', '"b"')).to.equal(false));
});

describe('matchesWeakly', () => {
  it('takes a weak one for its strong twin', () => {
    expect(matchesWeakly('W/"a"', '"a"')).to.equal(true);
    expect(matchesWeakly('W/"a"', '"b"')).to.equal(false);
  });
});
