import { LuaError } from './lua-value.js';

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

const compiled = new Map<string, RegExp>();

/**
 * A pattern of Lua as a regular expression that looks from `lastIndex` on. `%b`, `%f`, back references and captures
 * of positions are refused.
 */
export function luaPattern(pattern: string): RegExp {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    expression = translate(pattern);
    compiled.set(pattern, expression);
  }
  return expression;
}

function translate(pattern: string): RegExp {
  const isAnchored = pattern.startsWith('^');
  let source = '';
  let at = isAnchored ? 1 : 0;
  while (at < pattern.length) {
    const char = pattern[at]!;
    if (char === '(' || char === ')') {
      if (char === '(' && pattern[at + 1] === ')') unsupported(pattern);
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
  return new RegExp(source, isAnchored ? 'sy' : 'sg');
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
