import { expect } from 'chai';
import sinon from 'sinon';
import { DefaultFramer, type DefaultFramerOptions } from '#internal/codecs/default-framer.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { CacheCompressor } from '#internal/cache/codec.js';
import type { EntryFraming, OpenedFrame, ValueModel } from '#internal/cache/entry-framer.js';
import {
  CacheDecompressionError,
  CacheDeserializationError,
  CacheSerializationError,
  InvalidOptionError,
} from '#internal/errors.js';
import { fromSerializer } from '#internal/codecs/from-serializer.js';
import { GzipCompressor } from '#internal/codecs/gzip-compressor.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { Lz4Compressor } from '#internal/codecs/lz4-compressor.js';
import { MsgpackCodec } from '#internal/codecs/msgpack-codec.js';
import { seededRandom } from '#internal/testing/random-values.js';
import { assertSameValue } from '#internal/testing/same-value.js';
import { CODECS, COMPRESSORS, errorOf, RECORD, rows } from '../../support/framing.js';

function framerWith(options: Partial<DefaultFramerOptions> = {}): DefaultFramer {
  return new DefaultFramer({ codec: new JsonCodec(), ...options });
}

async function frameOf(
  framer: DefaultFramer,
  value: unknown,
  framing?: EntryFraming,
): Promise<Buffer> {
  return framer.frame(await framer.encodeValue({ value, kind: 'value' }, framing), RECORD);
}

/** The text whose JSON has that many bytes. */
const textOf = (bytes: number): string => 'a'.repeat(bytes - 2);

const halving: CacheCompressor = {
  id: 200,
  name: 'halving',
  compress: (bytes) => bytes.subarray(0, bytes.length >>> 1),
  decompress: (bytes) => Buffer.concat([bytes, bytes]),
};

