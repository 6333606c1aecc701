import { expect } from 'chai';
import fc from 'fast-check';
import { describe, it } from 'mocha';
import {
  isVoidBy,
  NO_MARKER,
  parseTagMarker,
  ruleText,
} from '#internal/backends/redis/tag-marker.js';

const tag = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
const tags = fc.uniqueArray(tag, { minLength: 1, maxLength: 5 });
const number = fc.maxSafeNat();

describe('tag markers', () => {
  it('read what rules write, whatever characters the tags have', () => {
    fc.assert(
      fc.property(number, fc.array(fc.tuple(number, tags), { maxLength: 16 }), (first, rules) => {
        const text = `${first}${rules.map(([at, names]) => ` ${at}${ruleText(names)}`).join('')}`;
        expect(parseTagMarker(Buffer.from(text))).to.deep.equal({
          number: first,
          rules: rules.map(([at, names]) => ({ number: at, tags: names })),
        });
      }),
    );
  });

  it('count whatever else lies there as absent, which voids everything', () => {
    for (const text of [
      ...[
        '',
        ' ',
        'x',
        '12x',
        '12 ',
        '12 3',
        '12 3 ',
        '12 3 0',
        '12 3 1',
        '12 3 1 2',
        '12 3 1 2:a',
      ],
      ...['12 3 1 1:ab', '12  3 1 1:a', '12 3 x 1:a', '12345678901234567'],
    ]) {
      const marker = parseTagMarker(Buffer.from(text));
      expect(isVoidBy(marker, Number.MAX_SAFE_INTEGER, ['a']), `'${text}'`).to.equal(true);
    }
    expect(parseTagMarker(null)).to.equal(NO_MARKER);
    expect(isVoidBy(NO_MARKER, 5, ['a'])).to.equal(true);
  });

  it('void below their number, and by a rule only what has all of its tags and is older', () => {
    const marker = parseTagMarker(Buffer.from(`5 9${ruleText(['a', 'b'])}`));
    expect(isVoidBy(marker, 4, ['a'])).to.equal(true);
    expect(isVoidBy(marker, 5, ['a'])).to.equal(false);
    expect(isVoidBy(marker, 8, ['a', 'c'])).to.equal(false);
    expect(isVoidBy(marker, 8, ['c', 'b', 'a'])).to.equal(true);
    expect(isVoidBy(marker, 9, ['a', 'b'])).to.equal(false);
  });
});
