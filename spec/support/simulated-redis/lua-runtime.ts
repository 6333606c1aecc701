import { compileFunction } from 'node:vm';
import { compileLua } from './lua-compiler.js';
import { GLOBALS, isTrue, numberArgument, STRING_METHODS, textArgument } from './lua-library.js';
import {
  LuaError,
  LuaTable,
  Multi,
  numberOf,
  typeName,
  type LuaFunction,
  type LuaValue,
} from './lua-value.js';

/** A compiled script: runs with the globals that it is given, beside those that every script has. */
export type LuaScript = (globals: ReadonlyMap<string, LuaValue>) => LuaValue;

const scripts = new Map<string, LuaScript>();

/**
 * A script, ready to run. The same text is compiled once.
 *
 * @throws SyntaxError for what is no Lua, or what the compiler does not know
 */
export function luaScript(text: string): LuaScript {
  let script = scripts.get(text);
  if (script === undefined) {
    const body = compileFunction(compileLua(text), ['$']) as (tools: object) => LuaValue | Multi;
    script = (globals) => one(body(new Tools(globals)));
    scripts.set(text, script);
  }
  return script;
}

function one(value: LuaValue | Multi): LuaValue {
  return value instanceof Multi ? value.values[0] : value;
}

function arithmeticOperand(value: LuaValue): number {
  const number = typeof value === 'number' ? value : numberOf(value);
  if (number !== undefined) return number;
  throw new LuaError(`attempt to perform arithmetic on a ${typeName(value)} value`);
}

/** Whether two values can be ordered, and are texts or numbers both. */
function expectOrder(left: LuaValue, right: LuaValue): void {
  const type = typeof left;
  if (type === typeof right && (type === 'number' || type === 'string')) return;
  throw new LuaError(`attempt to compare ${typeName(left)} with ${typeName(right)}`);
}

/** What the code of `compileLua` calls `$`. */
class Tools {
  readonly is = isTrue;
  readonly one = one;

  constructor(readonly globals: ReadonlyMap<string, LuaValue>) {}

  global(name: string): LuaValue {
    const value = this.globals.get(name) ?? GLOBALS.get(name);
    if (value !== undefined) return value;
    throw new LuaError(`the simulated Redis does not know the global '${name}'`);
  }

  fn(value: LuaValue): LuaFunction {
    if (typeof value === 'function') return value;
    throw new LuaError(`attempt to call a ${typeName(value)} value`);
  }

  method(owner: LuaValue, name: string): LuaFunction {
    const callee = this.fn(this.get(owner, name));
    return (...given) => callee(owner, ...given);
  }

  get(owner: LuaValue, key: LuaValue): LuaValue {
    if (owner instanceof LuaTable) return owner.get(key);
    if (typeof owner === 'string') return STRING_METHODS.get(key);
    throw new LuaError(`attempt to index a ${typeName(owner)} value`);
  }

  set(owner: LuaValue, key: LuaValue, value: LuaValue): void {
    if (!(owner instanceof LuaTable)) {
      throw new LuaError(`attempt to index a ${typeName(owner)} value`);
    }
    owner.set(key, value);
  }

  all(value: LuaValue | Multi): readonly LuaValue[] {
    return value instanceof Multi ? value.values : [value];
  }

  multi(values: readonly LuaValue[]): Multi {
    return new Multi(values);
  }

  table(listed: readonly LuaValue[], named: readonly (readonly [LuaValue, LuaValue])[]): LuaTable {
    const table = LuaTable.of(listed);
    for (const [key, value] of named) table.set(key, value);
    return table;
  }

  num(value: LuaValue): number {
    return numberArgument(value);
  }

  len(value: LuaValue): number {
    if (typeof value === 'string' || value instanceof LuaTable) return value.length;
    throw new LuaError(`attempt to get length of a ${typeName(value)} value`);
  }

  join(left: LuaValue, right: LuaValue): string {
    return textArgument(left) + textArgument(right);
  }

  lt(left: LuaValue, right: LuaValue): boolean {
    expectOrder(left, right);
    return (left as number) < (right as number);
  }

  le(left: LuaValue, right: LuaValue): boolean {
    expectOrder(left, right);
    return (left as number) <= (right as number);
  }

  gt(left: LuaValue, right: LuaValue): boolean {
    return this.lt(right, left);
  }

  ge(left: LuaValue, right: LuaValue): boolean {
    return this.le(right, left);
  }

  add(left: LuaValue, right: LuaValue): number {
    return arithmeticOperand(left) + arithmeticOperand(right);
  }

  sub(left: LuaValue, right: LuaValue): number {
    return arithmeticOperand(left) - arithmeticOperand(right);
  }

  mul(left: LuaValue, right: LuaValue): number {
    return arithmeticOperand(left) * arithmeticOperand(right);
  }

  div(left: LuaValue, right: LuaValue): number {
    return arithmeticOperand(left) / arithmeticOperand(right);
  }

  mod(left: LuaValue, right: LuaValue): number {
    const [dividend, divisor] = [arithmeticOperand(left), arithmeticOperand(right)];
    return dividend - Math.floor(dividend / divisor) * divisor;
  }

  pow(left: LuaValue, right: LuaValue): number {
    return arithmeticOperand(left) ** arithmeticOperand(right);
  }

  *each(step: LuaValue, state: LuaValue, start: LuaValue): Generator<readonly LuaValue[]> {
    for (let control = start; ;) {
      const values = this.all(this.fn(step)(state, control));
      if (values[0] === undefined) return;
      [control] = values;
      yield values;
    }
  }
}