describe(DefaultFramer.name, () => {
  describe('#constructor', () => {
    it('refuses two codecs or compressors of one id, and unknown options', () => {
      const text = (name: string) =>
        fromSerializer({ id: 128, name, serialize: JSON.stringify, deserialize: JSON.parse });
      expect(() => framerWith({ codecs: [text('one'), text('two')] })).to.throw(
        InvalidOptionError,
        /'one' and 'two'/,
      );
      expect(() => framerWith({ compressors: [halving, { ...halving }] })).to.throw(
        InvalidOptionError,
      );
      expect(() => framerWith({ treshold: 1 } as never)).to.throw(InvalidOptionError);
      expect(() => framerWith({ codec: { ...text('zero'), id: 0 } })).to.throw(InvalidOptionError);
    });

    it('lets an own codec take the place of the built-in one', async () => {
      const decode = sinon.spy(JsonCodec.prototype, 'decode');
      try {
        const own = new JsonCodec();
        const framer = framerWith({ codecs: [own], codec: new MsgpackCodec() });
        const frame = await frameOf(framerWith(), [1]);
        expect(await framer.decodeValue(framer.open(frame))).to.deep.equal([1]);
        expect(decode.lastCall.thisValue).to.equal(own);
      } finally {
        decode.restore();
      }
    });
  });

  describe('#encodeValue', () => {
    it('answers at once without compression', () => {
      const encoded = framerWith().encodeValue({ value: { a: 1 }, kind: 'value' });
      expect(encoded).to.deep.include({ codecId: 1, compressorId: 0, kind: 'value', rawLength: 7 });
    });

    it('compresses from 1024 bytes on, not at 1023', async () => {
      const framer = framerWith({ compressor: new GzipCompressor() });
      const at = async (bytes: number) =>
        framer.encodeValue({ value: textOf(bytes), kind: 'value' });
      expect(await at(1023)).to.include({ compressorId: 0, rawLength: 1023 });
      expect(await at(1024)).to.include({ compressorId: 1, rawLength: 1024 });
    });

    it('lets a cache override codec, compressor and threshold', async () => {
      const framer = framerWith({ compressor: new GzipCompressor() });
      const value = textOf(2000);
      const entry = { value, kind: 'value' } as const;
      expect(await framer.encodeValue(entry, { compressor: null })).to.include({ compressorId: 0 });
      expect(await framer.encodeValue(entry, { compressor: new Lz4Compressor() })).to.include({
        compressorId: 4,
      });
      expect(await framer.encodeValue(entry, { compressionThresholdBytes: 5000 })).to.include({
        compressorId: 0,
      });
      expect(await framer.encodeValue(entry, { codec: new MsgpackCodec() })).to.include({
        codecId: 2,
      });
    });

    it('stores as it is what compression makes less than 5 % smaller', async () => {
      const at = async (share: number) =>
        framerWith({
          compressor: {
            ...halving,
            compress: (bytes) => bytes.subarray(0, Math.ceil(bytes.length * share)),
          },
        }).encodeValue({ value: textOf(10_000), kind: 'value' });
      expect(await at(0.96)).to.include({ compressorId: 0, rawLength: 10_000 });
      expect(await at(0.94)).to.include({ compressorId: 200, rawLength: 10_000 });
    });

    for (const [how, compress] of Object.entries<CacheCompressor['compress']>({
      throws: () => {
        throw new Error('out of order');
      },
      rejects: () => Promise.reject(new Error('out of order')),
    })) {
      it(`stores as it is and warns, when the compressor ${how}`, async () => {
        const warn = sinon.spy();
        const framer = framerWith({
          compressor: { ...halving, compress },
          logger: { ...silentLogger, warn },
        });
        const frame = await frameOf(framer, textOf(5000));
        expect(framer.open(frame)).to.include({ compressorId: 0, rawLength: 5000 });
        expect(await framer.decodeValue(framer.open(frame))).to.equal(textOf(5000));
        sinon.assert.calledOnceWithExactly(warn, sinon.match.string, {
          compressor: 'halving',
          bytes: 5000,
          error: 'out of order',
        });
      });
    }

    it('refuses values beyond the limit', () => {
      const framer = framerWith({ maxDecompressedBytes: 1000 });
      expect(framer.encodeValue({ value: textOf(1000), kind: 'value' })).to.include({
        rawLength: 1000,
      });
      expect(() => framer.encodeValue({ value: textOf(1001), kind: 'value' })).to.throw(
        CacheSerializationError,
      );
    });

    it('passes the codec’s refusal on, and wraps any other failure of it', () => {
      const framer = framerWith();
      expect(() => framer.encodeValue({ value: { a: [Symbol('b')] }, kind: 'value' }))
        .to.throw(CacheSerializationError)
        .with.property('path', 'value.a[0]');
      const failing = {
        ...fromSerializer({ id: 129, name: 'x', serialize: String, deserialize: String }),
      };
      const codec = {
        ...failing,
        id: 129,
        name: 'x',
        decode: () => 1,
        encode: () => {
          throw new TypeError('inside');
        },
      };
      expect(() => framerWith({ codec }).encodeValue({ value: 1, kind: 'value' }))
        .to.throw(CacheSerializationError)
        .with.nested.property('cause.message', 'inside');
    });

    it('refuses errors unless the cache says how to revive them', async () => {
      const entry = { value: new Error('no'), kind: 'error' } as const;
      expect(() => framerWith().encodeValue(entry)).to.throw(CacheSerializationError);
      const errors: ValueModel = {
        toPlain: (value) => (value as Error).message,
        fromPlain: (plain) => new RangeError(plain as string),
      };
      const framer = framerWith();
      const frame = framer.open(framer.frame(await framer.encodeValue(entry, { errors }), RECORD));
      expect(frame.kind).to.equal('error');
      expect(await framer.decodeValue(frame, { errors }))
        .to.be.instanceOf(RangeError)
        .with.property('message', 'no');
      const refusal = await errorOf(() => framer.decodeValue(frame));
      expect(refusal).to.be.instanceOf(CacheDeserializationError).with.property('reason', 'model');
    });
  });

  describe('#decodeValue', () => {
    for (const codec of CODECS) {
      for (const compressor of COMPRESSORS) {
        const way = `${codec.name}, ${compressor?.name ?? 'uncompressed'}`;

        it(`reads ${way} whatever it writes with`, async () => {
          const frame = await frameOf(framerWith({ codec, compressor }), rows(60));
          const reader = framerWith({
            codecs: [new MsgpackCodec()],
            compressors: [new Lz4Compressor()],
          });
          const opened = reader.open(frame);
          expect(opened).to.include({ codecId: codec.id, compressorId: compressor?.id ?? 0 });
          assertSameValue(await reader.decodeValue(opened), rows(60));
        });

        it(`never reads a value when one bit of ${way} is flipped`, async () => {
          const framer = framerWith({ codec, compressor, compressionThresholdBytes: 0 });
          const frame = await frameOf(framer, rows(4));
          for (let bit = 0; bit < frame.length * 8; bit++) {
            frame[bit >>> 3]! ^= 1 << (bit & 7);
            const error = await errorOf(() => framer.decodeValue(framer.open(frame)));
            expect(error, `bit ${bit}`).to.be.instanceOf(CacheDeserializationError);
            frame[bit >>> 3]! ^= 1 << (bit & 7);
          }
          assertSameValue(await framer.decodeValue(framer.open(frame)), rows(4));
        });
      }
    }

    it('never reads a value from 100,000 mutated frames', async function () {
      this.timeout(60_000);
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = seededRandom(seed);
      const frames: Buffer[] = [];
      for (const codec of CODECS) {
        for (const compressor of COMPRESSORS) {
          frames.push(
            await frameOf(framerWith({ codec, compressor, compressionThresholdBytes: 0 }), rows(3)),
          );
        }
      }
      const framer = framerWith({
        codecs: [new MsgpackCodec()],
        compressors: [new Lz4Compressor()],
      });
      for (let run = 0; run < 100_000; run++) {
        const frame = frames[run % frames.length]!;
        const mutated = mutate(frame, random);
        if (mutated.equals(frame)) continue;
        let opened: OpenedFrame | undefined;
        try {
          opened = framer.open(mutated);
        } catch (error) {
          if (error instanceof CacheDeserializationError) continue;
          throw new Error(`seed ${seed}, run ${run}`, { cause: error });
        }
        throw new Error(
          `seed ${seed}, run ${run}: a mutated frame was opened as ${JSON.stringify(opened)}`,
        );
      }
    });

    it('throws nothing but its two errors for hostile frames with a sound checksum', async () => {
      const seed = Math.floor(Math.random() * 2 ** 32);
      const random = seededRandom(seed);
      const framer = framerWith({
        codecs: [new MsgpackCodec()],
        compressors: [new Lz4Compressor()],
        maxDecompressedBytes: 100_000,
      });
      for (let run = 0; run < 5000; run++) {
        const bytes = Buffer.from(Uint8Array.from({ length: random() % 60 }, random));
        const compressorId = random() % 6;
        const rawLength = compressorId === 0 ? bytes.length : random() % 200_000;
        const frame = framer.frame(
          { codecId: random() % 4, compressorId, kind: 'value', rawLength, bytes },
          RECORD,
        );
        const error = await errorOf(() => framer.decodeValue(framer.open(frame)));
        const isExpected =
          error === undefined ||
          error instanceof CacheDeserializationError ||
          error instanceof CacheDecompressionError;
        expect(isExpected, `seed ${seed}, run ${run}: ${String(error)}`).to.equal(true);
      }
    });

    it('leaves frames of unknown codecs and compressors to others', async () => {
      const codec = fromSerializer({
        id: 222,
        name: 'theirs',
        serialize: JSON.stringify,
        deserialize: JSON.parse,
      });
      const writer = framerWith({ codec, compressor: halving, compressionThresholdBytes: 0 });
      for (const [frame, reader] of [
        [await frameOf(framerWith({ codec }), 'abcd'), framerWith()],
        [await frameOf(writer, 'abcd'), framerWith({ codecs: [codec] })],
      ] as const) {
        const opened = reader.open(frame);
        expect(opened.tags).to.deep.equal(RECORD.tags);
        const error = await errorOf(() => reader.decodeValue(opened));
        expect(error)
          .to.be.instanceOf(CacheDeserializationError)
          .with.property('reason', 'unknown-codec');
      }
    });

    it('refuses a declared length beyond the limit before it asks the compressor', async () => {
      const decompress = sinon.spy(halving.decompress);
      const frame = framerWith().frame(
        { codecId: 1, compressorId: 200, kind: 'value', rawLength: 1_000_001, bytes: Buffer.of(1) },
        RECORD,
      );
      const reader = framerWith({
        compressor: { ...halving, decompress },
        maxDecompressedBytes: 1_000_000,
      });
      const error = await errorOf(() => reader.decodeValue(reader.open(frame)));
      expect(error).to.be.instanceOf(CacheDecompressionError);
      sinon.assert.notCalled(decompress);
    });

    for (const compressor of COMPRESSORS) {
      if (compressor === null) continue;
      it(`stops a ${compressor.name} bomb at the length it declares`, async () => {
        const bytes = await compressor.compress(Buffer.alloc(50 * 1024 * 1024));
        const frame = framerWith().frame(
          { codecId: 1, compressorId: compressor.id, kind: 'value', rawLength: 5000, bytes },
          RECORD,
        );
        const reader = framerWith({ compressor });
        const error = await errorOf(() => reader.decodeValue(reader.open(frame)));
        expect(error).to.be.instanceOf(CacheDecompressionError);
      });
    }

    for (const [how, decompress] of Object.entries<CacheCompressor['decompress']>({
      'gives another length': () => Buffer.alloc(1),
      'gives another length later': () => Promise.resolve(Buffer.alloc(1)),
      throws: () => {
        throw new Error('inside');
      },
      rejects: () => Promise.reject(new Error('inside')),
    })) {
      it(`refuses what a compressor restores, when it ${how}`, async () => {
        const framer = framerWith({ compressor: { ...halving, decompress } });
        const frame = await frameOf(framer, textOf(5000));
        const error = await errorOf(() => framer.decodeValue(framer.open(frame)));
        expect(error).to.be.instanceOf(CacheDecompressionError);
      });
    }

    it('does not tell what a failing codec said, which may quote the value', async () => {
      const frame = framerWith().frame(
        {
          codecId: 1,
          compressorId: 0,
          kind: 'value',
          rawLength: 9,
          bytes: Buffer.from('secret123'),
        },
        RECORD,
      );
      const framer = framerWith();
      const error = await errorOf(() => framer.decodeValue(framer.open(frame)));
      expect(error).to.be.instanceOf(CacheDeserializationError).with.property('reason', 'damaged');
      expect((error as Error).cause).to.equal(undefined);
      expect((error as Error).message).to.not.include('secret');
    });

    it('runs the value through the cache’s model', async () => {
      const model: ValueModel = {
        toPlain: (value) => [...(value as string)],
        fromPlain: (plain) => Promise.resolve((plain as string[]).join('')),
      };
      const framer = framerWith();
      const frame = framer.open(await frameOf(framer, 'abc', { model }));
      expect(frame.payload.toString()).to.equal('["a","b","c"]');
      expect(await framer.decodeValue(frame, { model })).to.equal('abc');
    });

    it('does not take values that look like frames for frames', async () => {
      const framer = framerWith({ compressor: new GzipCompressor() });
      const inner = await frameOf(framer, rows(60));
      const frame = await frameOf(framer, inner);
      assertSameValue(await framer.decodeValue(framer.open(frame)), inner);
    });
  });
});

/** Changes, cuts out, doubles or inserts some bytes, or cuts the end off. */
function mutate(frame: Buffer, random: () => number): Buffer {
  const at = random() % frame.length;
  const end = Math.min(at + 1 + (random() % 8), frame.length);
  const noise = Buffer.from(Uint8Array.from({ length: end - at }, random));
  switch (random() % 5) {
    case 0:
      return Buffer.concat([frame.subarray(0, at), noise, frame.subarray(end)]);
    case 1:
      return Buffer.concat([frame.subarray(0, at), frame.subarray(end)]);
    case 2:
      return Buffer.concat([frame.subarray(0, end), frame.subarray(at)]);
    case 3:
      return Buffer.concat([frame.subarray(0, at), noise, frame.subarray(at)]);
    default:
      return frame.subarray(0, at);
  }
}
