import { expect } from 'chai';
import { estimateSize, textSize } from '#internal/backends/memory/memory-size.js';

const sizeOf = (value: unknown): number => estimateSize(value, Infinity);

describe('textSize', () => {
  it('counts one byte per character up to U+00FF, else two', () => {
    expect(textSize('') + 10).to.equal(textSize('é'.repeat(10)));
    expect(textSize('') + 20).to.equal(textSize('€'.repeat(10)));
    expect(textSize('') + 4).to.equal(textSize('a€'));
    expect(textSize('a\nb') - textSize('')).to.equal(3);
  });
});

describe('estimateSize', () => {
  it('counts what a value holds, once', () => {
    const shared = 'x'.repeat(1_000);
    const list = { text: shared };
    expect(sizeOf([list, list])).to.be.lessThan(1_200);
    expect(sizeOf([list, { text: shared }])).to.be.greaterThan(2_000);
  });

  it('takes cycles', () => {
    const value: Record<string, unknown> = {};
    value['self'] = value;
    expect(sizeOf(value)).to.be.lessThan(100);
  });

  it('takes values nested deeper than calls may be', () => {
    let deep: unknown = null;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    expect(sizeOf(deep)).to.be.greaterThan(100_000 * 16);
  });

  it('stops when it is above the limit', () => {
    let calls = 0;
    const list = Array.from({ length: 1_000 }, () => {
      return new Proxy({}, { ownKeys: () => ((calls += 1), []) });
    });
    expect(estimateSize(list, 8_500)).to.be.greaterThan(8_500);
    expect(calls).to.be.lessThan(100);
  });

  it('calls no accessor', () => {
    const value = Object.defineProperty({}, 'a', {
      get: () => expect.fail('called'),
      enumerable: true,
    });
    expect(sizeOf(value)).to.be.greaterThan(0);
  });

  it('counts bytes outside the heap', () => {
    for (const value of [Buffer.alloc(5_000), new Uint8Array(5_000), new ArrayBuffer(5_000)]) {
      expect(sizeOf(value)).to.be.within(5_000, 5_300);
    }
  });

  it('grows with each kind of content', () => {
    const text = 'x'.repeat(100);
    for (const [empty, full] of [
      [[], [text]],
      [{}, { text }],
      [new Map(), new Map([[text, 1]])],
      [new Map(), new Map([[1, text]])],
      [new Set(), new Set([text])],
      [1, 2n ** 1_000n],
      [new Error(''), new Error(text)],
    ] as const) {
      expect(sizeOf(full) - sizeOf(empty)).to.be.at.least(100);
    }
    expect(sizeOf({ a: 1.5 })).to.be.greaterThan(sizeOf({ a: 1 }));
    expect(sizeOf([1.5, 2.5])).to.equal(sizeOf([1, 2]));
    expect(sizeOf([1.5, null])).to.be.greaterThan(sizeOf([1, null]));
    expect(sizeOf(new Date())).to.be.greaterThan(0);
  });
});
