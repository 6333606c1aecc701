import { expect } from 'chai';
import fc from 'fast-check';
import { type ByteRange, isContentRange, parseByteRange } from '#internal/http/byte-range.js';

describe('parseByteRange', () => {
  const ROWS: readonly (readonly [string, number, ByteRange])[] = [
    ['bytes=0-1', 10, { start: 0, end: 2 }],
    ['BYTES=0-1', 10, { start: 0, end: 2 }],
    ['bytes= 0-1 ', 10, { start: 0, end: 2 }],
    ['bytes=3-', 10, { start: 3, end: 10 }],
    ['bytes=-3', 10, { start: 7, end: 10 }],
    ['bytes=-99', 10, { start: 0, end: 10 }],
    ['bytes=9-9', 10, { start: 9, end: 10 }],
    ['bytes=8-99999999999999999999', 10, { start: 8, end: 10 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=10-20', 10, 'unsatisfiable'],
    ['bytes=99999999999999999999-', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=0-', 0, 'unsatisfiable'],
    ['bytes=-1', 0, 'unsatisfiable'],
    ['bytes=5-4', 10, 'none'],
    ['bytes=0-1,3-4', 10, 'none'],
    ['bytes=0-1,', 10, 'none'],
    ['bytes=', 10, 'none'],
    ['bytes=-', 10, 'none'],
    ['bytes', 10, 'none'],
    ['bytes=a-b', 10, 'none'],
    ['bytes=1-2-3', 10, 'none'],
    ['bytes=0x1-2', 10, 'none'],
    ['bytes=1.0-2', 10, 'none'],
    ['bytes=+1-2', 10, 'none'],
    ['bytes =0-1', 10, 'none'],
    ['lines=0-1', 10, 'none'],
    ['', 10, 'none'],
  ];
  for (const [field, length, expected] of ROWS) {
    it(`reads ${JSON.stringify(field)} of ${length} bytes`, () => {
      expect(parseByteRange(field, length)).to.deep.equal(expected);
    });
  }

  it('never reaches outside the body, and agrees with slice', () => {
    const position = fc.integer({ min: 0, max: 30 });
    fc.assert(
      fc.property(position, position, fc.integer({ min: 0, max: 20 }), (first, last, length) => {
        const range = parseByteRange(`bytes=${first}-${last}`, length);
        if (last < first) expect(range).to.equal('none');
        else if (first >= length) expect(range).to.equal('unsatisfiable');
        else expect(range).to.deep.equal({ start: first, end: Math.min(last + 1, length) });
      }),
    );
  });
});

describe('isContentRange', () => {
  for (const text of ['bytes 0-4/10', 'bytes 4-9/*', 'BYTES 0-0/1']) {
    it(`takes ${text}`, () => expect(isContentRange(text)).to.equal(true));
  }
  for (const text of [
    '',
    'bytes',
    'bytes */10',
    'bytes 0-4',
    'bytes=0-4/10',
    'bytes 0-4/10, bytes 5-9/10',
    'x',
  ]) {
    it(`refuses "${text}"`, () => expect(isContentRange(text)).to.equal(false));
  }
});
