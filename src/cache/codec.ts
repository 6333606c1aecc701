import { InvalidOptionError } from '../errors.js';

/**
 * Turns values into bytes and back.
 *
 * The contract (promise P5): `decode(encode(value))` is deeply equal to `value`, or `encode` throws. A codec may
 * not change a value silently. `describeCodec` of `cachewell/testing` checks it.
 *
 * Both methods are synchronous and pure: called concurrently they share nothing.
 */
export interface CacheCodec {
  /** Written into each frame, so that any reader finds the codec again. 1 to 127 are ours, 128 to 255 yours. */
  readonly id: number;
  /** For messages and `cachewell inspect`. */
  readonly name: string;
  /** @throws {@link CacheSerializationError} when the value cannot come back as it is; `path` says where. */
  encode(value: unknown): Uint8Array;
  /** @throws {@link CacheDeserializationError} when the bytes are not this codec's. Must not execute anything. */
  decode(bytes: Uint8Array): unknown;
}

/**
 * Makes bytes smaller and restores them.
 *
 * Small inputs should be handled at once, large ones off the event loop: an implementation may return a promise
 * for either. The framer checks the declared raw length against its limit before it asks for decompression.
 */
export interface CacheCompressor {
  /** Written into each frame. 1 to 127 are ours, 128 to 255 yours; 0 means uncompressed. */
  readonly id: number;
  readonly name: string;
  /** @throws {@link CacheCompressionError} when it fails; the value is then stored uncompressed. */
  compress(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  /**
   * @param rawLength - exact length of the result; anything else is an error
   * @throws {@link CacheDecompressionError} when the bytes are damaged or do not have that length
   */
  decompress(bytes: Uint8Array, rawLength: number): Uint8Array | Promise<Uint8Array>;
}

/**
 * Checks the id of a codec or compressor.
 *
 * @throws {@link InvalidOptionError} when it is not a whole number from 1 to 255
 */
export function expectWireId(owner: string, id: number): number {
  if (Number.isInteger(id) && id >= 1 && id <= 255) return id;
  throw new InvalidOptionError(`${owner}.id`, `expected a whole number from 1 to 255, got ${id}`);
}
