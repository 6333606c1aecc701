/**
 * Records which modules a program asks for: `node --import ./scripts/record-imports.mjs program.mjs`, with the file to
 * write in `RECORD_IMPORTS_TO`. One JSON line per request: what was asked for, by whom, and where it was found.
 *
 * The file plays two parts: as a preload it registers itself, as a hook it listens.
 */
import { appendFileSync } from 'node:fs';
import { Module, register } from 'node:module';
import { pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';

const output = process.env.RECORD_IMPORTS_TO;

function record(specifier, parent, url) {
  appendFileSync(output, `${JSON.stringify({ specifier, parent, url })}\n`);
}

if (isMainThread) {
  register(import.meta.url);
  // `require` made by `createRequire` does not pass through the hooks of this Node line.
  const load = Module._load;
  Module._load = function recordingLoad(specifier, parent, ...rest) {
    const from = parent?.filename ?? parent?.id;
    if (typeof from === 'string' && from.startsWith('/')) {
      record(specifier, pathToFileURL(from).href, '');
    }
    return load.call(this, specifier, parent, ...rest);
  };
}

export async function resolve(specifier, context, nextResolve) {
  const resolved = await nextResolve(specifier, context);
  record(specifier, context.parentURL ?? '', resolved.url);
  return resolved;
}
