import { builtInCodecs, builtInCompressors } from './built-in-codecs.js';
import {
  CacheDecompressionError,
  CacheDeserializationError,
  CacheError,
  CacheSerializationError,
  InvalidOptionError,
} from '../errors.js';
import { expectInteger, expectOptions, rejectUnknown } from '../options.js';
import { silentLogger, type CacheLogger } from '../cache/cache-logger.js';
import { expectWireId, type CacheCodec, type CacheCompressor } from '../cache/codec.js';
import { readFrame, writeFrame } from '../cache/entry-frame.js';
import type {
  EncodedValue,
  EntryFramer,
  EntryFraming,
  FrameRecord,
  OpenedFrame,
  ValueModel,
} from '../cache/entry-framer.js';
import type { CacheEntry } from '../cache/entry.js';
import { andThen, type MaybePromise } from '../cache/maybe-promise.js';

/** From how many encoded bytes on compression is tried, unless told. */
export const DEFAULT_COMPRESSION_THRESHOLD_BYTES = 1024;

/** How large an encoded value may be, unless told. */
export const DEFAULT_MAX_DECOMPRESSED_BYTES: number = 64 * 1024 * 1024;

/** How a {@link DefaultFramer} works. */
export interface DefaultFramerOptions {
  /** What values are written with. */
  readonly codec: CacheCodec;
  /** Further codecs that may be met when reading. JSON is always known. */
  readonly codecs?: readonly CacheCodec[] | undefined;
  /**
   * What large values are compressed with; `null` = nothing.
   *
   * @defaultValue null
   */
  readonly compressor?: CacheCompressor | null | undefined;
  /** Further compressors that may be met when reading. Those of `node:zlib` are always known. */
  readonly compressors?: readonly CacheCompressor[] | undefined;
  /**
   * From how many encoded bytes on compression is tried.
   *
   * @defaultValue 1024
   */
  readonly compressionThresholdBytes?: number | undefined;
  /**
   * The largest encoded value, in bytes before compression. A larger one is refused when it is stored, and a frame
   * that declares a larger one is refused before anything is decompressed.
   *
   * @defaultValue 67108864 (64 MiB)
   */
  readonly maxDecompressedBytes?: number | undefined;
  /** Told when a compressor fails. */
  readonly logger?: CacheLogger | undefined;
}

/** Compressing has to save this share of the bytes, or the value is stored as it is and read without the work. */
const LEAST_SAVING = 0.05;

/** Writes with one codec and compressor, reads with every one that it knows: they can be changed at any time. */
export class DefaultFramer implements EntryFramer {
  readonly #codec: CacheCodec;
  readonly #compressor: CacheCompressor | null;
  /** By id. */
  readonly #codecs: (CacheCodec | undefined)[];
  readonly #compressors: (CacheCompressor | undefined)[];
  readonly #thresholdBytes: number;
  readonly #maxBytes: number;
  readonly #logger: CacheLogger;

