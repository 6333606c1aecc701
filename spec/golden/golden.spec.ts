import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { DefaultFramer } from '#internal/codecs/default-framer.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { Lz4Compressor } from '#internal/codecs/lz4-compressor.js';
import { MsgpackCodec } from '#internal/codecs/msgpack-codec.js';
import { hasZstd } from '#internal/codecs/zstd-compressor.js';
import { assertSameValue } from '#internal/testing/same-value.js';
import { GOLDEN_ENTRIES, GOLDEN_RECORD } from '../support/golden-entries.js';

const root = new URL('../../../../spec/golden/', import.meta.url);
const errors = { toPlain: (error: unknown) => error, fromPlain: (plain: unknown) => plain };

describe('golden frames', () => {
  const framer = new DefaultFramer({
    codec: new JsonCodec(),
    codecs: [new MsgpackCodec()],
    compressors: [new Lz4Compressor()],
  });

  it('all have an expected value', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.bin'))
      .map((name) => name.replaceAll('\\', '/'));
    const readable = files.filter((name) => hasZstd() || !name.includes('zstd'));
    expect(readable).to.have.members(GOLDEN_ENTRIES.map(({ file }) => file));
  });

  for (const { file, codec, compressor, kind, value } of GOLDEN_ENTRIES) {
    it(`${file} is still read as the value that it was`, async () => {
      const frame = framer.open(readFileSync(new URL(file, root)));
      expect(frame).to.deep.include({
        ...GOLDEN_RECORD,
        frameVersion: 1,
        kind,
        codecId: codec().id,
        compressorId: compressor?.().id ?? 0,
      });
      assertSameValue(await framer.decodeValue(frame, { errors }), value);
    });
  }

  it('written with zstd are left alone where Node has none', function () {
    if (hasZstd()) this.skip();
    const frame = framer.open(readFileSync(new URL('json/frame-v1-zstd.bin', root)));
    expect(() => framer.decodeValue(frame)).to.throw().with.property('reason', 'unknown-codec');
  });
});
