import { findPattern, type LuaMatch } from './lua-pattern.js';
import {
  general,
  LuaError,
  LuaTable,
  Multi,
  numberOf,
  numberText,
  typeName,
  type LuaFunction,
  type LuaValue,
} from './lua-value.js';

/** A text argument; a number counts as one. */
export function textArgument(value: LuaValue): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return numberText(value);
  throw new LuaError(`bad argument (string expected, got ${typeName(value)})`);
}

export function numberArgument(value: LuaValue): number {
  const number = numberOf(value);
  if (number !== undefined) return number;
  throw new LuaError(`bad argument (number expected, got ${typeName(value)})`);
}

function tableArgument(value: LuaValue): LuaTable {
  if (value instanceof LuaTable) return value;
  throw new LuaError(`bad argument (table expected, got ${typeName(value)})`);
}

function called(callee: LuaValue, ...given: LuaValue[]): readonly LuaValue[] {
  if (typeof callee !== 'function') {
    throw new LuaError(`attempt to call a ${typeName(callee)} value`);
  }
  const result = callee(...given);
  return result instanceof Multi ? result.values : [result];
}

function table(functions: Readonly<Record<string, LuaFunction | number>>): LuaTable {
  const made = new LuaTable();
  for (const [name, value] of Object.entries(functions)) made.set(name, value);
  return made;
}

/** `cjson.encode`, of what scripts make messages of: texts, finite numbers, and lists of them. */
function json(value: LuaValue): string {
  if (value instanceof LuaTable) return `[${value.list.map(json).join(',')}]`;
  if (typeof value === 'number' && Number.isFinite(value)) return numberText(value);
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('/', '\\/');
  throw new LuaError(`Cannot serialise ${typeName(value)} in the simulated Redis`);
}

/** The first and the last index of `sub` and `byte`, from 0, the last one excluded. */
function range(length: number, from: number, to: number): readonly [number, number] {
  const start = from < 0 ? Math.max(length + from, 0) : Math.max(from - 1, 0);
  const end = to < 0 ? length + to + 1 : Math.min(to, length);
  return [start, Math.max(start, end)];
}

