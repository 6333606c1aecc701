import { TRAITS, type ValueReport } from './value-check.js';
import { binaryKindOf, bytesOf } from './binary-kinds.js';

/**
 * The tagged form: a tree of plain JSON data that stands for a value which plain JSON would change.
 *
 * Plain parts stand as they are. Texts that begin with `~` and arrays whose first element begins with `~#` mean
 * something else:
 *
 * | in the tree | means |
 * |---|---|
 * | `"~~…"` | the text `~…` |
 * | `"~u"`, `"~n"`, `"~+"`, `"~-"`, `"~0"` | `undefined`, `NaN`, `Infinity`, `-Infinity`, `-0` |
 * | `"~i-1f"` | a bigint, hexadecimal: reading it takes linear time |
 * | `"~d1700000000000"` | a `Date`, in ms since the epoch |
 * | `"~r3"` | the object marked 3 |
 * | `["~#mark", 3, tree]` | the object that `~r3` means, at the first place where it is reached |
 * | `["~#map", key, value, …]`, `["~#set", item, …]` | a `Map`, a `Set` |
 * | `["~#null", {…}]` | an object without prototype |
 * | `["~#sparse", length, index, element, …]` | an array with holes |
 * | `["~#binary", kind, base64]` | a Buffer, ArrayBuffer, DataView or typed array, little endian |
 * | `["~#regexp", source, flags, lastIndex]`, `["~#url", href]` | a `RegExp`, a `URL` |
 *
 * Property names are never changed.
 */
export const TAGS = {
  mark: '~#mark',
  map: '~#map',
  set: '~#set',
  nullPrototype: '~#null',
  sparse: '~#sparse',
  binary: '~#binary',
  regExp: '~#regexp',
  url: '~#url',
} as const;

/** The tagged form of a value that {@link checkValue} has passed. */
export function toTaggedTree(value: unknown, report: ValueReport): unknown {
  return new TreeWriter(report).write(value);
}

class TreeWriter {
  readonly #report: ValueReport;
  readonly #marks = new Map<object, number>();

  constructor(report: ValueReport) {
    this.#report = report;
  }

  write(value: unknown): unknown {
    switch (typeof value) {
      case 'string':
        return value.startsWith('~') ? `~${value}` : value;
      case 'number':
        return writeNumber(value);
      case 'undefined':
        return '~u';
      case 'bigint':
        return `~i${value.toString(16)}`;
      default:
        return typeof value === 'object' && value !== null ? this.#writeObject(value) : value;
    }
  }

  #writeObject(value: object): unknown {
    if (!this.#report.shared.has(value)) return this.#writeBare(value);
    const known = this.#marks.get(value);
    if (known !== undefined) return `~r${known}`;
    const mark = this.#marks.size;
    this.#marks.set(value, mark);
    return [TAGS.mark, mark, this.#writeBare(value)];
  }

  #writeBare(value: object): unknown {
    if (Array.isArray(value)) return this.#writeArray(value);
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Object.prototype) return this.#writeProperties(value);
    if (prototype === null) return [TAGS.nullPrototype, this.#writeProperties(value)];
    const kind = binaryKindOf(prototype);
    if (kind !== undefined) {
      return [TAGS.binary, kind.name, bytesOf(value, kind).toString('base64')];
    }
    if (value instanceof Date) return `~d${value.getTime()}`;
    if (value instanceof Map) {
      const tree: unknown[] = [TAGS.map];
      for (const [key, entry] of value) tree.push(this.write(key), this.write(entry));
      return tree;
    }
    if (value instanceof Set) {
      const tree: unknown[] = [TAGS.set];
      for (const item of value) tree.push(this.write(item));
      return tree;
    }
    if (value instanceof RegExp) {
      return [TAGS.regExp, value.source, value.flags, this.write(value.lastIndex)];
    }
    return [TAGS.url, (value as URL).href];
  }

  #writeArray(value: readonly unknown[]): unknown[] {
    const isDense =
      (this.#report.traits & TRAITS.sparseArray) === 0 ||
      Object.keys(value).length === value.length;
    if (isDense) return value.map((element) => this.write(element));
    const tree: unknown[] = [TAGS.sparse, value.length];
    for (const index of Object.keys(value)) {
      tree.push(Number(index), this.write(value[Number(index)]));
    }
    return tree;
  }

  #writeProperties(value: object): object {
    // Without a prototype, for a property named __proto__ must become a property.
    const tree = Object.create(null) as Record<string, unknown>;
    for (const [name, property] of Object.entries(value)) tree[name] = this.write(property);
    return tree;
  }
}

function writeNumber(value: number): number | string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '~0' : value;
  if (Number.isNaN(value)) return '~n';
  return value > 0 ? '~+' : '~-';
}
