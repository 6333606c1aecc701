import type { CacheCodec, CacheCompressor } from '#internal/cache/codec.js';
import type { FrameRecord } from '#internal/cache/entry-framer.js';
import { BrotliCompressor } from '#internal/codecs/brotli-compressor.js';
import { GzipCompressor } from '#internal/codecs/gzip-compressor.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { Lz4Compressor } from '#internal/codecs/lz4-compressor.js';
import { MsgpackCodec } from '#internal/codecs/msgpack-codec.js';
import { hasZstd, ZstdCompressor } from '#internal/codecs/zstd-compressor.js';

/** A header with something in every field. */
export const RECORD: FrameRecord = {
  tags: ['list', 'user:1', 'ü'],
  sequence: 1_700_000_000_000_123,
  generation: 2 ** 53 - 1,
  lineage: 0xfedc_ba98_7654,
  createdAt: 1_700_000_000_123,
  ttlMs: 60_000,
  retainMs: Infinity,
  loadCostMs: 42,
};

/** Every codec of the library. */
export const CODECS: readonly CacheCodec[] = [new JsonCodec(), new MsgpackCodec()];

/** Every compressor that this Node has, and none. */
export const COMPRESSORS: readonly (CacheCompressor | null)[] = [
  null,
  new GzipCompressor(),
  new BrotliCompressor(),
  new Lz4Compressor(),
  ...(hasZstd() ? [new ZstdCompressor()] : []),
];

/** Rows of a usual kind; `count` 60 is about 8 kB of JSON. */
export function rows(count: number): unknown {
  return Array.from({ length: count }, (_, id) => ({
    id,
    name: `user ${id}`,
    email: `user${id}@example.org`,
    isActive: id % 2 === 0,
    roles: ['admin', 'editor'],
    joined: new Date(1_700_000_000_000 + id),
  }));
}

/** The error that an action throws or rejects with; `undefined` when it does neither. */
export async function errorOf(action: () => unknown): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  return undefined;
}
