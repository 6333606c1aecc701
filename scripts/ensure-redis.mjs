/**
 * Finds the redis-server that the specs start, or installs it where that is possible without asking, before any spec
 * runs. How is written once, in `spec/support/redis-server.ts`; this is its compiled form.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './run-command.mjs';

const SUPPORT = join(root, 'build/spec/standard/support/redis-server.js');

/**
 * The path of a redis-server.
 *
 * @throws an error that says what to install
 */
export async function findOrInstallRedis() {
  if (!existsSync(SUPPORT)) throw new Error('The specs are not compiled yet: run npm test.');
  const { redisServerBinary } = await import(pathToFileURL(SUPPORT).href);
  return redisServerBinary();
}
