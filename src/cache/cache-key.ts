import { CacheKeyError } from '../errors.js';
import { AS_PART, escapeText } from './key-escape.js';
import { boundedKeyText } from './key-hash.js';
import { numberText, scalarText, stringText } from './key-text.js';
import { kindOf, structureText } from './structured-key.js';

export { isHashedKey, MAX_KEY_TEXT_LENGTH, readablePrefix } from './key-hash.js';

/** One component of a key. Each kind has its own texts, so `1` is not `'1'` and `null` is not `undefined`. */
export type KeyPart = string | number | boolean | bigint | null | undefined | Date;

/** The key of no parts at all: what a method called without arguments has. */
const EMPTY_KEY = '()';

/**
 * The text of a key that the user gave.
 *
 * Distinct keys have distinct texts. One part is the same key as the tuple of it, and `undefined` at the end of
 * a tuple is dropped, so `'a'`, `['a']` and `['a', undefined]` are one key. The grammar stands in docs/KEYS.md.
 *
 * @param option - what messages call the key
 * @defaultValue `option`: `'key'`
 * @throws {@link CacheKeyError} naming the part that is no {@link KeyPart}
 */
export function keyText(key: KeyPart | readonly KeyPart[], option = 'key'): string {
  if (typeof key === 'number') return numberText(key);
  if (typeof key === 'string') return boundedKeyText(stringText(key, AS_PART));
  return otherKeyText(key, option);
}

/**
 * The default key: all arguments of a call.
 *
 * Equal to {@link keyText} of the arguments where all of them are key parts. Beyond these it takes plain
 * objects, arrays, Maps, Sets, Buffers, typed arrays, ArrayBuffers, DataViews, regular expressions and URLs,
 * however nested; docs/KEYS.md says which of them are equal.
 *
 * @throws {@link CacheKeyError} naming the place of a value that has no stable text: a function, a symbol, an
 * instance of a class, a promise, an invalid Date, a cycle
 */
export function argumentsKey(args: readonly unknown[]): string {
  if (args.length === 1) {
    const only = args[0];
    if (typeof only === 'number') return numberText(only);
    if (typeof only === 'string') return boundedKeyText(stringText(only, AS_PART));
  }
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  let text = EMPTY_KEY;
  for (let index = 0; index < length; index++) {
    const part = argumentText(args[index], index);
    text = index === 0 ? part : `${text}:${part}`;
  }
  return boundedKeyText(text);
}

/**
 * The name of a cache, version, tag or prefix as one segment of a store's key: no colon, no glob, no brace.
 * Distinct names have distinct segments; one of letters, digits and `- . _ / @` stays as it is.
 */
export function cacheSegment(name: string): string {
  return escapeText(name, AS_PART);
}

function otherKeyText(key: unknown, option: string): string {
  try {
    return boundedKeyText(Array.isArray(key) ? tupleText(key, option) : soleText(key, option));
  } catch (error) {
    if (error instanceof CacheKeyError) throw error;
    throw new CacheKeyError(`${option} could not be read: a getter or proxy threw.`, option, {
      cause: error,
    });
  }
}

function soleText(part: unknown, option: string): string {
  if (part === undefined) return EMPTY_KEY;
  return scalarText(part, AS_PART) ?? refusePart(part, option);
}

function tupleText(parts: readonly unknown[], option: string): string {
  let length = parts.length;
  while (length > 0 && parts[length - 1] === undefined) length--;
  let text = EMPTY_KEY;
  for (let index = 0; index < length; index++) {
    const part =
      scalarText(parts[index], AS_PART) ?? refusePart(parts[index], `${option}[${index}]`);
    text = index === 0 ? part : `${text}:${part}`;
  }
  return text;
}

function argumentText(argument: unknown, index: number): string {
  return scalarText(argument, AS_PART) ?? structureText(argument, `args[${index}]`);
}

function refusePart(part: unknown, path: string): never {
  const kind = kindOf(part);
  throw new CacheKeyError(
    kind === 'a promise'
      ? `${path} is a promise: key functions must be synchronous.`
      : `${path} is ${kind}; a key part is a string, number, boolean, bigint, null, undefined or valid Date.`,
    path,
  );
}
