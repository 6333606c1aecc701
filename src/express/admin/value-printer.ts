import { inspect, types } from 'node:util';

/** How deep the printer goes. */
const MAX_DEPTH = 30;
const NAME = /^[A-Za-z_$][\w$]*$/;

/**
 * Prints any value for a reader, at a cost bounded by the length of the text, whatever the value: no accessor, no
 * `toJSON` and no `inspect` method of it is called, a proxy is not looked into, and printing stops at the limit.
 */
export class ValuePrinter {
  readonly #limit: number;
  readonly #ancestors: object[] = [];
  #text = '';

  /** @param limit - about how many characters are printed at most */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether something was left out. */
  get isFull(): boolean {
    return this.#text.length >= this.#limit;
  }

  print(value: unknown): string {
    this.#value(value);
    return this.isFull ? this.#text.slice(0, this.#limit) : this.#text;
  }

  #value(value: unknown): void {
    if (this.isFull) return;
    if (typeof value === 'string') {
      this.#text += JSON.stringify(value.slice(0, this.#limit));
    } else if (typeof value === 'function') {
      this.#text += '[a function]';
    } else if (typeof value !== 'object' || value === null) {
      this.#text += inspect(value);
    } else if (this.#ancestors.includes(value)) {
      this.#text += '[the object around it]';
    } else if (this.#ancestors.length === MAX_DEPTH) {
      this.#text += '[…]';
    } else {
      this.#ancestors.push(value);
      this.#object(value);
      this.#ancestors.pop();
    }
  }

  #object(value: object): void {
    if (types.isProxy(value)) this.#text += '[a proxy]';
    else if (Array.isArray(value)) this.#members('', '[', ']', value, (each) => this.#value(each));
    else if (types.isDate(value)) this.#text += `Date(${dateText(value)})`;
    else if (types.isRegExp(value)) this.#text += RegExp.prototype.toString.call(value);
    else if (types.isNativeError(value)) this.#text += errorText(value);
    else if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) this.#bytes(value);
    else if (types.isSet(value))
      this.#members('Set ', '{', '}', value, (each) => this.#value(each));
    else if (types.isMap(value)) {
      this.#members('Map ', '{', '}', value, ([key, member]) => {
        this.#value(key);
        this.#text += ' => ';
        this.#value(member);
      });
    } else {
      this.#members(className(value), '{', '}', ownNames(value), (name) => {
        this.#text += `${NAME.test(name) ? name : JSON.stringify(name)}: `;
        const property = Object.getOwnPropertyDescriptor(value, name);
        if (property !== undefined && 'value' in property) this.#value(property.value);
        else this.#text += '[an accessor]';
      });
    }
  }

  #members<Member>(
    label: string,
    open: string,
    close: string,
    members: Iterable<Member>,
    print: (member: Member) => void,
  ): void {
    const indent = '  '.repeat(this.#ancestors.length);
    this.#text += label + open;
    let isEmpty = true;
    for (const member of members) {
      if (this.isFull) return;
      this.#text += `${isEmpty ? '' : ','}\n${indent}`;
      isEmpty = false;
      print(member);
    }
    this.#text += isEmpty ? close : `\n${indent.slice(2)}${close}`;
  }

  #bytes(value: ArrayBuffer | SharedArrayBuffer | ArrayBufferView): void {
    const bytes = ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : Buffer.from(value);
    const shown = bytes.subarray(0, 64).toString('hex');
    this.#text += `Bytes(${bytes.length}: ${shown}${bytes.length > 64 ? '…' : ''})`;
  }
}

function* ownNames(value: object): Generator<string> {
  for (const name in value) if (Object.hasOwn(value, name)) yield name;
}

function className(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || prototype === Object.prototype || typeof prototype !== 'object')
    return '';
  const property = Object.getOwnPropertyDescriptor(prototype, 'constructor');
  const made: unknown = property?.value;
  return typeof made === 'function' && made.name !== 'Object' ? `${made.name} ` : '';
}

function dateText(date: Date): string {
  const time = Date.prototype.getTime.call(date);
  return Number.isNaN(time) ? 'invalid' : Date.prototype.toISOString.call(date);
}

/** Name and message; a stack names files of the server. */
function errorText(error: Error): string {
  const own = Object.getOwnPropertyDescriptor(error, 'message')?.value as unknown;
  return `${className(error).trim() || 'Error'}: ${typeof own === 'string' ? own : ''}`;
}
