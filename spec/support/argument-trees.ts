import { seededRandom } from '#internal/testing/random-values.js';

/** Characters that mean something to the grammar, to globs, to numbers, or to UTF-16. */
const CHARACTERS = [
  ...Array.from(`:,=()%'@~*?[]{}\\^"n-+.e012479aZ_/ `),
  ...['\n', '\0', 'é', 'e\u0301', '\u200b', '漢', '😀', '\ud83d', '\ude00', '%2C', '%3A'],
];
/** Strings that read as something else. */
const LOOK_ALIKES = (
  " ' () @ 42 -0 0 1n NaN Infinity true false null undefined Object() Array() Array(1) Set(1) " +
  'a a=1 a,b 1,2 a:b @1970-01-01T000000.000Z'
).split(' ');
const NUMBERS = [0, -0, 1, -1, 42, 0.1, 1e21, 1e-7, NaN, Infinity, -Infinity, 2 ** 53, 12];
const BIGINTS = [0n, 1n, -1n, 42n, 2n ** 64n];
const DATES = [0, 1, -1, 8.64e15, -8.64e15, 1_795_253_400_250];
const BYTES = [[], [0], [1], [0, 0], [104, 105]];

/** Random arguments that are made to collide: few and treacherous leaves in small, varied trees. Repeatable by seed. */
export class ArgumentTrees {
  private readonly random: () => number;

  constructor(seed: number) {
    this.random = seededRandom(seed);
  }

  /** A list of zero to three arguments, most often one. */
  arguments(): unknown[] {
    return Array.from({ length: this.pick([0, 1, 1, 1, 1, 2, 2, 3]) }, () => this.value(2));
  }

  /** The same arguments as other objects, filled in another order. */
  copy<Value>(value: Value): Value;
  copy(value: unknown): unknown {
    if (Array.isArray(value)) {
      return sparseArray(
        value.length,
        Object.fromEntries(Object.entries(value).map(([index, item]) => [index, this.copy(item)])),
      );
    }
    if (value instanceof Map) {
      return new Map(this.shuffled([...value]).map(([k, v]) => [this.copy(k), this.copy(v)]));
    }
    if (value instanceof Set)
      return new Set(this.shuffled([...value]).map((item) => this.copy(item)));
    if (isRecord(value)) {
      const entries = this.shuffled(Object.entries(value)).map(
        ([k, v]) => [k, this.copy(v)] as const,
      );
      return this.record(entries);
    }
    return typeof value === 'object' && value !== null && !(value instanceof URL)
      ? structuredCloneOf(value)
      : value;
  }

  /** The same arguments with one place somewhere inside replaced, added or left out. May be equal by chance. */
  mutate(args: readonly unknown[]): unknown[] {
    return this.mutateItems(args, 3);
  }

  /** A whole number from 0 up to, but not including, the bound. */
  below(bound: number): number {
    return Math.floor((this.random() / 2 ** 32) * bound);
  }

  private value(depth: number): unknown {
    const kind = this.below(depth > 0 ? 20 : 13);
    if (kind < 5) return this.text();
    if (kind < 8) return this.scalar();
    if (kind < 12) return this.below(2) === 0 ? this.below(20) : this.pick(NUMBERS);
    if (kind === 12) return this.leafObject();
    const items = (): unknown[] =>
      Array.from({ length: this.below(4) }, () => this.value(depth - 1));
    if (kind < 15) return this.withHole(items());
    if (kind < 17) return this.record(items().map((item) => [this.name(), item] as const));
    if (kind < 18) return new Map(items().map((item) => [this.value(depth - 1), item]));
    if (kind < 19) return new Set(items());
    return items();
  }

  private scalar(): unknown {
    const kind = this.below(6);
    if (kind === 0) return null;
    if (kind === 1) return undefined;
    if (kind === 2) return this.pick(BIGINTS);
    if (kind === 3) return new Date(this.pick(DATES));
    return kind === 4;
  }

