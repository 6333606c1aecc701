import * as zlib from 'node:zlib';
import { CacheConfigurationError } from '../errors.js';
import { expectInteger, expectOptions, rejectUnknown } from '../options.js';
import {
  DEFAULT_SYNC_LIMIT_BYTES,
  SLOW_SYNC_LIMIT_BYTES,
  ZlibCompressor,
  type ZlibAlgorithm,
} from './zlib-compressor.js';

/** The id of {@link ZstdCompressor} in stored frames. */
export const ZSTD_COMPRESSOR_ID = 3;

/** The level that {@link ZstdCompressor} uses unless told. */
export const DEFAULT_ZSTD_LEVEL = 1;

/** How a {@link ZstdCompressor} works. */
export interface ZstdCompressorOptions {
  /**
   * 1 (fast) to 22 (small).
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

/** The options of `node:zlib` for zstd that are used here. */
export interface ZstdOptions {
  readonly params: Readonly<Record<number, number>>;
}

/** The zstd part of `node:zlib`, which the types of Node 20 do not know. */
interface ZstdFunctions {
  readonly zstdCompressSync: ZlibAlgorithm<ZstdOptions>['compressSync'];
  readonly zstdCompress: ZlibAlgorithm<ZstdOptions>['compress'];
  readonly zstdDecompressSync: ZlibAlgorithm<ZstdOptions>['decompressSync'];
  readonly zstdDecompress: ZlibAlgorithm<ZstdOptions>['decompress'];
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}

/** Zstandard (RFC 8878) by `node:zlib`, where that has it: Node 22.15, Node 23.8 and later. */
export class ZstdCompressor extends ZlibCompressor<ZstdOptions> {
  /** @throws {@link CacheConfigurationError} when this Node has no zstd, {@link InvalidOptionError} */
  constructor(options: ZstdCompressorOptions = {}) {
    expectOptions('ZstdCompressor', options);
    rejectUnknown('ZstdCompressor', options, ['level', 'syncLimitBytes']);
    const level = expectInteger('ZstdCompressor.level', options.level ?? DEFAULT_ZSTD_LEVEL, 1, 22);
    if (!hasZstd()) {
      throw new CacheConfigurationError(
        `ZstdCompressor needs Node 22.15 or 23.8 or later, and this is ${process.version}. Take BrotliCompressor instead.`,
      );
    }
    const zstd = zlib as unknown as ZstdFunctions;
    super(
      {
        id: ZSTD_COMPRESSOR_ID,
        name: 'zstd',
        className: 'ZstdCompressor',
        compressOptions: () => ({ params: { [zstd.constants.ZSTD_c_compressionLevel]: level } }),
        compressSync: zstd.zstdCompressSync,
        compress: zstd.zstdCompress,
        decompressSync: zstd.zstdDecompressSync,
        decompress: zstd.zstdDecompress,
      },
      options.syncLimitBytes ?? (level <= 6 ? DEFAULT_SYNC_LIMIT_BYTES : SLOW_SYNC_LIMIT_BYTES),
    );
  }
}

/** Whether this Node's `node:zlib` has zstd. */
export function hasZstd(): boolean {
  return 'zstdCompressSync' in zlib;
}
