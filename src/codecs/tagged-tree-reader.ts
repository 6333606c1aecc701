import { CacheDeserializationError } from '../errors.js';
import { binaryFrom, binaryKindNamed } from './binary-kinds.js';
import { TAGS } from './tagged-tree.js';
import { MAX_DEPTH } from './value-check.js';

/** A level of a value takes at most three levels of the tree: its mark, its missing prototype, itself. */
const MAX_TREE_DEPTH = MAX_DEPTH * 3 + 3;
const TILDE = 126;
const HEX = /^-?[0-9a-f]+$/;
const DECIMAL = /^-?\d+$/;

/**
 * The value that a tagged tree stands for. Plain parts of the tree are changed in place and become part of it,
 * so a row with a date in it costs little more than `JSON.parse`.
 *
 * @throws {@link CacheDeserializationError} when the tree is not one that `toTaggedTree` makes
 */
export function fromTaggedTree(tree: unknown): unknown {
  return new TreeReader().read(tree, 0);
}

class TreeReader {
  readonly #marked: object[] = [];

  read(node: unknown, depth: number): unknown {
    if (typeof node === 'string') return node.charCodeAt(0) === TILDE ? this.#readText(node) : node;
    if (typeof node !== 'object' || node === null) return node;
    return this.#readObject(node, depth, undefined);
  }

  /** @param mark - under which number others refer to it; needed before its parts are read, for they may do so */
  #readObject(node: object, depth: number, mark: number | undefined): unknown {
    if (depth > MAX_TREE_DEPTH) throw unsound('it is nested too deep');
    if (!Array.isArray(node)) {
      this.#note(mark, node);
      this.#readProperties(node as Record<string, unknown>, depth);
      return node;
    }
    const first: unknown = node[0];
    if (typeof first === 'string' && first.startsWith('~#')) {
      return this.#readTagged(first, node, depth, mark);
    }
    this.#note(mark, node);
    for (let index = 0; index < node.length; index++) {
      const child: unknown = node[index];
      if (typeof child === 'string') {
        if (child.charCodeAt(0) === TILDE) node[index] = this.#readText(child);
      } else if (typeof child === 'object' && child !== null) {
        node[index] = this.#readObject(child, depth + 1, undefined);
      }
    }
    return node;
  }

  /** Assigning is safe even to `__proto__`: `JSON.parse` has made it an own property. */
  #readProperties(node: Record<string, unknown>, depth: number): void {
    const names = Object.keys(node);
    for (let index = 0; index < names.length; index++) {
      const name = names[index]!;
      const child = node[name];
      if (typeof child === 'string') {
        if (child.charCodeAt(0) === TILDE) node[name] = this.#readText(child);
      } else if (typeof child === 'object' && child !== null) {
        node[name] = this.#readObject(child, depth + 1, undefined);
      }
    }
  }

  #readText(text: string): unknown {
    const rest = text.slice(2);
    switch (text[1]) {
      case '~':
        return text.slice(1);
      case 'd':
        return new Date(readInteger(rest, 8.64e15));
      case 'i':
        if (!HEX.test(rest)) throw unsound('a bigint in it is damaged');
        return rest.startsWith('-') ? -BigInt(`0x${rest.slice(1)}`) : BigInt(`0x${rest}`);
      case 'r': {
        const value = this.#marked[readInteger(rest, Number.MAX_SAFE_INTEGER)];
        if (value === undefined) throw unsound('a reference in it leads nowhere');
        return value;
      }
      default:
        return readConstant(text);
    }
  }

  #readTagged(
    tag: string,
    node: readonly unknown[],
    depth: number,
    mark: number | undefined,
  ): unknown {
    const child = (index: number): unknown => this.read(node[index], depth + 1);
    switch (tag) {
      case TAGS.mark:
        return this.#readMarked(node, depth, mark);
      case TAGS.map: {
        if (node.length % 2 === 0) throw unsound('a map in it lacks a value');
        const map = this.#note(mark, new Map<unknown, unknown>());
        for (let index = 1; index < node.length; index += 2)
          map.set(child(index), child(index + 1));
        return map;
      }
      case TAGS.set: {
        const set = this.#note(mark, new Set<unknown>());
        for (let index = 1; index < node.length; index++) set.add(child(index));
        return set;
      }
      case TAGS.nullPrototype: {
        const properties = this.#note(mark, Object.create(null) as Record<string, unknown>);
        for (const [name, property] of Object.entries(expectPlain(node[1]))) {
          properties[name] = this.read(property, depth + 2);
        }
        return properties;
      }
      case TAGS.sparse: {
        const array = this.#note(mark, emptyArray(expectIndex(node[1], 2 ** 32)));
        for (let index = 2; index < node.length; index += 2) {
          array[expectIndex(node[index], array.length)] = child(index + 1);
        }
        return array;
      }
      default:
        return this.#note(mark, readLeaf(tag, node, child));
    }
  }

  #readMarked(node: readonly unknown[], depth: number, outer: number | undefined): unknown {
    const mark = node[1];
    // Marks are numbered in the order of reading, which is the order of writing.
    if (outer !== undefined || mark !== this.#marked.length)
      throw unsound('a mark in it is out of order');
    const target = node[2];
    if (typeof target === 'string') return this.#note(mark, expectObject(this.#readText(target)));
    return this.#readObject(expectObject(target), depth + 1, mark);
  }

  #note<Marked extends object>(mark: number | undefined, value: Marked): Marked {
    if (mark !== undefined) this.#marked[mark] = value;
    return value;
  }
}

