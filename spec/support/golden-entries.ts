import type { CacheCodec, CacheCompressor } from '#internal/cache/codec.js';
import type { FrameRecord } from '#internal/cache/entry-framer.js';
import { BrotliCompressor } from '#internal/codecs/brotli-compressor.js';
import { GzipCompressor } from '#internal/codecs/gzip-compressor.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { Lz4Compressor } from '#internal/codecs/lz4-compressor.js';
import { MsgpackCodec } from '#internal/codecs/msgpack-codec.js';
import { hasZstd, ZstdCompressor } from '#internal/codecs/zstd-compressor.js';

/** A stored frame that every later version has to read as this value. */
export interface GoldenEntry {
  /** Under `spec/golden/`. */
  readonly file: string;
  readonly codec: () => CacheCodec;
  readonly compressor: (() => CacheCompressor) | null;
  readonly kind: 'value' | 'error';
  readonly value: unknown;
}

/** The header of every golden frame. */
export const GOLDEN_RECORD: FrameRecord = {
  tags: ['list', 'user:1', 'ü'],
  sequence: 1_700_000_000_000_123,
  generation: 9_007_199_254_740_991,
  lineage: 281_474_976_710_655,
  createdAt: 1_700_000_000_123,
  ttlMs: 60_000,
  retainMs: Infinity,
  loadCostMs: 42,
};

const plain = {
  items: Array.from({ length: 30 }, (_, id) => ({
    id,
    name: `Zoë ${id}`,
    tags: ['a', 'b'],
    score: id / 7,
  })),
  total: 30,
  next: null,
  isLast: false,
  empty: ['', [], {}],
};

const shared = { name: 'shared' };
const cyclic: Record<string, unknown> = { shared, again: shared };
cyclic['self'] = cyclic;

/** What msgpackr carries by itself. */
const native = {
  undefined: undefined,
  numbers: [NaN, Infinity, -Infinity, 2 ** 53, 5e-324],
  bigints: [0n, -(2n ** 63n), 2n ** 64n - 1n],
  dates: [
    new Date(0),
    new Date(-1),
    new Date(1_700_000_000_123),
    new Date(8.64e15),
    new Date(-8.64e15),
  ],
  map: new Map<unknown, unknown>([
    [1, 'one'],
    ['1', new Map()],
  ]),
  set: new Set<unknown>([1, '1', null]),
  binary: [
    Buffer.from('buffer'),
    new Uint8Array([1, 2]),
    new Uint8ClampedArray([255]),
    new Int8Array([-1]),
    new Int16Array([-2]),
    new Uint16Array([65_534]),
    new Int32Array([-3]),
    new Uint32Array([2 ** 32 - 1]),
    new Float32Array([1.5, NaN]),
    new Float64Array([0.1, -0]),
    new BigInt64Array([-1n]),
    new BigUint64Array([2n ** 64n - 1n]),
    new Uint8Array([7, 8]).buffer,
    new DataView(new Uint8Array([9]).buffer),
  ],
};

const rich = {
  ...native,
  minusZero: -0,
  wide: [3n ** 100n, -(3n ** 100n)],
  texts: ['~', '~u', '\ud800', '\ufeff', ['~#map']],
  sparse: Object.assign([], { 1: 'one', 3: undefined, length: 5 }),
  bare: Object.assign(Object.create(null) as object, { a: 1 }),
  regExp: /a\/b/giu,
  url: new URL('https://example.org/a%20b?q=1#c'),
  proto: JSON.parse('{"__proto__":{"a":1}}') as unknown,
  cyclic,
};

const json = () => new JsonCodec();
const msgpack = () => new MsgpackCodec();
const golden = (
  file: string,
  codec: () => CacheCodec,
  value: unknown,
  compressor: (() => CacheCompressor) | null = null,
  kind: 'value' | 'error' = 'value',
): GoldenEntry => ({ file, codec, compressor, kind, value });

/** Entries are added, and never changed or taken away. */
export const GOLDEN_ENTRIES: readonly GoldenEntry[] = [
  golden('json/frame-v1-plain.bin', json, plain),
  golden('json/frame-v1-rich.bin', json, rich),
  golden('json/frame-v1-null.bin', json, null),
  golden('json/frame-v1-error.bin', json, { message: 'not found' }, null, 'error'),
  golden('json/frame-v1-gzip.bin', json, plain, () => new GzipCompressor()),
  golden('json/frame-v1-brotli.bin', json, plain, () => new BrotliCompressor()),
  golden('json/frame-v1-lz4.bin', json, plain, () => new Lz4Compressor()),
  ...(hasZstd() ? [golden('json/frame-v1-zstd.bin', json, plain, () => new ZstdCompressor())] : []),
  golden('msgpack/frame-v1-plain.bin', msgpack, plain),
  golden('msgpack/frame-v1-native.bin', msgpack, native),
  golden('msgpack/frame-v1-rich.bin', msgpack, rich),
  golden(
    'msgpack/frame-v1-lz4.bin',
    msgpack,
    [plain, plain.items, ...plain.items],
    () => new Lz4Compressor(),
  ),
];
