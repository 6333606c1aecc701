/*
 * Runs the specs that the arguments name, with a fast lane in front of each application and every `httpCache` marked for it.
 *
 * Mocha loads files by `require` where Node can, and hooks of `module.register` see none of that; so they are imported here.
 */
import { ServerResponse } from 'node:http';
import { register } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import Mocha from 'mocha';

register('./resolve-marked.js', import.meta.url);

let inFront = 0;
const proto = ServerResponse.prototype as { writeHead(...args: unknown[]): unknown };
const { writeHead } = proto;
proto.writeHead = function (this: ServerResponse, ...args: unknown[]): unknown {
  // Express puts a prototype of its own on every response that it gets.
  if (Object.getPrototypeOf(this) === ServerResponse.prototype) inFront++;
  return writeHead.apply(this, args);
};

/** What a fast lane leaves out: middleware that stands before the cache. `docs/HTTP.md` says so. */
const LEFT_OUT =
  /with compression before the cache|something before the cache sets for each request/;

const mocha = new Mocha({ timeout: 20_000, reporter: 'dot' }).grep(LEFT_OUT).invert();
mocha.suite.emit('pre-require', globalThis as unknown as Mocha.MochaGlobals, '', mocha);
for (const file of process.argv.slice(2)) await import(pathToFileURL(resolve(file)).href);
mocha.run((failures) => {
  process.stdout.write(`\nanswered in front: ${inFront}\n`);
  process.exitCode = failures === 0 ? 0 : 1;
});
