import { tokenize, type LuaToken } from './lua-lexer.js';

/** A piece of JavaScript, and whether it may give several values. */
interface Expression {
  readonly code: string;
  readonly isMulti: boolean;
  /** How to assign to it, where that is possible. */
  readonly assign?: (value: string) => string;
  readonly isCall?: boolean;
}

/** Binding powers of Lua's operators, left and right (Lua 5.1 manual, "Precedence"). */
const BINARY: Readonly<Record<string, readonly [left: number, right: number]>> = {
  or: [1, 1],
  and: [2, 2],
  '<': [3, 3],
  '>': [3, 3],
  '<=': [3, 3],
  '>=': [3, 3],
  '~=': [3, 3],
  '==': [3, 3],
  '..': [5, 4],
  '+': [6, 6],
  '-': [6, 6],
  '*': [7, 7],
  '/': [7, 7],
  '%': [7, 7],
  '^': [10, 9],
};
const UNARY_POWER = 8;
const ARITHMETIC: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '^': 'pow',
};

/**
 * Turns a script of Lua 5.1 into the body of a JavaScript function whose parameter `$` is a `LuaRuntime`'s tools.
 *
 * Not there: `goto`, metatables, coroutines, assignments to globals (Redis refuses them, too). What it does not know is
 * an error when the script is compiled, not something else when it runs.
 *
 * @throws SyntaxError
 */
export function compileLua(source: string): string {
  return new LuaCompiler(tokenize(source)).chunk();
}

class LuaCompiler {
  readonly #tokens: readonly LuaToken[];
  #at = 0;
  #names = 0;
  #scopes: Map<string, string>[] = [new Map()];

  constructor(tokens: readonly LuaToken[]) {
    this.#tokens = tokens;
  }

  chunk(): string {
    const body = this.#block();
    if (this.#token.type !== 'end') this.#fail(`unexpected '${this.#token.value}'`);
    return `let $t;\n${body}`;
  }

  get #token(): LuaToken {
    return this.#tokens[this.#at]!;
  }

