/**
 * Runs one of the examples by its name, such as `npm run example -- crud`; without a name it lists them.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { failWith, root } from './run-command.mjs';

const folder = join(root, 'examples');
const names = readdirSync(folder).filter((name) => existsSync(join(folder, name, 'main.ts')));
const [name] = process.argv.slice(2);
if (!names.includes(name)) {
  failWith(`usage: npm run example -- <name>, with one of: ${names.sort().join(', ')}`);
}
// In this process, so that signals reach the program itself.
await import(pathToFileURL(join(root, 'build/examples', name, 'main.js')).href);
