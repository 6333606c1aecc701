import { expect } from 'chai';
import { binaryFrom, binaryKindNamed, bytesOf } from '#internal/codecs/binary-kinds.js';

describe('binary kinds', () => {
  for (const [value, expected] of [
    [new Uint16Array([0x0102]), [2, 1]],
    [new Uint32Array([0x01020304]), [4, 3, 2, 1]],
    [new BigUint64Array([0x0102030405060708n]), [8, 7, 6, 5, 4, 3, 2, 1]],
    [new Uint8Array([1, 2]), [1, 2]],
  ] as const) {
    it(`keep ${value.constructor.name} in the same bytes on machines of either byte order`, () => {
      const kind = binaryKindNamed(value.constructor.name)!;
      const bytes = bytesOf(value, kind, false);
      expect([...bytes]).to.deep.equal(expected);
      expect(binaryFrom(bytes, kind, false)).to.deep.equal(value);
      // On a big endian machine memory holds the elements the other way round, and so do both directions.
      const reversed = bytesOf(value, kind, true);
      expect([...reversed]).to.deep.equal(
        kind.elementBytes === 1 ? expected : [...expected].reverse(),
      );
      expect(binaryFrom(reversed, kind, true)).to.deep.equal(value);
    });
  }

  it('do not change the value when they write it', () => {
    const value = new Uint16Array([1, 2]);
    bytesOf(value, binaryKindNamed('Uint16Array')!, true).fill(0);
    expect([...value]).to.deep.equal([1, 2]);
  });

  it('refuse a number of bytes that does not fit', () => {
    expect(binaryFrom(Buffer.alloc(5), binaryKindNamed('Uint32Array')!)).to.equal(undefined);
  });
});
