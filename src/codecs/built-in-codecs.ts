import type { CacheCodec, CacheCompressor } from '../cache/codec.js';
import { BrotliCompressor } from './brotli-compressor.js';
import { GzipCompressor } from './gzip-compressor.js';
import { JsonCodec } from './json-codec.js';
import { hasZstd, ZstdCompressor } from './zstd-compressor.js';

/** The codecs that every reader knows, whatever it writes with. */
export function builtInCodecs(): readonly CacheCodec[] {
  return [new JsonCodec()];
}

/** The compressors that every reader knows, whatever it writes with. */
export function builtInCompressors(): readonly CacheCompressor[] {
  return [
    new GzipCompressor(),
    new BrotliCompressor(),
    ...(hasZstd() ? [new ZstdCompressor()] : []),
  ];
}
