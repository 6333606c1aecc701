import type { CacheCodec, CacheCompressor } from './codec.js';
import type { CacheEntry } from './entry.js';
import type { MaybePromise } from './maybe-promise.js';

/**
 * Turns records into self-describing bytes (frames) and back, with the manager's codec and compressor.
 *
 * A frame holds everything but the key: any reader that knows the frame's codec can read it, whatever the
 * reader's own codec is. The layout stands in `entry-frame.ts`.
 */
export interface EntryFramer {
  /**
   * Encodes and, where it pays, compresses a record's value. Done before the store's stamp is known, so that
   * a retry under another stamp costs no second encoding.
   *
   * @throws {@link CacheSerializationError} when the value cannot be kept as it is
   */
  encodeValue(
    entry: Pick<CacheEntry, 'value' | 'kind'>,
    framing?: EntryFraming,
  ): MaybePromise<EncodedValue>;
  /** The whole frame: header, tags, payload, checksum. */
  frame(payload: EncodedValue, record: FrameRecord): Buffer;
  /**
   * What a frame's header says, without decoding its value. Checks the checksum over all of it.
   *
   * @throws {@link CacheDeserializationError} when the bytes are not a sound frame
   */
  open(bytes: Buffer): OpenedFrame;
  /**
   * The value of an opened frame.
   *
   * @throws {@link CacheDeserializationError} or {@link CacheDecompressionError} when it cannot be read
   */
  decodeValue(frame: OpenedFrame, framing?: EntryFraming): MaybePromise<unknown>;
}

/** A value as bytes, ready to be framed. */
export interface EncodedValue {
  readonly codecId: number;
  /** 0 = not compressed. */
  readonly compressorId: number;
  readonly kind: CacheEntry['kind'];
  /** Length before compression, in bytes. */
  readonly rawLength: number;
  readonly bytes: Uint8Array;
}

/** The part of a record that stands in a frame's header. Spans instead of times: clocks differ between hosts. */
export interface FrameRecord {
  readonly tags: readonly string[];
  /** See `CacheEntry.sequence`. */
  readonly sequence: number;
  /** The cache's generation when the fill began; the entry is void under any other. */
  readonly generation: number;
  /** Names the chain of fills that this entry belongs to; every put, set or invalidation starts a new one. */
  readonly lineage: number;
  /** By the writer's clock, milliseconds since the epoch; informative. */
  readonly createdAt: number;
  /** Logical time to live when stored, in milliseconds; `Infinity` = none. */
  readonly ttlMs: number;
  /** Physical time to live when stored, in milliseconds; `Infinity` = none. */
  readonly retainMs: number;
  readonly loadCostMs: number;
}

/** A frame whose header was read and whose checksum holds. */
export interface OpenedFrame extends FrameRecord {
  readonly frameVersion: number;
  readonly codecId: number;
  readonly compressorId: number;
  readonly kind: CacheEntry['kind'];
  readonly rawLength: number;
  readonly payload: Buffer;
}

/** How one cache's entries become bytes, where it differs from the manager's way. */
export interface EntryFraming {
  readonly codec?: CacheCodec;
  /** `null` switches compression off. */
  readonly compressor?: CacheCompressor | null;
  readonly compressionThresholdBytes?: number;
  /** Turns class instances into plain data before encoding, and back after decoding. */
  readonly model?: ValueModel;
  /** Turns cached errors into plain data before encoding, and back after decoding. */
  readonly errors?: ValueModel;
}

/** Turns values of a kind that no codec knows into plain data and back. */
export interface ValueModel {
  /** @throws {@link CacheSerializationError} when the value is not of this model. */
  toPlain(value: unknown): unknown;
  /** @throws {@link CacheDeserializationError} when the data no longer fits the model. */
  fromPlain(plain: unknown): MaybePromise<unknown>;
}
