import { CacheSerializationError } from '../../errors.js';
import { copyBuiltIn, kindOf } from './built-in-copy.js';

/** An exact copy that is frozen as far as its parts can be. */
export interface FrozenCopy {
  readonly value: unknown;
  /** Whether all of it is: then readers may share it. */
  readonly isFrozen: boolean;
}

/**
 * A deep copy that equals the value in every respect, or an error.
 *
 * Copied: plain objects (with or without prototype), arrays with their holes, `Date`, `Map`, `Set`, `RegExp`,
 * `Buffer` (stays one), typed arrays, `ArrayBuffer`, `DataView`, the errors of the language with their own
 * properties, and all primitives but symbols. Cycles and shared references are kept as they are.
 *
 * Refused, because a copy would differ: class instances, functions, symbols as values or keys, accessors, hidden
 * properties, extra properties on arrays and built-in kinds, shared memory. `structuredClone` changes most of
 * these without a word.
 *
 * @throws {@link CacheSerializationError} whose `path` says which part it is
 */
export function exactCopy(value: unknown): unknown {
  return new Copier(true, false).run(value);
}

/** The same, with plain objects and arrays frozen. @throws {@link CacheSerializationError} like {@link exactCopy} */
export function exactFrozenCopy(value: unknown): FrozenCopy {
  const copier = new Copier(true, true);
  return { value: copier.run(value), isFrozen: copier.isFrozen };
}

/** Copies what `exactCopy` made, which needs no checks. */
export function copyKept(kept: unknown): unknown {
  return new Copier(false, false).run(kept);
}

/** Copies what `exactFrozenCopy` made. */
export function copyKeptFrozen(kept: unknown): unknown {
  return new Copier(false, true).run(kept);
}

/** One copy of one value. */
class Copier {
  /** Whether nothing in the copy can be changed. */
  isFrozen: boolean;
  private readonly copies = new Map<object, object>();
  /** Where the copier is: the steps on the way from the root. */
  private readonly path: string[] = [];

  constructor(
    private readonly isChecked: boolean,
    private readonly freezes: boolean,
  ) {
    this.isFrozen = freezes;
  }

  run(value: unknown): unknown {
    try {
      return this.copy(value);
    } catch (error) {
      if (!(error instanceof RangeError) || !error.message.includes('call stack')) throw error;
      // The engine's own limit is the only one: how deep it reaches depends on the stack that the caller left.
      const message = 'Cannot keep an exact copy of value: it is nested too deeply. Flatten it.';
      throw new CacheSerializationError(message, 'value', { cause: error });
    }
  }

  private copy(value: unknown): unknown {
    if (isScalar(value)) return value;
    if (typeof value !== 'object' || value === null) return this.refuse(`is a ${typeof value}`);
    const known = this.copies.get(value);
    if (known !== undefined) return known;
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Array.prototype && Array.isArray(value)) return this.copyArray(value);
    if (prototype === Object.prototype || prototype === null) {
      return this.copyPlain(value as Record<string, unknown>, prototype === null);
    }
    this.isFrozen = false;
    return this.copyOther(value, prototype);
  }

  private copyAt(step: string, value: unknown): unknown {
    this.path.push(step);
    const copy = this.copy(value);
    this.path.pop();
    return copy;
  }

  private copyArray(source: readonly unknown[]): unknown {
    const copy = new Array<unknown>(source.length);
    this.copies.set(source, copy);
    let present = 0;
    for (let index = 0; index < source.length; index++) {
      const item = source[index];
      if (item === undefined && !(index in source)) continue;
      present += 1;
      copy[index] = isScalar(item) ? item : this.copyAt(`[${index}]`, item);
    }
    if (this.isChecked) this.expectOwnKeys(source, present + 1);
    return this.freezes ? Object.freeze(copy) : copy;
  }

  private copyPlain(source: Record<string, unknown>, isBare: boolean): object {
    const copy: Record<string, unknown> = isBare ? Object.create(null) : {};
    this.copies.set(source, copy);
    const keys = this.isChecked ? this.dataKeys(source) : Object.keys(source);
    for (const key of keys) {
      const item = source[key];
      const itemCopy = isScalar(item) ? item : this.copyAt(`.${key}`, item);
      if (key === '__proto__') define(copy, key, itemCopy, true);
      else copy[key] = itemCopy;
    }
    return this.freezes ? Object.freeze(copy) : copy;
  }

  /** The own keys of an object, all of which must be data that everybody can see. */
  private dataKeys(source: object): readonly string[] {
    const keys = Reflect.ownKeys(source);
    for (const key of keys) {
      if (typeof key === 'symbol') this.refuse('has a property with a symbol as its key');
      const property = Object.getOwnPropertyDescriptor(source, key)!;
      if (!('value' in property)) this.refuse(`has an accessor, '${key}'`);
      if (!property.enumerable) this.refuse(`has a property that is not enumerable, '${key}'`);
    }
    return keys as string[];
  }

  private copyOther(source: object, prototype: unknown): object {
    const copy = copyBuiltIn(source, prototype);
    if (copy === undefined) return this.refuse(`is ${kindOf(source)}`);
    this.copies.set(source, copy);
    if (copy instanceof Error) return this.fillError(source as Error, copy);
    // The own keys of a view are its bytes: too many to look for a stranger among them.
    if (this.isChecked && !ArrayBuffer.isView(copy)) {
      this.expectOwnKeys(source, copy instanceof RegExp ? 1 : 0);
    }
    let index = 0;
    if (copy instanceof Map) {
      for (const [key, item] of source as Map<unknown, unknown>) {
        copy.set(this.copyAt(`.keys()[${index}]`, key), this.copyAt(`.values()[${index}]`, item));
        index += 1;
      }
    } else if (copy instanceof Set) {
      for (const item of source as Set<unknown>)
        copy.add(this.copyAt(`.values()[${index++}]`, item));
    }
    return copy;
  }

  private fillError(source: Error, copy: Error): Error {
    for (const key of Reflect.ownKeys(source)) {
      if (typeof key === 'symbol') return this.refuse('has a property with a symbol as its key');
      const property = Object.getOwnPropertyDescriptor(source, key)!;
      // Some engines show the stack as an accessor; it is data all the same.
      const isData = 'value' in property || key === 'stack';
      if (!isData) this.refuse(`has an accessor, '${key}'`);
      const item = (source as unknown as Record<string, unknown>)[key];
      define(copy, key, this.copyAt(`.${key}`, item), property.enumerable === true);
    }
    return copy;
  }

  private expectOwnKeys(source: object, count: number): void {
    const keys = Reflect.ownKeys(source);
    if (keys.length === count) return;
    const extra = keys.find(
      (key) => typeof key === 'symbol' || !/^(\d+|length|lastIndex)$/.test(key),
    );
    this.refuse(`is ${kindOf(source)} with an extra property, '${String(extra)}'`);
  }

  private refuse(predicate: string): never {
    const path = `value${this.path.join('')}`;
    throw new CacheSerializationError(
      `Cannot keep an exact copy of ${path}: it ${predicate}. Store plain data, give the cache a model, or use isolation 'reference'.`,
      path,
    );
  }
}

function isScalar(value: unknown): boolean {
  if (value === null) return true;
  return typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol';
}

function define(target: object, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(target, key, { value, enumerable, writable: true, configurable: true });
}
