import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { expect } from 'chai';
import {
  CacheConfigurationError,
  CacheDecompressionError,
  InvalidOptionError,
} from '#internal/errors.js';
import { BrotliCompressor } from '#internal/codecs/brotli-compressor.js';
import { builtInCodecs, builtInCompressors } from '#internal/codecs/built-in-codecs.js';
import { GzipCompressor } from '#internal/codecs/gzip-compressor.js';
import { Lz4Compressor } from '#internal/codecs/lz4-compressor.js';
import { hasZstd, ZstdCompressor } from '#internal/codecs/zstd-compressor.js';

const RAW = Buffer.alloc(20_000, 'some text that repeats; ');

describe('compressors', () => {
  it('have fixed ids', () => {
    expect([
      new GzipCompressor().id,
      new BrotliCompressor().id,
      new Lz4Compressor().id,
    ]).to.deep.equal([1, 2, 4]);
    expect(builtInCodecs().map(({ name }) => name)).to.deep.equal(['json']);
    expect(builtInCompressors().map(({ id }) => id)).to.deep.equal(hasZstd() ? [1, 2, 3] : [1, 2]);
  });

  for (const [name, make, limit] of [
    [
      GzipCompressor.name,
      (syncLimitBytes?: number) => new GzipCompressor({ syncLimitBytes }),
      65_536,
    ],
    [`${GzipCompressor.name} level 9`, () => new GzipCompressor({ level: 9 }), 4096],
    [
      BrotliCompressor.name,
      (syncLimitBytes?: number) => new BrotliCompressor({ syncLimitBytes }),
      65_536,
    ],
    [`${BrotliCompressor.name} quality 11`, () => new BrotliCompressor({ quality: 11 }), 4096],
    [
      Lz4Compressor.name,
      (syncLimitBytes?: number) => new Lz4Compressor({ syncLimitBytes }),
      524_288,
    ],
  ] as const) {
    it(`${name} works at once up to ${limit} bytes, and beyond off the event loop`, async () => {
      const compressor = make();
      const at = compressor.compress(Buffer.alloc(limit, 'ab'));
      const above = compressor.compress(Buffer.alloc(limit + 1, 'ab'));
      expect(at).to.be.instanceOf(Uint8Array);
      expect(above).to.be.instanceOf(Promise);
      expect(compressor.decompress(at as Uint8Array, limit)).to.be.instanceOf(Uint8Array);
      const restored = compressor.decompress(await above, limit + 1);
      expect(restored).to.be.instanceOf(Promise);
      expect((await restored).length).to.equal(limit + 1);
    });
  }

  it('take another limit', () => {
    expect(new GzipCompressor({ syncLimitBytes: 0 }).compress(RAW)).to.be.instanceOf(Promise);
    expect(new BrotliCompressor({ syncLimitBytes: 0 }).compress(RAW)).to.be.instanceOf(Promise);
    expect(new Lz4Compressor({ syncLimitBytes: 0 }).compress(RAW)).to.be.instanceOf(Promise);
  });

  it('write the standard formats', () => {
    expect(gunzipSync(new GzipCompressor().compress(RAW) as Uint8Array)).to.deep.equal(RAW);
    expect(brotliDecompressSync(new BrotliCompressor().compress(RAW) as Uint8Array)).to.deep.equal(
      RAW,
    );
  });

  it('refuse levels and options that do not exist', () => {
    for (const make of [
      () => new GzipCompressor({ level: 0 }),
      () => new GzipCompressor({ level: 10 }),
      () => new BrotliCompressor({ quality: 12 }),
      () => new BrotliCompressor({ level: 1 } as never),
      () => new Lz4Compressor({ syncLimitBytes: -1 }),
      () => new Lz4Compressor(null as never),
    ]) {
      expect(make).to.throw(InvalidOptionError);
    }
  });

  it('spend no memory on what an LZ4 block merely declares', () => {
    const block = Buffer.alloc(100);
    block.writeUInt32LE(1_000_000_000, 0);
    expect(() =>
      new Lz4Compressor({ syncLimitBytes: Infinity }).decompress(block, 1_000_000_000),
    ).to.throw(CacheDecompressionError);
  });

  it('say what to take where Node has no zstd', function () {
    if (hasZstd()) this.skip();
    expect(() => new ZstdCompressor()).to.throw(
      CacheConfigurationError,
      /Node 22\.15.*BrotliCompressor/,
    );
    expect(() => new ZstdCompressor({ level: 99 })).to.throw(InvalidOptionError);
  });
});
