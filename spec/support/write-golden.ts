import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DefaultFramer } from '#internal/codecs/default-framer.js';
import { GOLDEN_ENTRIES, GOLDEN_RECORD } from './golden-entries.js';

/*
 * Writes the golden frames that do not exist yet: `node build/spec/standard/support/write-golden.js`.
 * It never overwrites one: a frame that can no longer be read is a broken promise, not an old file.
 */
const root = new URL('../../../../spec/golden/', import.meta.url);

for (const { file, codec, compressor, kind, value } of GOLDEN_ENTRIES) {
  const path = fileURLToPath(new URL(file, root));
  if (existsSync(path)) {
    console.log(`kept     ${file}`);
    continue;
  }
  const framer = new DefaultFramer({ codec: codec(), compressor: compressor?.() ?? null });
  const errors = { toPlain: (error: unknown) => error, fromPlain: (plain: unknown) => plain };
  const encoded = await framer.encodeValue({ value, kind }, { errors });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, framer.frame(encoded, GOLDEN_RECORD), { flag: 'wx' });
  console.log(`written  ${file}`);
}