  /** @throws {@link InvalidOptionError} also when two codecs or two compressors have one id */
  constructor(options: DefaultFramerOptions) {
    expectOptions('DefaultFramer', options);
    rejectUnknown('DefaultFramer', options, [
      'codec',
      'codecs',
      'compressor',
      'compressors',
      'compressionThresholdBytes',
      'maxDecompressedBytes',
      'logger',
    ]);
    const { codec, codecs = [], compressor = null, compressors = [] } = options;
    this.#codec = codec;
    this.#compressor = compressor;
    this.#codecs = byId('DefaultFramer.codecs', [codec, ...codecs], builtInCodecs());
    this.#compressors = byId(
      'DefaultFramer.compressors',
      compressor === null ? compressors : [compressor, ...compressors],
      builtInCompressors(),
    );
    this.#thresholdBytes = expectInteger(
      'DefaultFramer.compressionThresholdBytes',
      options.compressionThresholdBytes ?? DEFAULT_COMPRESSION_THRESHOLD_BYTES,
      0,
      Infinity,
    );
    this.#maxBytes = expectInteger(
      'DefaultFramer.maxDecompressedBytes',
      options.maxDecompressedBytes ?? DEFAULT_MAX_DECOMPRESSED_BYTES,
      1,
      0xffff_ffff,
    );
    this.#logger = options.logger ?? silentLogger;
  }

  encodeValue(
    entry: Pick<CacheEntry, 'value' | 'kind'>,
    framing?: EntryFraming,
  ): MaybePromise<EncodedValue> {
    const codec = framing?.codec ?? this.#codec;
    expectWireId(codec.name, codec.id);
    const bytes = encode(codec, toPlain(entry, framing));
    if (bytes.length > this.#maxBytes) {
      throw new CacheSerializationError(
        `The encoded value has ${bytes.length} bytes, more than 'maxDecompressedBytes' (${this.#maxBytes}) allows.`,
        'value',
      );
    }
    const raw: EncodedValue = {
      codecId: codec.id,
      compressorId: 0,
      kind: entry.kind,
      rawLength: bytes.length,
      bytes,
    };
    const compressor = framing?.compressor === undefined ? this.#compressor : framing.compressor;
    const thresholdBytes = framing?.compressionThresholdBytes ?? this.#thresholdBytes;
    return compressor === null || bytes.length < thresholdBytes
      ? raw
      : this.#compress(raw, compressor);
  }

  frame(payload: EncodedValue, record: FrameRecord): Buffer {
    return writeFrame(payload, record);
  }

  open(bytes: Buffer): OpenedFrame {
    return readFrame(bytes);
  }

  decodeValue(frame: OpenedFrame, framing?: EntryFraming): MaybePromise<unknown> {
    const codec =
      framing?.codec?.id === frame.codecId ? framing.codec : this.#codecs[frame.codecId];
    if (codec === undefined) throw unknownId('codec', frame.codecId);
    const model = modelFor(frame.kind, framing);
    if (frame.compressorId === 0) return decode(codec, model, frame.payload);
    return andThen(this.#decompress(frame, framing), (bytes) => decode(codec, model, bytes));
  }

  #compress(raw: EncodedValue, compressor: CacheCompressor): MaybePromise<EncodedValue> {
    const finish = (bytes: Uint8Array): EncodedValue =>
      bytes.length <= raw.rawLength * (1 - LEAST_SAVING)
        ? { ...raw, compressorId: compressor.id, bytes }
        : raw;
    try {
      const result = compressor.compress(raw.bytes);
      return result instanceof Promise
        ? result.then(finish, (error: unknown) => this.#keepRaw(raw, compressor, error))
        : finish(result);
    } catch (error) {
      return this.#keepRaw(raw, compressor, error);
    }
  }

  #keepRaw(raw: EncodedValue, compressor: CacheCompressor, error: unknown): EncodedValue {
    this.#logger.warn('A value could not be compressed and is stored uncompressed.', {
      compressor: compressor.name,
      bytes: raw.rawLength,
      error: error instanceof Error ? error.message : String(error),
    });
    return raw;
  }

  #decompress(frame: OpenedFrame, framing?: EntryFraming): MaybePromise<Uint8Array> {
    const { compressorId, rawLength } = frame;
    const compressor =
      framing?.compressor?.id === compressorId
        ? framing.compressor
        : this.#compressors[compressorId];
    if (compressor === undefined) throw unknownId('compressor', compressorId);
    if (rawLength > this.#maxBytes) {
      throw new CacheDecompressionError(
        `The stored frame declares ${rawLength} bytes, more than 'maxDecompressedBytes' (${this.#maxBytes}) allows.`,
      );
    }
    const failed = (error: unknown): never => {
      if (error instanceof CacheDecompressionError) throw error;
      throw new CacheDecompressionError(
        `The compressor '${compressor.name}' failed to decompress.`,
        {
          cause: error,
        },
      );
    };
    const check = (bytes: Uint8Array): Uint8Array => {
      if (bytes.length === rawLength) return bytes;
      throw new CacheDecompressionError(
        `The compressor '${compressor.name}' gave ${bytes.length} bytes where ${rawLength} were declared.`,
      );
    };
    try {
      const result = compressor.decompress(frame.payload, rawLength);
      return result instanceof Promise ? result.then(check, failed) : check(result);
    } catch (error) {
      return failed(error);
    }
  }
}

function byId<Coder extends CacheCodec | CacheCompressor>(
  option: string,
  own: readonly Coder[],
  builtIn: readonly Coder[],
): (Coder | undefined)[] {
  const table = Array.from<Coder | undefined>({ length: 256 });
  for (const coder of own) {
    const id = expectWireId(coder.name, coder.id);
    const other = table[id];
    if (other !== undefined && other !== coder) {
      throw new InvalidOptionError(
        option,
        `'${other.name}' and '${coder.name}' both have the id ${id}`,
      );
    }
    table[id] = coder;
  }
  for (const coder of builtIn) table[coder.id] ??= coder;
  return table;
}

function modelFor(kind: CacheEntry['kind'], framing?: EntryFraming): ValueModel | undefined {
  if (kind === 'value') return framing?.model;
  if (framing?.errors !== undefined) return framing.errors;
  throw new CacheDeserializationError(
    "The stored entry is an error, and this cache has no 'cacheErrors' that revives it.",
    { reason: 'model' },
  );
}

function toPlain(entry: Pick<CacheEntry, 'value' | 'kind'>, framing?: EntryFraming): unknown {
  if (entry.kind === 'value') {
    return framing?.model === undefined ? entry.value : framing.model.toPlain(entry.value);
  }
  if (framing?.errors !== undefined) return framing.errors.toPlain(entry.value);
  throw new CacheSerializationError(
    "An error can be stored as bytes only where 'cacheErrors' lists its class with a 'revive'.",
    'value',
  );
}

function encode(codec: CacheCodec, plain: unknown): Uint8Array {
  try {
    return codec.encode(plain);
  } catch (error) {
    if (error instanceof CacheSerializationError) throw error;
    throw new CacheSerializationError(
      `The codec '${codec.name}' failed to write the value.`,
      'value',
      {
        cause: error,
      },
    );
  }
}

function decode(
  codec: CacheCodec,
  model: ValueModel | undefined,
  bytes: Uint8Array,
): MaybePromise<unknown> {
  let plain: unknown;
  try {
    plain = codec.decode(bytes);
  } catch (error) {
    if (error instanceof CacheError) throw error;
    // Whatever a parser says may quote the value, so the error does not go on from here.
    throw new CacheDeserializationError(
      `The codec '${codec.name}' failed to read the stored value.`,
    );
  }
  return model === undefined ? plain : model.fromPlain(plain);
}

function unknownId(what: 'codec' | 'compressor', id: number): CacheDeserializationError {
  return new CacheDeserializationError(
    `The stored frame needs the ${what} ${id}, which this process does not know. Pass it in '${what}s'.`,
    { reason: 'unknown-codec' },
  );
}
