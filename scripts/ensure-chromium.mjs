/**
 * Finds the Chromium that the dashboard's specs drive, or installs it where that is possible without asking, before any
 * spec runs. How is written once, in `spec/support/chromium.ts`; this is its compiled form.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run-command.mjs';

const SUPPORT = join(root, 'build/spec/standard/support/chromium.js');

/**
 * The path of a Chromium.
 *
 * @throws an error that says what to install
 */
export async function findOrInstallChromium() {
  if (!existsSync(SUPPORT)) throw new Error('The specs are not compiled yet: run npm test.');
  const { chromiumBinary } = await import(pathToFileURL(SUPPORT).href);
  return chromiumBinary();
}
