import { types } from 'node:util';
import { CacheKeyError } from '../errors.js';
import { AS_ITEM, escapeText } from './key-escape.js';
import { hasPrototypeDepth, scalarText } from './key-text.js';
import { isPromiseLike } from './maybe-promise.js';

/** How deep an argument may be nested: far beyond any sensible key, far below the stack's end. */
const MAX_DEPTH = 100;

/** A step into a Map or Set, which has no name or index. */
interface MemberStep {
  readonly of: 'keys' | 'values';
  readonly index: number;
}

type Step = string | number | symbol | MemberStep;

/**
 * The text of one structured argument, such as `Object(limit=10,page=1)`.
 *
 * Two values have the same text exactly when they are equal by structure: same kind, same members; the order of
 * an object's properties, a Map's entries and a Set's members does not count. Objects with and without
 * `Object.prototype` are one kind, `{ a: undefined }` is not `{}`, and a hole in an array is not `undefined`.
 *
 * @param path - what messages call the argument, such as `args[0]`
 * @throws {@link CacheKeyError} naming the place of a value that has no stable text
 */
export function structureText(value: unknown, path: string): string {
  const writer = new StructureWriter(path);
  try {
    return writer.itemText(value);
  } catch (error) {
    if (error instanceof CacheKeyError) throw error;
    throw writer.refusal('could not be read: a getter or proxy threw', { cause: error });
  }
}

/** What a value is called in a message; never what is in it. */
export function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return `a ${typeof value}`;
  if (Array.isArray(value)) return 'an array';
  if (types.isDate(value)) {
    return Number.isNaN(value.getTime()) ? 'an invalid Date' : 'an extended Date';
  }
  if (isPromiseLike(value)) return 'a promise';
  if (isPlainObject(value)) return 'an object';
  const { constructor } = value as { constructor?: unknown };
  const name = typeof constructor === 'function' ? constructor.name : '';
  return name === '' ? 'an object with a prototype of its own' : `an instance of ${name}`;
}

class StructureWriter {
  /** The way to the value being written. Left as it stands when something is thrown: it says where. */
  private readonly trail: Step[] = [];
  private readonly ancestors: object[] = [];
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  itemText(value: unknown): string {
    const scalar = scalarText(value, AS_ITEM);
    if (scalar !== undefined) return scalar;
    if (typeof value !== 'object' || value === null) throw this.noStableText(value);
    if (this.ancestors.includes(value)) throw this.refusal('refers to an object that contains it');
    if (this.ancestors.length === MAX_DEPTH) {
      throw this.refusal(`is nested deeper than ${MAX_DEPTH} levels`);
    }
    this.ancestors.push(value);
    const text = this.containerText(value);
    this.ancestors.pop();
    return text;
  }

  /** The error for the value that the trail leads to. */
  refusal(reason: string, options?: ErrorOptions): CacheKeyError {
    const path = this.root + pathText(this.trail);
    const remedy = 'Give a key function that returns what the result depends on';
    return new CacheKeyError(`${path} ${reason}. ${remedy}.`, path, options);
  }

  private noStableText(value: unknown): CacheKeyError {
    const kind = kindOf(value);
    return this.refusal(
      kind === 'a promise'
        ? 'is a promise, not the value that it will have'
        : `is ${kind}, which has no stable text`,
    );
  }

  private containerText(value: object): string {
    if (isPlainObject(value)) return this.objectText(value as Record<string, unknown>);
    if (Array.isArray(value) && hasPrototypeDepth(value, 2)) return this.arrayText(value);
    if (types.isMap(value) && isBuiltIn(value, 0)) return this.mapText(value);
    if (types.isSet(value) && isBuiltIn(value, 0)) return this.setText(value);
    const leaf = leafText(value);
    if (leaf === undefined) throw this.noStableText(value);
    return leaf;
  }

  private objectText(object: Record<string, unknown>): string {
    const symbols = Object.getOwnPropertySymbols(object);
    if (symbols.length > 0) {
      this.trail.push(symbols[0]!);
      throw this.refusal('has a symbol as its key, which has no stable text');
    }
    let text = '';
    for (const name of sortedKeys(object)) {
      this.trail.push(name);
      const separator = text === '' ? '' : ',';
      text += `${separator}${escapeText(name, AS_ITEM)}=${this.itemText(object[name])}`;
      this.trail.pop();
    }
    return `Object(${text})`;
  }

