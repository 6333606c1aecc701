import { gunzip, gunzipSync, gzip, gzipSync, type ZlibOptions } from 'node:zlib';
import { expectInteger, expectOptions, rejectUnknown } from '../options.js';
import {
  DEFAULT_SYNC_LIMIT_BYTES,
  SLOW_SYNC_LIMIT_BYTES,
  ZlibCompressor,
} from './zlib-compressor.js';

/** The id of {@link GzipCompressor} in stored frames. */
export const GZIP_COMPRESSOR_ID = 1;

/** The level that {@link GzipCompressor} uses unless told. */
export const DEFAULT_GZIP_LEVEL = 1;

/** How a {@link GzipCompressor} works. */
export interface GzipCompressorOptions {
  /**
   * 1 (fast) to 9 (small). On JSON, level 6 takes twice the time of level 1 and saves at most a twentieth more.
   *
   * @defaultValue 1
   */
  readonly level?: number | undefined;
  /**
   * Up to how many raw bytes it works at once; larger inputs go to libuv's threads and give a promise. 0 = always a
   * promise, `Infinity` = never.
   *
   * @defaultValue 65536 up to level 6, above it 4096
   */
  readonly syncLimitBytes?: number | undefined;
}

/** gzip (RFC 1952) by `node:zlib`: readable everywhere. `BrotliCompressor` is faster and smaller on JSON. */
export class GzipCompressor extends ZlibCompressor<ZlibOptions> {
  /** @throws {@link InvalidOptionError} */
  constructor(options: GzipCompressorOptions = {}) {
    expectOptions('GzipCompressor', options);
    rejectUnknown('GzipCompressor', options, ['level', 'syncLimitBytes']);
    const level = expectInteger('GzipCompressor.level', options.level ?? DEFAULT_GZIP_LEVEL, 1, 9);
    super(
      {
        id: GZIP_COMPRESSOR_ID,
        name: 'gzip',
        className: 'GzipCompressor',
        compressOptions: () => ({ level }),
        compressSync: gzipSync,
        compress: gzip,
        decompressSync: gunzipSync,
        decompress: gunzip,
      },
      options.syncLimitBytes ?? (level <= 6 ? DEFAULT_SYNC_LIMIT_BYTES : SLOW_SYNC_LIMIT_BYTES),
    );
  }
}
