import { isDeepStrictEqual, types } from 'node:util';

/** Something that did not come back as it was. */
export interface Difference {
  /** Where, with `[]` for any element: places that differ alike are one kind of difference. */
  readonly path: string;
  /** What became of it, in words; never the value itself, but for numbers that are none. */
  readonly change: string;
}

const MAX_DIFFERENCES = 50;

/** What of a value is another one, kinds, order, holes and shared objects included; empty when nothing is. */
export function differencesBetween(before: unknown, after: unknown): readonly Difference[] {
  const comparison = new Comparison();
  comparison.compare(before, after, 'value');
  const { found } = comparison;
  if (found.length === 0 && !isDeepStrictEqual(before, after)) {
    return [{ path: 'value', change: 'came back as another one' }];
  }
  return found;
}

class Comparison {
  readonly found: Difference[] = [];
  readonly #counterparts = new Map<object, { readonly after: object; readonly path: string }>();

  compare(before: unknown, after: unknown, path: string): void {
    if (this.found.length >= MAX_DIFFERENCES) return;
    if (!isObject(before)) {
      if (!Object.is(before, after)) this.#report(path, changeOf(before, after));
      return;
    }
    if (!isObject(after) || kindOf(before) !== kindOf(after)) {
      this.#report(path, changeOf(before, after));
      return;
    }
    const known = this.#counterparts.get(before);
    if (known !== undefined) {
      if (known.after !== after) this.#report(path, `no longer the same object as ${known.path}`);
      return;
    }
    this.#counterparts.set(before, { after, path });
    this.#compareInside(before, after, path);
  }

  #compareInside(before: object, after: object, path: string): void {
    if (types.isDate(before)) {
      if (!Object.is(before.getTime(), (after as Date).getTime()))
        this.#report(path, 'another time');
    } else if (types.isMap(before)) {
      this.#compareEntries([...before], [...(after as Map<unknown, unknown>)], path);
    } else if (types.isSet(before)) {
      this.#compareEntries([...before], [...(after as Set<unknown>)], path);
    } else if (ArrayBuffer.isView(before) || types.isAnyArrayBuffer(before)) {
      if (!isDeepStrictEqual(before, after)) this.#report(path, 'other bytes');
    } else if (before instanceof URL) {
      if (before.href !== (after as URL).href) this.#report(path, 'another URL');
    } else if (before instanceof RegExp) {
      if (!isDeepStrictEqual(before, after)) this.#report(path, 'another RegExp');
    } else this.#compareProperties(before, after, path);
  }

  #compareEntries(before: readonly unknown[], after: readonly unknown[], path: string): void {
    if (before.length !== after.length) this.#report(path, 'another number of entries');
    before.forEach((entry, index) => {
      if (index < after.length) this.compare(entry, after[index], `${path}<>`);
    });
  }

  #compareProperties(before: object, after: object, path: string): void {
    const isList = Array.isArray(before);
    if (isList && before.length !== (after as readonly unknown[]).length) {
      this.#report(path, 'another length');
    }
    for (const name of Reflect.ownKeys(before)) {
      if (isList && name === 'length') continue;
      const place = isList ? `${path}[]` : `${path}.${String(name)}`;
      const was = Object.getOwnPropertyDescriptor(before, name)!.value as unknown;
      const is = Object.getOwnPropertyDescriptor(after, name);
      if (is === undefined) this.#report(place, `${describe(was)} was dropped`);
      else this.compare(was, is.value, place);
    }
    for (const name of Reflect.ownKeys(after)) {
      if (Object.hasOwn(before, name)) continue;
      this.#report(isList ? `${path}[]` : `${path}.${String(name)}`, 'was added');
    }
  }

  #report(path: string, change: string): void {
    if (this.found.some((each) => each.path === path && each.change === change)) return;
    this.found.push({ path, change });
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function changeOf(before: unknown, after: unknown): string {
  const [was, is] = [describe(before), describe(after)];
  return was === is ? `another ${was}` : `${was} became ${is}`;
}

function describe(value: unknown): string {
  if (typeof value !== 'number') return kindOf(value);
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  return Number.isFinite(value) ? 'number' : String(value);
}

function kindOf(value: unknown): string {
  if (!isObject(value)) return value === null ? 'null' : typeof value;
  const prototype = Object.getPrototypeOf(value) as {
    readonly constructor?: { readonly name?: string };
  } | null;
  if (prototype === null) return 'an object without prototype';
  return prototype === Object.prototype
    ? 'a plain object'
    : (prototype.constructor?.name ?? 'an object');
}