  private leafObject(): object {
    const bytes = new Uint8Array(this.pick(BYTES));
    switch (this.below(8)) {
      case 0:
        return bytes;
      case 1:
        return Buffer.from(bytes);
      case 2:
        return bytes.buffer;
      case 3:
        return new DataView(bytes.buffer);
      case 4:
        return new Int8Array(bytes.buffer);
      case 5:
        return new Float64Array([this.pick([0, -0, 1])]);
      case 6:
        return new RegExp(this.pick(['a', 'a,g', '\\)', ':']), this.pick(['', 'g', 'gi']));
      default:
        return new URL(this.pick(['http://a/', 'http://a/,b', 'http://a/?a=b']));
    }
  }

  private text(): string {
    const form = this.below(8);
    if (form < 2) return this.pick(LOOK_ALIKES);
    const text = Array.from({ length: this.below(5) }, () => this.pick(CHARACTERS)).join('');
    // A tail that a cut would lose, behind a text that is hashed.
    return form === 2 && this.below(8) === 0 ? `${'x'.repeat(190 + this.below(20))}${text}` : text;
  }

  private name(): string {
    return this.below(2) === 0 ? this.pick(['a', 'b', '42', '']) : this.text();
  }

  private record(entries: readonly (readonly [string, unknown])[]): object {
    const record = (this.below(4) === 0 ? Object.create(null) : {}) as Record<string, unknown>;
    for (const [name, item] of entries) record[name] = item;
    return record;
  }

  private withHole(items: unknown[]): unknown[] {
    if (items.length === 0 || this.below(2) === 0) return items;
    const hole = `${this.below(items.length)}`;
    const others = Object.entries(items).filter(([index]) => index !== hole);
    return sparseArray(items.length, Object.fromEntries(others));
  }

  private mutateValue(value: unknown, depth: number): unknown {
    if (depth === 0 || this.below(3) === 0) return this.relative(value);
    if (Array.isArray(value)) return this.mutateItems(value, depth);
    if (value instanceof Map) return new Map(this.mutateEntries([...value], depth));
    if (value instanceof Set) return new Set(this.mutateItems([...value], depth));
    if (isRecord(value)) return this.record(this.mutateEntries(Object.entries(value), depth));
    return this.relative(value);
  }

  private mutateItems(items: readonly unknown[], depth: number): unknown[] {
    const changed = [...items];
    const index = this.below(items.length + 1);
    if (index === items.length) changed.push(this.value(0));
    else if (this.below(4) === 0) changed.splice(index, 1);
    else changed[index] = this.mutateValue(items[index], depth - 1);
    return changed;
  }

  private mutateEntries<Name>(
    entries: readonly [Name, unknown][],
    depth: number,
  ): [Name, unknown][] {
    if (entries.length === 0) return [];
    const changed = [...entries];
    const index = this.below(entries.length);
    const [name, item] = entries[index]!;
    if (this.below(3) === 0) changed.splice(index, 1);
    else changed[index] = [name, this.mutateValue(item, depth - 1)];
    return changed;
  }

  /** Another value that could be taken for this one. */
  private relative(value: unknown): unknown {
    switch (this.below(6)) {
      case 0:
        return isPrintable(value) ? String(value) : [value];
      case 1:
        return [value];
      case 2:
        return typeof value === 'string' ? value + this.pick(CHARACTERS) : { a: value };
      case 3:
        return typeof value === 'string' ? value.slice(1) : new Set([value]);
      case 4:
        return typeof value === 'string' ? value.split(',') : undefined;
      default:
        return this.value(0);
    }
  }

  private shuffled<Item>(items: Item[]): Item[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [items[last], items[other]] = [items[other]!, items[last]!];
    }
    return items;
  }

  private pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }
}

/** An array of this length that has these elements, and holes elsewhere. */
export function sparseArray(length: number, elements: Record<string, unknown>): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return Object.assign(array, elements);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

function isPrintable(value: unknown): boolean {
  return typeof value !== 'object' || value === null;
}

function structuredCloneOf(value: object): object {
  return Buffer.isBuffer(value) ? Buffer.from(value) : structuredClone(value);
}
