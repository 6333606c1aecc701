import type { CacheCompressor } from '../cache/codec.js';
import { CacheCompressionError, CacheDecompressionError } from '../errors.js';
import { expectInteger } from '../options.js';

/** Up to this many bytes a fast level works at once: at most about 2 ms, while a thread costs 0.1 to 0.3 ms. */
export const DEFAULT_SYNC_LIMIT_BYTES: number = 64 * 1024;

/** The same for slow levels, which need up to 2 ms per kB. */
export const SLOW_SYNC_LIMIT_BYTES: number = 4 * 1024;

/** The algorithm that a {@link ZlibCompressor} runs: four functions of `node:zlib`, and the options for them. */
export interface ZlibAlgorithm<Options extends object> {
  readonly id: number;
  readonly name: string;
  /** For messages. */
  readonly className: string;
  readonly compressOptions: (rawLength: number) => Options;
  readonly compressSync: (bytes: Uint8Array, options: Options) => Buffer;
  readonly compress: ZlibFunction<Options>;
  readonly decompressSync: (bytes: Uint8Array, options: ZlibLimits) => Buffer;
  readonly decompress: ZlibFunction<ZlibLimits>;
}

/** Bounds that `node:zlib` puts on its output. */
export interface ZlibLimits {
  readonly maxOutputLength: number;
  readonly chunkSize: number;
}

type ZlibFunction<Options> = (
  bytes: Uint8Array,
  options: Options,
  done: (error: Error | null, result: Buffer) => void,
) => void;

/**
 * What the compressors of `node:zlib` have in common: small inputs at once, large ones on libuv's threads so that
 * the event loop goes on, and never more output than was declared.
 */
export abstract class ZlibCompressor<Options extends object> implements CacheCompressor {
  readonly id: number;
  readonly name: string;
  readonly #algorithm: ZlibAlgorithm<Options>;
  readonly #syncLimitBytes: number;

  protected constructor(algorithm: ZlibAlgorithm<Options>, syncLimitBytes: number) {
    this.id = algorithm.id;
    this.name = algorithm.name;
    this.#algorithm = algorithm;
    this.#syncLimitBytes = expectInteger(
      `${algorithm.className}.syncLimitBytes`,
      syncLimitBytes,
      0,
      Infinity,
    );
  }

  /** @throws {@link CacheCompressionError} when it fails */
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const options = this.#algorithm.compressOptions(bytes.length);
    if (bytes.length > this.#syncLimitBytes) {
      return run(this.#algorithm.compress, bytes, options).catch((error: unknown) => {
        throw this.#compressionError(error);
      });
    }
    try {
      return this.#algorithm.compressSync(bytes, options);
    } catch (error) {
      throw this.#compressionError(error);
    }
  }

  /** @throws {@link CacheDecompressionError} when the bytes are damaged or do not have `rawLength` bytes inside */
  decompress(bytes: Uint8Array, rawLength: number): Uint8Array | Promise<Uint8Array> {
    // Room for one byte, because zlib has no bound of 0.
    const limits: ZlibLimits = {
      maxOutputLength: Math.max(rawLength, 1),
      chunkSize: Math.min(Math.max(rawLength, 64), 128 * 1024),
    };
    if (Math.max(bytes.length, rawLength) > this.#syncLimitBytes) {
      return run(this.#algorithm.decompress, bytes, limits).then(
        (raw) => this.#expectLength(raw, rawLength),
        (error: unknown) => {
          throw this.#decompressionError(error);
        },
      );
    }
    let raw: Buffer;
    try {
      raw = this.#algorithm.decompressSync(bytes, limits);
    } catch (error) {
      throw this.#decompressionError(error);
    }
    return this.#expectLength(raw, rawLength);
  }

  #expectLength(raw: Buffer, rawLength: number): Buffer {
    if (raw.length === rawLength) return raw;
    throw new CacheDecompressionError(
      `${this.#algorithm.className} got ${raw.length} bytes where ${rawLength} were declared.`,
    );
  }

  #compressionError(cause: unknown): CacheCompressionError {
    return new CacheCompressionError(`${this.#algorithm.className} failed to compress.`, { cause });
  }

  #decompressionError(cause: unknown): CacheDecompressionError {
    return new CacheDecompressionError(
      `${this.#algorithm.className} cannot decompress: the bytes are damaged, or hold more than was declared.`,
      { cause },
    );
  }
}

function run<Options>(
  algorithm: ZlibFunction<Options>,
  bytes: Uint8Array,
  options: Options,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    algorithm(bytes, options, (error, result) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}
