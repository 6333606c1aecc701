/** A token of Lua. `value` is the name, the operator, the keyword, or the content of a literal. */
export interface LuaToken {
  readonly type: 'name' | 'keyword' | 'string' | 'number' | 'operator' | 'end';
  readonly value: string;
  readonly line: number;
}

const KEYWORDS = new Set(
  'and break do else elseif end false for function if in local nil not or repeat return then true until while'.split(
    ' ',
  ),
);
const TOKEN =
  /\s+|--\[\[[^]*?\]\]|--[^\n]*|(?<name>[A-Za-z_]\w*)|(?<number>0[xX][\da-fA-F]+|\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(?<string>"(?:\\[^]|[^"\\\n])*"|'(?:\\[^]|[^'\\\n])*')|\[\[(?<long>[^]*?)\]\]|(?<operator>\.\.\.|\.\.|==|~=|<=|>=|[-+*/%^#<>=(){}[\];:,.])/y;
const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/**
 * Splits a script, whose characters are bytes, into tokens.
 *
 * @throws SyntaxError for what is no Lua
 */
export function tokenize(source: string): readonly LuaToken[] {
  const tokens: LuaToken[] = [];
  let line = 1;
  let at = 0;
  while (at < source.length) {
    TOKEN.lastIndex = at;
    const match = TOKEN.exec(source);
    if (match === null) {
      throw new SyntaxError(`Lua, line ${line}: unexpected '${source.slice(at, at + 10)}'`);
    }
    const { name, number, string, long, operator } = match.groups!;
    if (name !== undefined) {
      tokens.push({ type: KEYWORDS.has(name) ? 'keyword' : 'name', value: name, line });
    } else if (number !== undefined) tokens.push({ type: 'number', value: number, line });
    else if (string !== undefined) {
      tokens.push({ type: 'string', value: unescape(string.slice(1, -1)), line });
    } else if (long !== undefined) {
      tokens.push({ type: 'string', value: long.replace(/^\n/, ''), line });
    } else if (operator !== undefined) tokens.push({ type: 'operator', value: operator, line });
    line += match[0].split('\n').length - 1;
    at = TOKEN.lastIndex;
  }
  tokens.push({ type: 'end', value: 'the end', line });
  return tokens;
}

function unescape(text: string): string {
  return text.replace(/\\(\d{1,3}|[^])/g, (_, code: string) =>
    /^\d/.test(code) ? String.fromCharCode(Number(code)) : (ESCAPES[code] ?? code),
  );
}
