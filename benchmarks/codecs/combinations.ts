import {
  BrotliCompressor,
  CacheConfigurationError,
  GzipCompressor,
  JsonCodec,
  ZstdCompressor,
  type CacheCodec,
  type CacheCompressor,
} from 'cachewell';
import { Lz4Compressor } from 'cachewell/lz4';
import { MsgpackCodec } from 'cachewell/msgpack';

/** Bytes as a store would hold them. */
export interface StoredBytes {
  readonly bytes: Uint8Array;
  /** Length before compression. */
  readonly rawLength: number;
  readonly isCompressed: boolean;
}

/** A codec with a compressor, put together as the library does it. */
export interface Combination {
  readonly codec: string;
  readonly compressor: string;
  /** JSON by hand: shown for comparison, never recommended. */
  readonly isByHand: boolean;
  readonly compresses: boolean;
  /** Throws what the codec throws for a value that it refuses. */
  store(value: unknown): StoredBytes | Promise<StoredBytes>;
  read(stored: StoredBytes): unknown;
}

/** Compressing has to save this share of the bytes, or the value is stored as it is: the library's own rule. */
const LEAST_SAVING = 0.05;

/** Every combination that this Node and the installed packages allow, JSON by hand first. */
export function combinations(thresholdBytes: number): {
  readonly all: readonly Combination[];
  /** Which are missing, and why. */
  readonly missing: readonly string[];
} {
  const missing: string[] = [];
  const available = <Part>(makers: readonly (() => Part)[]): readonly Part[] =>
    makers.flatMap((make) => {
      try {
        return [make()];
      } catch (error) {
        if (!(error instanceof CacheConfigurationError)) throw error;
        missing.push(error.message);
        return [];
      }
    });
  const codecs = available<CacheCodec>([() => new JsonCodec(), () => new MsgpackCodec()]);
  const compressors = available<CacheCompressor>([
    () => new GzipCompressor(),
    () => new BrotliCompressor(),
    () => new ZstdCompressor(),
    () => new Lz4Compressor(),
  ]);
  const all = [
    jsonByHand(),
    ...codecs.flatMap((codec) =>
      [null, ...compressors].map((compressor) => combine(codec, compressor, thresholdBytes)),
    ),
  ];
  return { all, missing };
}

function jsonByHand(): Combination {
  return {
    codec: 'JSON by hand',
    compressor: '-',
    isByHand: true,
    compresses: false,
    store: (value) => {
      const text: string | undefined = JSON.stringify(value);
      if (text === undefined) throw new TypeError('JSON.stringify gave nothing');
      return uncompressed(Buffer.from(text));
    },
    read: ({ bytes }) => JSON.parse((bytes as Buffer).toString('utf8')) as unknown,
  };
}

function combine(
  codec: CacheCodec,
  compressor: CacheCompressor | null,
  thresholdBytes: number,
): Combination {
  const identity = {
    codec: codec.name,
    compressor: compressor?.name ?? 'none',
    isByHand: false,
    compresses: compressor !== null,
  };
  if (compressor === null) {
    return {
      ...identity,
      store: (value) => uncompressed(codec.encode(value)),
      read: ({ bytes }) => codec.decode(bytes),
    };
  }
  return {
    ...identity,
    store: (value) => {
      const raw = codec.encode(value);
      if (raw.length < thresholdBytes) return uncompressed(raw);
      const finish = (bytes: Uint8Array): StoredBytes =>
        bytes.length <= raw.length * (1 - LEAST_SAVING)
          ? { bytes, rawLength: raw.length, isCompressed: true }
          : uncompressed(raw);
      const packed = compressor.compress(raw);
      return packed instanceof Promise ? packed.then(finish) : finish(packed);
    },
    read: ({ bytes, rawLength, isCompressed }) => {
      if (!isCompressed) return codec.decode(bytes);
      const raw = compressor.decompress(bytes, rawLength);
      return raw instanceof Promise ? raw.then((each) => codec.decode(each)) : codec.decode(raw);
    },
  };
}

function uncompressed(bytes: Uint8Array): StoredBytes {
  return { bytes, rawLength: bytes.length, isCompressed: false };
}