function format(pattern: LuaValue, ...given: LuaValue[]): string {
  let index = 0;
  return textArgument(pattern).replace(
    /%([-+ #0]*)(\d*)(?:\.(\d+))?([%a-zA-Z])/g,
    (whole, flags: string, width: string, precision: string | undefined, kind: string) => {
      if (kind === '%') return '%';
      const value = given[index++];
      let text: string;
      if (kind === 's')
        text = tostring(value).slice(0, precision === undefined ? undefined : Number(precision));
      else if (kind === 'd' || kind === 'i') text = String(Math.trunc(numberArgument(value)));
      else if (kind === 'f') text = fixed(numberArgument(value), Number(precision ?? 6));
      else if (kind === 'g') text = general(numberArgument(value), Number(precision ?? 6) || 1);
      else if (kind === 'x') text = Math.trunc(numberArgument(value)).toString(16);
      else if (kind === 'c') text = String.fromCharCode(numberArgument(value));
      else throw new LuaError(`the simulated Redis does not know the format '${whole}'`);
      if (flags.includes('-')) return text.padEnd(Number(width));
      return text.padStart(Number(width), flags.includes('0') ? '0' : ' ');
    },
  );
}

/** C's `%.<digits>f`, which rounds a half to the even neighbour. */
function fixed(value: number, digits: number): string {
  if (!Number.isFinite(value)) return general(value, 6);
  if (digits === 0 && Number.isInteger(value)) return BigInt(value).toString();
  if (digits === 0 && Math.abs(value % 1) === 0.5) return String(2 * Math.round(value / 2));
  return value.toFixed(digits);
}

function tostring(value: LuaValue): string {
  switch (typeof value) {
    case 'string':
      return value;
    case 'number':
      return numberText(value);
    case 'boolean':
      return String(value);
    default:
      return value === undefined ? 'nil' : `${typeName(value)}: 0x0`;
  }
}

const STRING = table({
  byte: (text, from = 1, to = from) => {
    const own = textArgument(text);
    const [start, end] = range(own.length, numberArgument(from), numberArgument(to));
    if (end - start === 1) return own.charCodeAt(start);
    return new Multi(Array.from(own.slice(start, end), (char) => char.charCodeAt(0)));
  },
  char: (...codes) => String.fromCharCode(...codes.map(numberArgument)),
  find: (text, pattern, from = 1, isPlain) => {
    const own = textArgument(text);
    const [start] = range(own.length, numberArgument(from), -1);
    if (isPlain !== undefined && isPlain !== false) {
      const found = own.indexOf(textArgument(pattern), start);
      return found < 0 ? undefined : new Multi([found + 1, found + textArgument(pattern).length]);
    }
    const match = findPattern(own, textArgument(pattern), start);
    if (match === undefined) return undefined;
    return new Multi([match.index + 1, match.index + match.text.length, ...match.captures]);
  },
  format,
  gmatch: (text, pattern) => {
    const own = textArgument(text);
    let at = 0;
    return () => {
      const match = at > own.length ? undefined : findPattern(own, textArgument(pattern), at);
      if (match === undefined) return undefined;
      at = match.index + Math.max(match.text.length, 1);
      return new Multi(match.captures.length > 0 ? match.captures : [match.text]);
    };
  },
  gsub: (text, pattern, replacement, limit = Infinity) => {
    const own = textArgument(text);
    let [result, at, count] = ['', 0, 0];
    while (at <= own.length && count < numberArgument(limit)) {
      const match = findPattern(own, textArgument(pattern), at);
      if (match === undefined) break;
      count++;
      result += own.slice(at, match.index) + replaced(match, replacement);
      at = match.index + match.text.length;
      if (match.text === '') result += own[at++] ?? '';
    }
    return new Multi([result + own.slice(at), count]);
  },
  len: (text) => textArgument(text).length,
  lower: (text) => textArgument(text).replace(/[A-Z]/g, (char) => char.toLowerCase()),
  match: (text, pattern, from = 1) => {
    const own = textArgument(text);
    const [start] = range(own.length, numberArgument(from), -1);
    const match = findPattern(own, textArgument(pattern), start);
    if (match === undefined) return undefined;
    const { captures } = match;
    if (captures.length === 0) return match.text;
    return captures.length === 1 ? captures[0] : new Multi(captures);
  },
  rep: (text, times) => textArgument(text).repeat(Math.max(0, numberArgument(times))),
  reverse: (text) => [...textArgument(text)].reverse().join(''),
  sub: (text, from, to = -1) => {
    const own = textArgument(text);
    const [start, end] = range(own.length, numberArgument(from), numberArgument(to));
    return own.slice(start, end);
  },
  upper: (text) => textArgument(text).replace(/[a-z]/g, (char) => char.toUpperCase()),
});

function replaced(match: LuaMatch, replacement: LuaValue): string {
  const first = match.captures[0] ?? match.text;
  let value: LuaValue;
  if (typeof replacement === 'function')
    [value] = called(replacement, ...(match.captures.length > 0 ? match.captures : [first]));
  else if (replacement instanceof LuaTable) value = replacement.get(first);
  else {
    return textArgument(replacement).replace(/%([\d%])/g, (_, code: string) => {
      if (code === '%') return '%';
      return code === '0' ? match.text : textArgument(match.captures[Number(code) - 1] ?? first);
    });
  }
  return value === undefined || value === false ? match.text : textArgument(value);
}

const TABLE = table({
  concat: (list, separator = '', from = 1, to = tableArgument(list).length) => {
    const parts: string[] = [];
    for (let at = numberArgument(from); at <= numberArgument(to); at++) {
      parts.push(textArgument(tableArgument(list).get(at)));
    }
    return parts.join(textArgument(separator));
  },
  getn: (list) => tableArgument(list).length,
  insert: (...given) => {
    const list = tableArgument(given[0]);
    if (given.length === 2) list.set(list.length + 1, given[1]);
    else {
      const at = numberArgument(given[1]);
      for (let index = list.length; index >= at; index--) list.set(index + 1, list.get(index));
      list.set(at, given[2]);
    }
    return undefined;
  },
  remove: (given, position) => {
    const list = tableArgument(given);
    if (list.length === 0) return undefined;
    const at = position === undefined ? list.length : numberArgument(position);
    const removed = list.get(at);
    for (let index = at; index <= list.length; index++) list.set(index, list.get(index + 1));
    return removed;
  },
  sort: (given, isLess) => {
    tableArgument(given).list.sort((first, second) => {
      const less = (one: LuaValue, other: LuaValue): boolean => {
        if (isLess !== undefined) return isTrue(called(isLess, one, other)[0]);
        return (one as number) < (other as number);
      };
      return less(first, second) ? -1 : Number(less(second, first));
    });
    return undefined;
  },
});

const MATH = table({
  abs: (value) => Math.abs(numberArgument(value)),
  ceil: (value) => Math.ceil(numberArgument(value)),
  floor: (value) => Math.floor(numberArgument(value)),
  fmod: (value, by) => numberArgument(value) % numberArgument(by),
  huge: Infinity,
  max: (...values) => Math.max(...values.map(numberArgument)),
  min: (...values) => Math.min(...values.map(numberArgument)),
  pow: (value, power) => numberArgument(value) ** numberArgument(power),
  sqrt: (value) => Math.sqrt(numberArgument(value)),
});

/** Whether a value counts as true: all but nil and false. */
export function isTrue(value: LuaValue): boolean {
  return value !== undefined && value !== false;
}

/** A step of `for … in`: what `pairs`, `ipairs` and `next` are made of. */
const next: LuaFunction = (given, key) => {
  const entries = tableArgument(given).entries();
  const at = key === undefined ? 0 : entries.findIndex(([each]) => each === key) + 1;
  return at >= entries.length ? undefined : new Multi(entries[at]!);
};

/** The globals of every script; those of Redis itself stand beside them. */
export const GLOBALS: ReadonlyMap<string, LuaValue> = new Map<string, LuaValue>([
  ['string', STRING],
  ['table', TABLE],
  ['math', MATH],
  ['type', (value) => typeName(value)],
  ['tostring', tostring],
  [
    'tonumber',
    (value, base) => {
      if (base === undefined || base === 10) return numberOf(value);
      const number = parseInt(textArgument(value), numberArgument(base));
      return Number.isNaN(number) ? undefined : number;
    },
  ],
  ['next', next],
  ['pairs', (given) => new Multi([next, tableArgument(given), undefined])],
  ['cjson', table({ encode: json })],
  [
    'ipairs',
    (given) => {
      const list = tableArgument(given);
      const step: LuaFunction = (_, at) => {
        const value = list.get((at as number) + 1);
        return value === undefined ? undefined : new Multi([(at as number) + 1, value]);
      };
      return new Multi([step, list, 0]);
    },
  ],
  [
    'unpack',
    (given, from = 1, to = tableArgument(given).length) => {
      const values: LuaValue[] = [];
      for (let at = numberArgument(from); at <= numberArgument(to); at++) {
        values.push(tableArgument(given).get(at));
      }
      return new Multi(values);
    },
  ],
  [
    'select',
    (which, ...rest) =>
      which === '#' ? rest.length : new Multi(rest.slice(numberArgument(which) - 1)),
  ],
  [
    'error',
    (value) => {
      throw new LuaError(value);
    },
  ],
  [
    'assert',
    (...values) => {
      if (isTrue(values[0])) return new Multi(values);
      throw new LuaError(values[1] ?? 'assertion failed!');
    },
  ],
  [
    'pcall',
    (callee, ...given) => {
      try {
        return new Multi([true, ...called(callee, ...given)]);
      } catch (error) {
        if (!(error instanceof LuaError)) throw error;
        return new Multi([false, error.value]);
      }
    },
  ],
]);

export const STRING_METHODS: LuaTable = STRING;
