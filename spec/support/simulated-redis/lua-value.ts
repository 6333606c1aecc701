/*
 * Values of Lua 5.1 as those of JavaScript: nil is `undefined`, strings are strings of which each character is a
 * byte, numbers and booleans are themselves, functions take and give values, tables are `LuaTable`.
 */

export type LuaFunction = (...args: LuaValue[]) => LuaValue | Multi;
export type LuaValue = string | number | boolean | undefined | LuaTable | LuaFunction;

/** What a function gives when it gives none or several; a single value travels bare. */
export class Multi {
  constructor(readonly values: readonly LuaValue[]) {}
}

/** What a script raises: `error`, a failing command, or a wrong use of a value. */
export class LuaError extends Error {
  override readonly name = 'LuaError';

  constructor(readonly value: LuaValue) {
    super(textOfError(value));
  }
}

function textOfError(value: LuaValue): string {
  const text = value instanceof LuaTable ? value.get('err') : value;
  return typeof text === 'string' ? text : typeName(text);
}

/** A table: a list from 1 on, and a map for what does not fit into it. */
export class LuaTable {
  /** The values under 1, 2, …; the last one is never nil. */
  readonly list: LuaValue[] = [];
  readonly map: Map<LuaValue, LuaValue> = new Map();

  static of(values: readonly LuaValue[]): LuaTable {
    const table = new LuaTable();
    values.forEach((value, index) => table.set(index + 1, value));
    return table;
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === 'number' && key >= 1 && key <= this.list.length && Number.isInteger(key)) {
      return this.list[key - 1];
    }
    return this.map.get(key);
  }

  set(key: LuaValue, value: LuaValue): void {
    const { list, map } = this;
    if (key === undefined || key !== key) throw new LuaError('table index is nil or NaN');
    if (typeof key !== 'number' || key < 1 || key > list.length + 1 || !Number.isInteger(key)) {
      if (value === undefined) map.delete(key);
      else map.set(key, value);
      return;
    }
    if (key <= list.length) {
      list[key - 1] = value;
      while (list.length > 0 && list[list.length - 1] === undefined) list.pop();
      return;
    }
    map.delete(key);
    if (value === undefined) return;
    list.push(value);
    for (let next = map.get(list.length + 1); next !== undefined; next = map.get(list.length + 1)) {
      map.delete(list.length + 1);
      list.push(next);
    }
  }

  /** What `#` gives. */
  get length(): number {
    return this.list.length;
  }

  entries(): readonly (readonly [LuaValue, LuaValue])[] {
    const listed = this.list.map((value, index) => [index + 1, value] as const);
    return [...listed.filter(([, value]) => value !== undefined), ...this.map];
  }
}

/** A text as a number, as Lua takes it in arithmetic; `undefined` when it is none. */
export function numberOf(value: LuaValue): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return undefined;
  const text = value.trim();
  if (!/^[+-]?(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|0[xX][\da-fA-F]+)$/.test(text)) {
    return undefined;
  }
  return Number(text);
}

/** A number as `tostring` and `..` write it: by C's format `%.14g`. */
export function numberText(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e14) {
    return Object.is(value, -0) ? '-0' : String(value);
  }
  return general(value, 14);
}

/** C's format `%.<digits>g`. */
export function general(value: number, digits: number): string {
  if (!Number.isFinite(value)) return value !== value ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const [mantissa, exponentText] = value.toExponential(digits - 1).split('e') as [string, string];
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < digits) {
    return withoutZeros(value.toFixed(Math.max(0, digits - 1 - exponent)));
  }
  const sign = exponent < 0 ? '-' : '+';
  return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function withoutZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

/** What `type` gives. */
export function typeName(value: LuaValue): string {
  switch (typeof value) {
    case 'undefined':
      return 'nil';
    case 'object':
      return 'table';
    default:
      return typeof value;
  }
}