/** An object without parts of its own. */
function readLeaf(
  tag: string,
  node: readonly unknown[],
  child: (index: number) => unknown,
): object {
  if (tag === TAGS.binary) {
    const kind = binaryKindNamed(expectText(node[1]));
    const bytes = Buffer.from(expectText(node[2]), 'base64');
    const value = kind === undefined ? undefined : binaryFrom(bytes, kind);
    if (value === undefined)
      throw unsound('binary data in it is damaged, or of a kind that this Node lacks');
    return value;
  }
  try {
    if (tag === TAGS.url) return new URL(expectText(node[1]));
    if (tag === TAGS.regExp) {
      const regExp = new RegExp(expectText(node[1]), expectText(node[2]));
      regExp.lastIndex = child(3) as number;
      return regExp;
    }
  } catch (error) {
    if (error instanceof CacheDeserializationError) throw error;
    throw unsound('a URL or regular expression in it does not parse');
  }
  throw unsound('it has an unknown tag');
}

/**
 * An array of holes. The engine would reserve memory for up to 32 million elements because somebody wrote a number;
 * it does not for an array that was longer before.
 */
function emptyArray(length: number): unknown[] {
  const array: unknown[] = [];
  if (length > 1024) array.length = 2 ** 32 - 1;
  array.length = length;
  return array;
}

function readConstant(text: string): number | undefined {
  switch (text) {
    case '~u':
      return undefined;
    case '~n':
      return NaN;
    case '~+':
      return Infinity;
    case '~-':
      return -Infinity;
    case '~0':
      return -0;
    default:
      throw unsound('it has an unknown tag');
  }
}

function readInteger(text: string, max: number): number {
  const value = DECIMAL.test(text) ? Number(text) : NaN;
  if (Math.abs(value) <= max) return value;
  throw unsound('a number in it is damaged');
}

function expectIndex(value: unknown, limit: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < limit)
    return value;
  throw unsound('an array with holes in it is damaged');
}

function expectText(value: unknown): string {
  if (typeof value === 'string') return value;
  throw unsound('a tag in it lacks its text');
}

function expectObject(value: unknown): object {
  if (typeof value === 'object' && value !== null) return value;
  throw unsound('a tag in it lacks its object');
}

function expectPlain(value: unknown): object {
  if (!Array.isArray(value)) return expectObject(value);
  throw unsound('a tag in it lacks its object');
}

function unsound(why: string): CacheDeserializationError {
  return new CacheDeserializationError(`The stored value is damaged: ${why}.`);
}
