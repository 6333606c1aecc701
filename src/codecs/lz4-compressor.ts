import type { CacheCompressor } from '../cache/codec.js';
import { CacheCompressionError, CacheDecompressionError } from '../errors.js';
import { expectInteger, expectOptions, rejectUnknown } from '../options.js';
import { loadPeer } from '../load-peer.js';
import type { Lz4Like } from './lz4-like.js';

/** The id of {@link Lz4Compressor} in stored frames. */
export const LZ4_COMPRESSOR_ID = 4;

/** Up to this many raw bytes {@link Lz4Compressor} works at once, unless told: at most about 3 ms. */
export const DEFAULT_LZ4_SYNC_LIMIT_BYTES: number = 512 * 1024;

/** How an {@link Lz4Compressor} works. */
export interface Lz4CompressorOptions {
  /**
   * Up to how many raw bytes it works at once; larger inputs go to libuv's threads and give a promise. 0 = always a
   * promise, `Infinity` = never.
   *
   * @defaultValue 524288
   */
  readonly syncLimitBytes?: number | undefined;
}

const LENGTH_BYTES = 4;
/** One byte of an LZ4 block stands for at most 255 bytes of output (LZ4 Block Format Description). */
const MAX_RATIO = 255;

/**
 * LZ4 blocks by `lz4-napi`: the fastest of the compressors by far, and the least small.
 *
 * Blocks have no checksum of their own; the frame's covers them. Their raw length stands in front of them and is
 * compared with the frame's, and with what so few bytes can hold at all, before memory is spent on it.
 */
export class Lz4Compressor implements CacheCompressor {
  readonly id: number = LZ4_COMPRESSOR_ID;
  readonly name = 'lz4';
  readonly #lz4: Lz4Like;
  readonly #syncLimitBytes: number;

  /** @throws {@link MissingPeerError} when `lz4-napi` is not installed, {@link InvalidOptionError} */
  constructor(options: Lz4CompressorOptions = {}) {
    expectOptions('Lz4Compressor', options);
    rejectUnknown('Lz4Compressor', options, ['syncLimitBytes']);
    this.#syncLimitBytes = expectInteger(
      'Lz4Compressor.syncLimitBytes',
      options.syncLimitBytes ?? DEFAULT_LZ4_SYNC_LIMIT_BYTES,
      0,
      Infinity,
    );
    this.#lz4 = loadPeer('Lz4Compressor', 'lz4-napi', '^2.8.0') as Lz4Like;
  }

  /** @throws {@link CacheCompressionError} when it fails */
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array> {
    const raw = asBuffer(bytes);
    if (raw.length > this.#syncLimitBytes) {
      return this.#lz4.compress(raw).catch((error: unknown) => {
        throw compressionError(error);
      });
    }
    try {
      return this.#lz4.compressSync(raw);
    } catch (error) {
      throw compressionError(error);
    }
  }

  /** @throws {@link CacheDecompressionError} when the bytes are damaged or do not have `rawLength` bytes inside */
  decompress(bytes: Uint8Array, rawLength: number): Uint8Array | Promise<Uint8Array> {
    const block = asBuffer(bytes);
    if (
      block.length < LENGTH_BYTES ||
      block.readUInt32LE(0) !== rawLength ||
      rawLength > (block.length - LENGTH_BYTES) * MAX_RATIO
    ) {
      throw decompressionError();
    }
    if (rawLength > this.#syncLimitBytes) {
      return this.#lz4.uncompress(block).then(
        (raw) => expectLength(raw, rawLength),
        (error: unknown) => {
          throw decompressionError(error);
        },
      );
    }
    let raw: Buffer;
    try {
      raw = this.#lz4.uncompressSync(block);
    } catch (error) {
      throw decompressionError(error);
    }
    return expectLength(raw, rawLength);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function expectLength(raw: Buffer, rawLength: number): Buffer {
  if (raw.length === rawLength) return raw;
  throw decompressionError();
}

function compressionError(cause: unknown): CacheCompressionError {
  return new CacheCompressionError('Lz4Compressor failed to compress.', { cause });
}

function decompressionError(cause?: unknown): CacheDecompressionError {
  return new CacheDecompressionError(
    'Lz4Compressor cannot decompress: the bytes are damaged, or hold another length than was declared.',
    cause === undefined ? undefined : { cause },
  );
}
