import { crc32 } from 'node:zlib';
import { expect } from 'chai';
import fc from 'fast-check';
import {
  FRAME_KINDS,
  FRAME_OFFSETS,
  MAX_LINEAGE,
  readFrame,
  writeFrame,
} from '#internal/cache/entry-frame.js';
import type { EncodedValue, FrameRecord } from '#internal/cache/entry-framer.js';
import { CacheDeserializationError, CacheSerializationError } from '#internal/errors.js';
import { RECORD } from '../../support/framing.js';

const VALUE: EncodedValue = {
  codecId: 1,
  compressorId: 0,
  kind: 'value',
  rawLength: 3,
  bytes: Buffer.from('[1]'),
};

function reasonOf(bytes: Buffer): string | undefined {
  try {
    readFrame(bytes);
  } catch (error) {
    expect(error).to.be.instanceOf(CacheDeserializationError);
    return (error as CacheDeserializationError).reason;
  }
  return undefined;
}

/** The frame with other bytes in it and a checksum that fits them. */
function resealed(frame: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(frame);
  change(copy);
  copy.writeUInt32LE(crc32(copy.subarray(0, -4)), copy.length - 4);
  return copy;
}

describe('entry frame', () => {
  describe('writeFrame', () => {
    it('puts every field where the published offsets say', () => {
      const frame = writeFrame({ ...VALUE, kind: 'error', codecId: 7, compressorId: 9 }, RECORD);
      expect(frame.readUInt16BE(FRAME_OFFSETS.magic)).to.equal(0xcace);
      expect(frame[FRAME_OFFSETS.version]).to.equal(1);
      expect(frame[FRAME_OFFSETS.kind]).to.equal(FRAME_KINDS.error);
      expect(frame[FRAME_OFFSETS.codecId]).to.equal(7);
      expect(frame[FRAME_OFFSETS.compressorId]).to.equal(9);
      expect(frame.readUIntBE(FRAME_OFFSETS.lineage, 6)).to.equal(RECORD.lineage);
      expect(frame.readBigUInt64BE(FRAME_OFFSETS.generation)).to.equal(BigInt(RECORD.generation));
      expect(frame.readBigUInt64BE(FRAME_OFFSETS.sequence)).to.equal(BigInt(RECORD.sequence));
      expect(frame.readUIntBE(FRAME_OFFSETS.createdAt, 6)).to.equal(RECORD.createdAt);
      expect(frame.readUIntBE(FRAME_OFFSETS.ttlMs, 6)).to.equal(60_000);
      expect(frame.readUIntBE(FRAME_OFFSETS.retainMs, 6)).to.equal(2 ** 48 - 1);
      expect(frame.readUInt32BE(FRAME_OFFSETS.loadCostMs)).to.equal(42);
      expect(frame.readUInt32BE(FRAME_OFFSETS.rawLength)).to.equal(3);
      expect(frame.readUInt16BE(FRAME_OFFSETS.tagsLength)).to.equal(6 + 8 + 4);
      expect(frame.toString('utf8', FRAME_OFFSETS.tags + 2, FRAME_OFFSETS.tags + 6)).to.equal(
        'list',
      );
      expect(frame.toString('latin1', frame.length - 7, frame.length - 4)).to.equal('[1]');
      expect(frame.readUInt32LE(frame.length - 4)).to.equal(crc32(frame.subarray(0, -4)));
    });

    it('begins with bytes that no UTF-8 text begins with', () => {
      const frame = writeFrame(VALUE, RECORD);
      expect(() =>
        new TextDecoder('utf-8', { fatal: true }).decode(frame.subarray(0, 2)),
      ).to.throw();
    });

    it('rounds spans up and clamps what 48 bits do not hold', () => {
      const record = { ...RECORD, ttlMs: 0.2, retainMs: 1e30, createdAt: -5, loadCostMs: 1e12 };
      const opened = readFrame(writeFrame(VALUE, record));
      expect(opened.ttlMs).to.equal(1);
      expect(opened.retainMs).to.equal(2 ** 48 - 2);
      expect(opened.createdAt).to.equal(0);
      expect(opened.loadCostMs).to.equal(0xffff_ffff);
    });

    for (const [what, record] of Object.entries<FrameRecord>({
      'a sequence beyond 2^53': { ...RECORD, sequence: 2 ** 53 },
      'a broken generation': { ...RECORD, generation: 1.5 },
      'a negative lineage': { ...RECORD, lineage: -1 },
      'a lineage beyond 48 bits': { ...RECORD, lineage: MAX_LINEAGE + 1 },
      'a tag that is not well-formed': { ...RECORD, tags: ['a\ud800'] },
      'tags beyond 64 kB': { ...RECORD, tags: ['a'.repeat(40_000), 'b'.repeat(40_000)] },
    })) {
      it(`refuses ${what}`, () => {
        expect(() => writeFrame(VALUE, record)).to.throw(CacheSerializationError);
      });
    }
  });

  describe('readFrame', () => {
    it('gives back every record exactly', () => {
      const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
      const span = fc.oneof(fc.nat({ max: 2 ** 48 - 2 }), fc.constant(Infinity));
      fc.assert(
        fc.property(
          fc.record({
            tags: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 }),
            sequence: whole,
            generation: whole,
            lineage: fc.nat({ max: MAX_LINEAGE }),
            createdAt: fc.nat({ max: 2 ** 48 - 1 }),
            ttlMs: span,
            retainMs: span,
            loadCostMs: fc.nat({ max: 0xffff_ffff }),
          }),
          fc.uint8Array({ maxLength: 300 }),
          fc.constantFrom('value' as const, 'error' as const),
          fc.integer({ min: 1, max: 255 }),
          fc.integer({ min: 0, max: 255 }),
          (record, bytes, kind, codecId, compressorId) => {
            const rawLength = compressorId === 0 ? bytes.length : 0xffff_ffff;
            const frame = writeFrame({ codecId, compressorId, kind, rawLength, bytes }, record);
            const { payload, ...header } = readFrame(frame);
            expect(header).to.deep.equal({
              ...record,
              frameVersion: 1,
              codecId,
              compressorId,
              kind,
              rawLength,
            });
            expect(payload.equals(bytes)).to.equal(true);
          },
        ),
        { numRuns: 2000 },
      );
    });

    it('gives a view of the payload, not a copy', () => {
      const frame = writeFrame(VALUE, RECORD);
      expect(readFrame(frame).payload.buffer).to.equal(frame.buffer);
    });

    it('tells foreign bytes from frames', () => {
      for (const text of ['', '{', '{"a":1}', '\u001f\u008b', 'CACHE']) {
        expect(reasonOf(Buffer.from(text, 'latin1')), text).to.equal('foreign');
      }
    });

    it('tells a frame of a later version, whatever follows', () => {
      const frame = writeFrame(VALUE, RECORD);
      frame[FRAME_OFFSETS.version] = 2;
      expect(reasonOf(frame)).to.equal('unknown-version');
      expect(reasonOf(frame.subarray(0, 3))).to.equal('unknown-version');
    });

    it('finds every flipped bit', () => {
      const frame = writeFrame(VALUE, RECORD);
      for (let bit = 0; bit < frame.length * 8; bit++) {
        const copy = Buffer.from(frame);
        copy[bit >>> 3]! ^= 1 << (bit & 7);
        expect(reasonOf(copy), `bit ${bit}`).to.be.a('string');
      }
    });

    it('finds every cut', () => {
      const frame = writeFrame(VALUE, RECORD);
      for (let length = 0; length < frame.length; length++) {
        expect(reasonOf(frame.subarray(0, length)), `cut to ${length}`).to.equal(
          length < 2 ? 'foreign' : 'damaged',
        );
      }
    });

    it('refuses headers that contradict themselves under a sound checksum', () => {
      const frame = writeFrame(VALUE, RECORD);
      const changes: Record<string, (copy: Buffer) => void> = {
        'version 0': (copy) => copy.writeUInt8(0, FRAME_OFFSETS.version),
        'kind 2': (copy) => copy.writeUInt8(FRAME_KINDS.reserved, FRAME_OFFSETS.kind),
        'raw length': (copy) => copy.writeUInt32BE(4, FRAME_OFFSETS.rawLength),
        'tags beyond the end': (copy) => copy.writeUInt16BE(0xffff, FRAME_OFFSETS.tagsLength),
        'a tag beyond its block': (copy) => copy.writeUInt16BE(0xff, FRAME_OFFSETS.tags),
        'half a tag length': (copy) => {
          copy.writeUInt16BE(1, FRAME_OFFSETS.tagsLength);
          copy.writeUInt32BE(3 + 17, FRAME_OFFSETS.rawLength);
        },
        'a sequence beyond 2^53': (copy) => copy.writeUInt32BE(0xffff_ffff, FRAME_OFFSETS.sequence),
      };
      for (const [what, change] of Object.entries(changes)) {
        expect(reasonOf(resealed(frame, change)), what).to.equal('damaged');
      }
    });

    it('throws nothing but CacheDeserializationError, whatever the bytes', () => {
      const frame = writeFrame(VALUE, RECORD);
      fc.assert(
        fc.property(
          fc.uint8Array({ maxLength: 120 }),
          fc.nat(3),
          fc.boolean(),
          (bytes, keep, isSealed) => {
            const candidate = Buffer.concat([frame.subarray(0, keep), bytes]);
            reasonOf(
              isSealed && candidate.length > 4 ? resealed(candidate, () => undefined) : candidate,
            );
          },
        ),
        { numRuns: 5000 },
      );
    });
  });
});
