import {
  brotliCompress,
  brotliCompressSync,
  brotliDecompress,
  brotliDecompressSync,
  constants,
  type BrotliOptions,
} from 'node:zlib';
import { expectInteger, expectOptions, rejectUnknown } from '../options.js';
import {
  DEFAULT_SYNC_LIMIT_BYTES,
  SLOW_SYNC_LIMIT_BYTES,
  ZlibCompressor,
} from './zlib-compressor.js';

/** The id of {@link BrotliCompressor} in stored frames. */
export const BROTLI_COMPRESSOR_ID = 2;

/** The quality that {@link BrotliCompressor} uses unless told. */
export const DEFAULT_BROTLI_QUALITY = 1;

/** How a {@link BrotliCompressor} works. */
export interface BrotliCompressorOptions {
  /**
   * 0 (fast) to 11 (small). Node's own default is 11, which takes a hundred times as long as 1 and is no choice for a
   * cache; 4 takes about ten times as long as 1.
   *
   * @defaultValue 1
   */
  readonly quality?: number | undefined;
  /**
   * Up to how many raw bytes it works at once; larger inputs go to libuv's threads and give a promise. 0 = always a
   * promise, `Infinity` = never.
   *
   * @defaultValue 65536 up to quality 4, above it 4096
   */
  readonly syncLimitBytes?: number | undefined;
}

/** Brotli (RFC 7932) by `node:zlib`: on JSON smaller and faster than gzip at the lowest levels of both. */
export class BrotliCompressor extends ZlibCompressor<BrotliOptions> {
  /** @throws {@link InvalidOptionError} */
  constructor(options: BrotliCompressorOptions = {}) {
    expectOptions('BrotliCompressor', options);
    rejectUnknown('BrotliCompressor', options, ['quality', 'syncLimitBytes']);
    const quality = expectInteger(
      'BrotliCompressor.quality',
      options.quality ?? DEFAULT_BROTLI_QUALITY,
      0,
      11,
    );
    super(
      {
        id: BROTLI_COMPRESSOR_ID,
        name: 'brotli',
        className: 'BrotliCompressor',
        compressOptions: (rawLength) => ({
          params: {
            [constants.BROTLI_PARAM_QUALITY]: quality,
            [constants.BROTLI_PARAM_SIZE_HINT]: rawLength,
          },
        }),
        compressSync: brotliCompressSync,
        compress: brotliCompress,
        decompressSync: brotliDecompressSync,
        decompress: brotliDecompress,
      },
      options.syncLimitBytes ?? (quality <= 4 ? DEFAULT_SYNC_LIMIT_BYTES : SLOW_SYNC_LIMIT_BYTES),
    );
  }
}