  #fail(problem: string): never {
    throw new SyntaxError(`Lua, line ${this.#token.line}: ${problem}`);
  }

  #is(...values: readonly string[]): boolean {
    const { type, value } = this.#token;
    return (type === 'keyword' || type === 'operator') && values.includes(value);
  }

  #accept(value: string): boolean {
    if (!this.#is(value)) return false;
    this.#at++;
    return true;
  }

  #expect(value: string): void {
    if (!this.#accept(value)) this.#fail(`expected '${value}', got '${this.#token.value}'`);
  }

  #name(): string {
    if (this.#token.type !== 'name') this.#fail(`expected a name, got '${this.#token.value}'`);
    return this.#tokens[this.#at++]!.value;
  }

  #declare(name: string): string {
    const own = `${name}$${++this.#names}`;
    this.#scopes[this.#scopes.length - 1]!.set(name, own);
    return own;
  }

  #lookUp(name: string): string | undefined {
    for (let index = this.#scopes.length - 1; index >= 0; index--) {
      const found = this.#scopes[index]!.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #scoped<Result>(work: () => Result): Result {
    this.#scopes.push(new Map());
    try {
      return work();
    } finally {
      this.#scopes.pop();
    }
  }

  /** Statements up to what ends a block; the caller opens the scope. */
  #block(): string {
    const lines: string[] = [];
    while (this.#token.type !== 'end' && !this.#is('end', 'else', 'elseif', 'until')) {
      if (this.#accept(';')) continue;
      const isLast = this.#is('return', 'break');
      lines.push(this.#statement());
      if (isLast) {
        this.#accept(';');
        break;
      }
    }
    return lines.join('\n');
  }

  #inner(): string {
    return this.#scoped(() => `{${this.#block()}}`);
  }

  #statement(): string {
    if (this.#accept('local'))
      return this.#accept('function') ? this.#localFunction() : this.#local();
    if (this.#accept('if')) return this.#if();
    if (this.#accept('for')) return this.#scoped(() => this.#for());
    if (this.#accept('while')) {
      const condition = this.#truth();
      this.#expect('do');
      const body = this.#inner();
      this.#expect('end');
      return `while(${condition})${body}`;
    }
    if (this.#accept('repeat')) {
      return this.#scoped(() => {
        const body = this.#block();
        this.#expect('until');
        return `for(;;){${body}\nif(${this.#truth()})break;}`;
      });
    }
    if (this.#accept('do')) {
      const body = this.#inner();
      this.#expect('end');
      return body;
    }
    if (this.#accept('break')) return 'break;';
    if (this.#accept('return')) return this.#return();
    if (this.#is('function')) this.#fail('a global function; Redis refuses globals');
    return this.#assignmentOrCall();
  }

  #localFunction(): string {
    const name = this.#declare(this.#name());
    return `let ${name}=${this.#functionBody()};`;
  }

  #local(): string {
    const names = [this.#name()];
    while (this.#accept(',')) names.push(this.#name());
    const values = this.#accept('=') ? this.#expressions() : [];
    // Declared only now: the values see what the names meant before.
    if (names.length === 1 && values.length === 1) {
      return `let ${this.#declare(names[0]!)}=${single(values[0]!)};`;
    }
    const given = spread(values);
    const own = names.map((name) => this.#declare(name));
    return given === '' ? `let ${own.join(',')};` : `let [${own.join(',')}]=[${given}];`;
  }

  #if(): string {
    let code = `if(${this.#truth()})`;
    this.#expect('then');
    code += this.#inner();
    for (;;) {
      if (this.#accept('elseif')) {
        code += `else if(${this.#truth()})`;
        this.#expect('then');
        code += this.#inner();
      } else if (this.#accept('else')) {
        code += `else${this.#inner()}`;
        this.#expect('end');
        return code;
      } else {
        this.#expect('end');
        return code;
      }
    }
  }

  #for(): string {
    const names = [this.#name()];
    while (this.#accept(',')) names.push(this.#name());
    if (names.length === 1 && this.#accept('=')) {
      const [from, to, step] = this.#expressions().map(single);
      if (to === undefined) this.#fail('a loop needs a first and a last value');
      this.#expect('do');
      const counter = `$i${++this.#names}`;
      const own = this.#declare(names[0]!);
      const body = this.#block();
      this.#expect('end');
      const [by, end] = [`$b${this.#names}`, `$e${this.#names}`];
      const test =
        step === undefined ? `${counter}<=${end}` : `${by}>0?${counter}<=${end}:${counter}>=${end}`;
      return `for(let ${counter}=$.num(${from}),${end}=$.num(${to}),${by}=${step === undefined ? 1 : `$.num(${step})`};${test};${counter}+=${by}){let ${own}=${counter};${body}}`;
    }
    this.#expect('in');
    const source = spread(this.#expressions());
    this.#expect('do');
    const own = names.map((name) => this.#declare(name));
    const body = this.#block();
    this.#expect('end');
    return `for(const $v of $.each(${source})){let [${own.join(',')}]=$v;${body}}`;
  }

  #return(): string {
    if (this.#token.type === 'end' || this.#is('end', 'else', 'elseif', 'until', ';'))
      return 'return;';
    const values = this.#expressions();
    if (values.length === 1) return `return ${values[0]!.code};`;
    return `return $.multi([${spread(values)}]);`;
  }

  #assignmentOrCall(): string {
    const first = this.#suffixed();
    if (!this.#is('=', ',')) {
      if (first.isCall !== true) this.#fail('an expression is no statement');
      return `${first.code};`;
    }
    const targets = [first];
    while (this.#accept(',')) targets.push(this.#suffixed());
    this.#expect('=');
    const values = this.#expressions();
    const assign = (target: Expression, value: string): string =>
      target.assign?.(value) ?? this.#fail('this cannot be assigned to');
    if (targets.length === 1 && values.length === 1) return `${assign(first, single(values[0]!))};`;
    const all = `$a${++this.#names}`;
    const work = targets.map((target, index) => `${assign(target, `${all}[${index}]`)};`);
    return `{const ${all}=[${spread(values)}];${work.join('')}}`;
  }

  #expressions(): readonly Expression[] {
    const list = [this.#expression(0)];
    while (this.#accept(',')) list.push(this.#expression(0));
    return list;
  }

  #truth(): string {
    return `$.is(${single(this.#expression(0))})`;
  }

  #expression(power: number): Expression {
    let left = this.#unary();
    for (;;) {
      const { type, value } = this.#token;
      const powers = type === 'operator' || type === 'keyword' ? BINARY[value] : undefined;
      if (powers === undefined || powers[0] <= power) return left;
      this.#at++;
      const right = this.#expression(powers[1]);
      left = plain(binary(value, single(left), single(right)));
    }
  }

  #unary(): Expression {
    if (this.#accept('not')) return plain(`!$.is(${single(this.#expression(UNARY_POWER))})`);
    if (this.#accept('-')) return plain(`-$.num(${single(this.#expression(UNARY_POWER))})`);
    if (this.#accept('#')) return plain(`$.len(${single(this.#expression(UNARY_POWER))})`);
    return this.#simple();
  }

  #simple(): Expression {
    const { type, value } = this.#token;
    if (type === 'number' || type === 'string') {
      this.#at++;
      return plain(type === 'number' ? `(${Number(value)})` : JSON.stringify(value));
    }
    if (this.#accept('nil')) return plain('undefined');
    if (this.#accept('true')) return plain('true');
    if (this.#accept('false')) return plain('false');
    if (this.#accept('...')) return { code: '$.multi($rest)', isMulti: true };
    if (this.#is('{')) return plain(this.#table());
    if (this.#accept('function')) return plain(`(${this.#functionBody()})`);
    return this.#suffixed();
  }

  #suffixed(): Expression {
    let current: Expression;
    if (this.#accept('(')) {
      current = plain(`(${single(this.#expression(0))})`);
      this.#expect(')');
    } else current = this.#variable(this.#name());
    for (;;) {
      if (this.#accept('.')) current = member(current, JSON.stringify(this.#name()));
      else if (this.#accept('[')) {
        current = member(current, single(this.#expression(0)));
        this.#expect(']');
      } else if (this.#accept(':')) {
        const method = this.#name();
        current = call(`$.method(${single(current)},${JSON.stringify(method)})`, this.#arguments());
      } else if (this.#is('(', '{') || this.#token.type === 'string') {
        current = call(single(current), this.#arguments());
      } else return current;
    }
  }

  #variable(name: string): Expression {
    const local = this.#lookUp(name);
    if (local !== undefined) {
      return { code: local, isMulti: false, assign: (value) => `${local}=${value}` };
    }
    return plain(`$.global(${JSON.stringify(name)})`);
  }

  #arguments(): string {
    const { type, value } = this.#token;
    if (type === 'string') {
      this.#at++;
      return JSON.stringify(value);
    }
    if (this.#is('{')) return this.#table();
    this.#expect('(');
    const given = this.#is(')') ? '' : spread(this.#expressions());
    this.#expect(')');
    return given;
  }

  #table(): string {
    this.#expect('{');
    const listed: Expression[] = [];
    const named: string[] = [];
    while (!this.#is('}')) {
      const next = this.#tokens[this.#at + 1]!;
      if (this.#accept('[')) {
        const key = single(this.#expression(0));
        this.#expect(']');
        this.#expect('=');
        named.push(`[${key},${single(this.#expression(0))}]`);
      } else if (this.#token.type === 'name' && next.type === 'operator' && next.value === '=') {
        const key = JSON.stringify(this.#name());
        this.#expect('=');
        named.push(`[${key},${single(this.#expression(0))}]`);
      } else listed.push(this.#expression(0));
      if (!this.#accept(',') && !this.#accept(';')) break;
    }
    this.#expect('}');
    return `$.table([${spread(listed)}],[${named.join(',')}])`;
  }

  #functionBody(): string {
    return this.#scoped(() => {
      this.#expect('(');
      const parameters: string[] = [];
      while (!this.#is(')')) {
        if (this.#accept('...')) parameters.push('...$rest');
        else parameters.push(this.#declare(this.#name()));
        if (!this.#accept(',')) break;
      }
      this.#expect(')');
      const body = this.#block();
      this.#expect('end');
      return `(${parameters.join(',')})=>{${body}}`;
    });
  }
}

function plain(code: string): Expression {
  return { code, isMulti: false };
}

/** Exactly one value. */
function single({ code, isMulti }: Expression): string {
  return isMulti ? `$.one(${code})` : code;
}

/** A list of values; only the last expression may give several. */
function spread(values: readonly Expression[]): string {
  return values
    .map((value, index) =>
      value.isMulti && index === values.length - 1 ? `...$.all(${value.code})` : single(value),
    )
    .join(',');
}

function call(callee: string, given: string): Expression {
  return { code: `$.fn(${callee})(${given})`, isMulti: true, isCall: true };
}

function member(owner: Expression, key: string): Expression {
  const table = single(owner);
  return {
    code: `$.get(${table},${key})`,
    isMulti: false,
    assign: (value) => `$.set(${table},${key},${value})`,
  };
}

function binary(operator: string, left: string, right: string): string {
  switch (operator) {
    // Nothing is evaluated between the assignment to the one temporary variable and its use.
    case 'and':
      return `($.is($t=${left})?${right}:$t)`;
    case 'or':
      return `($.is($t=${left})?$t:${right})`;
    case '==':
      return `(${left}===${right})`;
    case '~=':
      return `(${left}!==${right})`;
    case '..':
      return `$.join(${left},${right})`;
    case '<':
    case '<=':
      return `$.${operator === '<' ? 'lt' : 'le'}(${left},${right})`;
    // As Lua does it, with the operands changed round; they are evaluated from left to right all the same.
    case '>':
    case '>=':
      return `$.${operator === '>' ? 'gt' : 'ge'}(${left},${right})`;
    default:
      return `$.${ARITHMETIC[operator]!}(${left},${right})`;
  }
}
