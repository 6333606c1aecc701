import { BrotliCompressor } from '#internal/codecs/brotli-compressor.js';
import { fromSerializer } from '#internal/codecs/from-serializer.js';
import { GzipCompressor } from '#internal/codecs/gzip-compressor.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { Lz4Compressor } from '#internal/codecs/lz4-compressor.js';
import { MsgpackCodec } from '#internal/codecs/msgpack-codec.js';
import { hasZstd, ZstdCompressor } from '#internal/codecs/zstd-compressor.js';
import { describeCodec } from '#internal/testing/describe-codec.js';
import { describeCompressor } from '#internal/testing/describe-compressor.js';

describeCodec({ describe, it }, 'JsonCodec', () => new JsonCodec());
describeCodec({ describe, it }, 'MsgpackCodec', () => new MsgpackCodec());
describeCodec({ describe, it }, 'fromSerializer with JSON', () =>
  fromSerializer({ id: 128, name: 'json', serialize: JSON.stringify, deserialize: JSON.parse }),
);

describeCompressor({ describe, it }, 'GzipCompressor', () => new GzipCompressor());
describeCompressor({ describe, it }, 'BrotliCompressor', () => new BrotliCompressor());
describeCompressor({ describe, it }, 'Lz4Compressor', () => new Lz4Compressor());
if (hasZstd()) describeCompressor({ describe, it }, 'ZstdCompressor', () => new ZstdCompressor());
