import { LuaError, type LuaValue } from './lua-value.js';

const CLASSES: Readonly<Record<string, string>> = {
  a: 'A-Za-z',
  c: '\\x00-\\x1f\\x7f',
  d: '0-9',
  l: 'a-z',
  p: '!-\\/:-@\\[-`{-~',
  s: '\\t-\\r ',
  u: 'A-Z',
  w: 'A-Za-z0-9',
  x: 'A-Fa-f0-9',
};
const QUANTIFIERS: Readonly<Record<string, string>> = { '*': '*', '+': '+', '-': '*?', '?': '?' };

/** What a pattern has found. */
export interface LuaMatch {
  readonly index: number;
  readonly text: string;
  /** What the captures hold; a text, or a position from 1 on. */
  readonly captures: readonly LuaValue[];
}

interface Compiled {
  readonly expression: RegExp;
  /** Of each capture, whether it is a position. */
  readonly arePositions: readonly boolean[];
}

const compiled = new Map<string, Compiled>();

/**
 * Where a pattern of Lua matches from a position on, which counts from 0. `%b`, `%f` and back references are refused.
 */
export function findPattern(text: string, pattern: string, start: number): LuaMatch | undefined {
  let own = compiled.get(pattern);
  if (own === undefined) compiled.set(pattern, (own = translate(pattern)));
  const { expression, arePositions } = own;
  expression.lastIndex = start;
  const match = expression.exec(text);
  if (match === null) return undefined;
  const captures = arePositions.map((isPosition, index): LuaValue =>
    isPosition ? match.indices![index + 1]![0] + 1 : match[index + 1],
  );
  return { index: match.index, text: match[0], captures };
}

function translate(pattern: string): Compiled {
  const isAnchored = pattern.startsWith('^');
  const arePositions: boolean[] = [];
  let source = '';
  let at = isAnchored ? 1 : 0;
  while (at < pattern.length) {
    const char = pattern[at]!;
    if (char === '(' || char === ')') {
      if (char === '(') arePositions.push(pattern[at + 1] === ')');
      source += char;
      at++;
      continue;
    }
    if (char === '$' && at === pattern.length - 1) {
      source += '$';
      break;
    }
    const [item, next] = char === '[' ? set(pattern, at) : one(pattern, at);
    const quantifier = QUANTIFIERS[pattern[next] ?? ''];
    source += item + (quantifier ?? '');
    at = quantifier === undefined ? next : next + 1;
  }
  const flags = (isAnchored ? 'sy' : 'sg') + (arePositions.includes(true) ? 'd' : '');
  return { expression: new RegExp(source, flags), arePositions };
}

function one(pattern: string, at: number): readonly [item: string, next: number] {
  const char = pattern[at]!;
  if (char === '.') return ['.', at + 1];
  if (char !== '%') return [quoted(char), at + 1];
  const code = pattern[at + 1] ?? unsupported(pattern);
  const found = CLASSES[code.toLowerCase()];
  if (found !== undefined) return [`[${code === code.toLowerCase() ? '' : '^'}${found}]`, at + 2];
  if (/[A-Za-z0-9]/.test(code)) unsupported(pattern);
  return [quoted(code), at + 2];
}

function set(pattern: string, start: number): readonly [item: string, next: number] {
  let at = start + 1;
  let source = '[';
  if (pattern[at] === '^') {
    source += '^';
    at++;
  }
  for (let isFirst = true; isFirst || pattern[at] !== ']'; isFirst = false) {
    const char = pattern[at] ?? unsupported(pattern);
    if (char === '%') {
      const code = pattern[at + 1] ?? unsupported(pattern);
      const found = CLASSES[code];
      if (found === undefined && /[A-Za-z0-9]/.test(code)) unsupported(pattern);
      source += found ?? quoted(code);
      at += 2;
    } else if (pattern[at + 1] === '-' && pattern[at + 2] !== ']' && at + 2 < pattern.length) {
      source += `${quoted(char)}-${quoted(pattern[at + 2]!)}`;
      at += 3;
    } else {
      source += quoted(char);
      at++;
    }
  }
  return [`${source}]`, at + 1];
}

function quoted(char: string): string {
  return /[A-Za-z0-9]/.test(char) ? char : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function unsupported(pattern: string): never {
  throw new LuaError(`the simulated Redis does not know the pattern '${pattern}'`);
}
