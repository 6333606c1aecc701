import { MemoryBackend } from '../backends/memory/memory-backend.js';
import type { CacheBackend } from '../cache/backend.js';
import type { ValueModel } from '../cache/entry-framer.js';
import type { ModelClass } from '../cache/cache-handle.js';
import type { CacheCodec, CacheCompressor } from '../cache/codec.js';
import { GzipCompressor } from '../codecs/gzip-compressor.js';
import { JsonCodec } from '../codecs/json-codec.js';
import { classModel } from '../codecs/value-model.js';

/*
 * The strategies that a manager falls back on. The one place where the manager knows adapters: everything else
 * reaches them through their ports.
 */

/** Where entries are kept when no backend is given. */
export function defaultBackend(): CacheBackend {
  return new MemoryBackend();
}

/** What turns values into bytes when no codec is given. */
export function defaultCodec(): CacheCodec {
  return new JsonCodec();
}

/** What `compress: true` means when no compressor is given. */
export function defaultCompressor(): CacheCompressor {
  return new GzipCompressor();
}

/** What turns instances of a cache's `model` into plain data and back. */
export function modelOf(model: ModelClass): ValueModel {
  return classModel(model);
}