  private arrayText(array: readonly unknown[]): string {
    const names = Object.keys(array);
    // Indices come first, in order: if the last of as many names is the last index, there is nothing else.
    const isDense =
      names.length === array.length && (names.at(-1) ?? '-1') === `${array.length - 1}`;
    if (!isDense) return this.sparseArrayText(array, names);
    let text = '';
    for (let index = 0; index < array.length; index++) {
      text += (index === 0 ? '' : ',') + this.memberText(index, array[index]);
    }
    return `Array(${text})`;
  }

  /** Names the elements that are there, so that the text grows with their number and not with the length. */
  private sparseArrayText(array: readonly unknown[], names: readonly string[]): string {
    let text = `${array.length}`;
    for (const name of names) {
      const index = Number(name) >>> 0;
      if (String(index) !== name || index >= array.length) {
        throw this.refusal('is an array with properties of its own');
      }
      text += `,${name}=${this.memberText(index, array[index])}`;
    }
    return `SparseArray(${text})`;
  }

  private mapText(map: ReadonlyMap<unknown, unknown>): string {
    const entries: string[] = [];
    for (const [key, value] of map) {
      const index = entries.length;
      const keyText = this.memberText({ of: 'keys', index }, key);
      entries.push(`${keyText}=${this.memberText({ of: 'values', index }, value)}`);
    }
    return `Map(${entries.sort().join(',')})`;
  }

  private setText(set: ReadonlySet<unknown>): string {
    const members: string[] = [];
    for (const member of set) {
      members.push(this.memberText({ of: 'values', index: members.length }, member));
    }
    return `Set(${members.sort().join(',')})`;
  }

  private memberText(step: Step, value: unknown): string {
    this.trail.push(step);
    const text = this.itemText(value);
    this.trail.pop();
    return text;
  }
}

/** Objects that hold no further values: bytes, regular expressions, URLs. */
function leafText(value: object): string | undefined {
  if (types.isTypedArray(value)) {
    if (Buffer.isBuffer(value) && hasPrototypeDepth(value, 4)) return bytesText('Buffer', value);
    if (hasPrototypeDepth(value, 3)) return bytesText(value[Symbol.toStringTag], value);
  }
  if (types.isDataView(value) && isBuiltIn(value, 0)) return bytesText('DataView', value);
  if (types.isArrayBuffer(value) && !types.isSharedArrayBuffer(value) && isBuiltIn(value, 0)) {
    return bytesText('ArrayBuffer', new Uint8Array(value));
  }
  if (types.isRegExp(value) && isBuiltIn(value, 1)) return regExpText(value);
  if (value instanceof URL && isBuiltIn(value, 0)) {
    return `URL(${escapeText(value.href, AS_ITEM)})`;
  }
  return undefined;
}

function bytesText(kind: string, view: NodeJS.ArrayBufferView): string {
  const bytes = Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  return `${kind}(${bytes.toString('base64url')})`;
}

function regExpText(expression: RegExp): string {
  const { source, flags, lastIndex } = expression;
  // Where the next search starts is part of what a global or sticky expression means.
  const position = lastIndex === 0 ? '' : `,${lastIndex}`;
  return `RegExp(${escapeText(source, AS_ITEM)},${flags}${position})`;
}

function isPlainObject(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype) return true;
  // Another realm's Object.prototype; an ordinary object in its place would hide what is inherited from it.
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty');
}

/** An instance of the built-in class itself, with no properties but its usual ones. */
function isBuiltIn(value: object, ownProperties: number): boolean {
  return hasPrototypeDepth(value, 2) && Reflect.ownKeys(value).length === ownProperties;
}

/** The names of an object's properties, in the order of their UTF-16 code units. */
function sortedKeys(object: object): string[] {
  const names = Object.keys(object);
  for (let index = 1; index < names.length; index++) {
    if (names[index - 1]! > names[index]!) return names.sort();
  }
  return names;
}

function pathText(trail: readonly Step[]): string {
  let path = '';
  for (const step of trail) {
    if (typeof step === 'number') path += `[${step}]`;
    else if (typeof step === 'symbol') path += `[${String(step)}]`;
    else if (typeof step === 'object') path += `.${step.of}()[${step.index}]`;
    else path += /^[A-Za-z_$][\w$]*$/.test(step) ? `.${step}` : `[${JSON.stringify(step)}]`;
  }
  return path;
}
