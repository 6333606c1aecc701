import { types } from 'node:util';
import { CacheSerializationError } from '../errors.js';
import { binaryFault, binaryKindOf } from './binary-kinds.js';

/**
 * What a value holds that plain JSON text would change. A codec refuses, or writes in another form, what it
 * cannot carry natively; a value without traits survives `JSON.stringify` and `JSON.parse` exactly.
 */
export const TRAITS = {
  /** `undefined` as a value of a property, an element, an entry, or as the whole. */
  undefined: 1,
  /** `NaN` or an infinity. */
  nonFinite: 2,
  negativeZero: 4,
  /** A bigint of at most 64 bits, signed or unsigned. */
  bigint: 8,
  wideBigint: 16,
  date: 32,
  /** Buffer, ArrayBuffer, DataView or a typed array. */
  binary: 64,
  map: 128,
  set: 256,
  sparseArray: 512,
  nullPrototype: 1024,
  regExp: 2048,
  url: 4096,
  /** An object that is reached more than once, perhaps from within itself. */
  shared: 8192,
  /** A Float16Array: younger than the oldest Node that is supported. */
  float16: 65536,
  /** A property name between two underscores on either side, such as `__proto__`. Fine in JSON. */
  dunderName: 16384,
  /** An object with more than {@link MANY_PROPERTIES} properties: a dictionary, not a row. Fine in JSON. */
  dictionary: 131072,
  /**
   * A text or a property name with half a surrogate pair, or with a byte order mark in front. Fine in JSON, and
   * looked for only on demand.
   */
  awkwardText: 32768,
} as const;

/** What {@link checkValue} found out in its one walk. */
export interface ValueReport {
  /** A sum of {@link TRAITS}. */
  readonly traits: number;
  /** The objects that are reached more than once. */
  readonly shared: ReadonlySet<object>;
}

/** From how many properties on an object counts as a dictionary. */
export const MANY_PROPERTIES = 256;

/** How deep values may be nested. The limit leaves the call stack alone whoever calls. */
export const MAX_DEPTH = 1000;

/**
 * Walks a value once and finds what it holds.
 *
 * Whatever has no exact form in any codec of this library is refused here: functions, symbols, instances of
 * classes, promises, boxed primitives, errors, accessors, hidden or symbol-named properties, invalid dates,
 * proxies (what they show may change between the check and the writing), and nesting deeper than
 * {@link MAX_DEPTH}.
 *
 * @param codec - the codec's name, for the message
 * @param checksTexts - whether to look for `awkwardText`, which costs a look at every text
 * @throws {@link CacheSerializationError} with the path of the fault, such as `value.items[3].save`
 */
export function checkValue(value: unknown, codec: string, checksTexts = false): ValueReport {
  const walk = new ValueWalk(codec, checksTexts);
  try {
    walk.visit(value, 0);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CacheSerializationError(`${codec} ran out of stack: the value is nested too deep.`);
  }
  return walk;
}

class ValueWalk implements ValueReport {
  traits = 0;
  readonly shared: Set<object> = new Set();
  readonly #seen = new Set<object>();
  readonly #path: (string | number | symbol)[] = [];
  readonly #codec: string;
  readonly #checksTexts: boolean;

  constructor(codec: string, checksTexts: boolean) {
    this.#codec = codec;
    this.#checksTexts = checksTexts;
  }

  visit(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        if (this.#checksTexts) this.#visitText(value);
        return;
      case 'number':
        if (value === 0) {
          if (Object.is(value, -0)) this.traits |= TRAITS.negativeZero;
        } else if (value - value !== 0) this.traits |= TRAITS.nonFinite;
        return;
      case 'boolean':
        return;
      case 'undefined':
        this.traits |= TRAITS.undefined;
        return;
      case 'bigint':
        this.traits |= isNarrow(value) ? TRAITS.bigint : TRAITS.wideBigint;
        return;
      case 'object':
        if (value !== null) this.#visitObject(value, depth);
        return;
      default:
        this.#refuse(depth, typeof value === 'function' ? 'a function' : 'a symbol');
    }
  }

  #visitText(text: string): void {
    if (!isWellFormed(text) || text.charCodeAt(0) === 0xfeff) this.traits |= TRAITS.awkwardText;
  }

  #visitObject(value: object, depth: number): void {
    if (this.#seen.has(value)) {
      this.shared.add(value);
      this.traits |= TRAITS.shared;
      return;
    }
    this.#seen.add(value);
    if (depth === MAX_DEPTH) this.#refuse(depth, `nested deeper than ${MAX_DEPTH} levels`);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) this.#visitProperties(value, depth);
    else if (prototype === Array.prototype && Array.isArray(value)) this.#visitArray(value, depth);
    else if (prototype === null) {
      this.traits |= TRAITS.nullPrototype;
      this.#visitProperties(value, depth);
    } else this.#visitBuiltIn(value, prototype as object, depth);
  }

  #visitProperties(value: object, depth: number): void {
    if (types.isProxy(value)) this.#refuse(depth, 'a proxy');
    const keys = Object.keys(value);
    if (Object.getOwnPropertyNames(value).length > keys.length) {
      this.#refuse(depth, 'an object with properties that are not enumerable');
    }
    if (Object.getOwnPropertySymbols(value).length > 0) {
      this.#refuse(depth, 'an object with properties named by symbols');
    }
    if (keys.length > MANY_PROPERTIES) this.traits |= TRAITS.dictionary;
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index]!;
      this.#path[depth] = key;
      const property = Reflect.getOwnPropertyDescriptor(value, key)!;
      if (property.get !== undefined || property.set !== undefined) {
        this.#refuse(depth + 1, 'an accessor');
      }
      if (key.charCodeAt(0) === 95 && key.startsWith('__') && key.endsWith('__')) {
        this.traits |= TRAITS.dunderName;
      }
      if (this.#checksTexts) this.#visitText(key);
      this.visit(property.value, depth + 1);
    }
  }

  #visitArray(value: readonly unknown[], depth: number): void {
    if (types.isProxy(value)) this.#refuse(depth, 'a proxy');
    const { length } = value;
    // Names come in order: the elements, then 'length', then what was added. Too few of them are holes.
    const names = Object.getOwnPropertyNames(value);
    const last = names.length - 1;
    if (Object.getOwnPropertySymbols(value).length > 0 || names[last] !== 'length') {
      this.#refuse(depth, 'an array with extra properties');
    }
    if (last < length) {
      this.traits |= TRAITS.sparseArray;
      for (let index = 0; index < last; index++) {
        const at = Number(names[index]);
        this.#path[depth] = at;
        this.visit(value[at], depth + 1);
      }
      return;
    }
    for (let index = 0; index < length; index++) {
      this.#path[depth] = index;
      this.visit(value[index], depth + 1);
    }
  }

  #visitBuiltIn(value: object, prototype: object, depth: number): void {
    const binary = binaryKindOf(prototype);
    if (binary !== undefined) {
      this.traits |= binary.name === 'Float16Array' ? TRAITS.float16 : TRAITS.binary;
      const fault = binaryFault(value, binary);
      if (fault !== undefined) this.#refuse(depth, fault);
      return;
    }
    let extra = Reflect.ownKeys(value).length;
    if (prototype === Date.prototype && types.isDate(value)) {
      this.traits |= TRAITS.date;
      // No two invalid dates are deeply equal, so one could not come back as what it was.
      if (Number.isNaN(value.getTime())) this.#refuse(depth, 'an invalid date');
    } else if (prototype === Map.prototype && types.isMap(value)) {
      this.traits |= TRAITS.map;
      this.#visitEntries(value, depth);
    } else if (prototype === Set.prototype && types.isSet(value)) {
      this.traits |= TRAITS.set;
      this.#visitItems(value, depth);
    } else if (prototype === RegExp.prototype && types.isRegExp(value)) {
      this.traits |= TRAITS.regExp;
      extra--; // lastIndex
      this.#path[depth] = 'lastIndex';
      this.visit(value.lastIndex, depth + 1);
    } else if (prototype === URL.prototype && isStableUrl(value as URL)) {
      this.traits |= TRAITS.url;
    } else this.#refuse(depth, describeInstance(value, prototype));
    if (extra > 0) this.#refuse(depth, 'a built-in object with extra properties');
  }

  #visitEntries(map: ReadonlyMap<unknown, unknown>, depth: number): void {
    let index = 0;
    for (const [key, value] of map) {
      this.#path[depth] = `<key ${index}>`;
      this.visit(key, depth + 1);
      this.#path[depth] = `<value ${index}>`;
      this.visit(value, depth + 1);
      index++;
    }
  }

  #visitItems(set: ReadonlySet<unknown>, depth: number): void {
    let index = 0;
    for (const item of set) {
      this.#path[depth] = `<item ${index}>`;
      this.visit(item, depth + 1);
      index++;
    }
  }

  #refuse(depth: number, what: string): never {
    const steps = this.#path.slice(0, Math.min(depth, MAX_STEPS_SHOWN)).map(pathStep);
    const path = `value${steps.join('')}${depth > MAX_STEPS_SHOWN ? '…' : ''}`;
    throw new CacheSerializationError(
      `${this.#codec} cannot keep ${path}: it is ${what}. Leave it out, store plain data instead, or give the ` +
        `cache a 'model' that does the conversion.`,
      path,
    );
  }
}

function isNarrow(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value;
}

/** `String.prototype.isWellFormed` exists since Node 20; the ES2023 types lack it. */
function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** Whether a URL says the same when it is parsed again. */
function isStableUrl(value: URL): boolean {
  try {
    return new URL(value.href).href === value.href;
  } catch {
    return false; // not a real URL, only something with its prototype
  }
}

function describeInstance(value: object, prototype: object): string {
  if (types.isPromise(value)) return 'a promise';
  if (types.isNativeError(value)) return 'an error';
  const owner: unknown = Reflect.getOwnPropertyDescriptor(prototype, 'constructor')?.value;
  return typeof owner === 'function' && owner.name !== ''
    ? `an instance of ${owner.name}`
    : 'an instance of an unnamed class';
}

const MAX_STEPS_SHOWN = 20;
const PLAIN_NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

function pathStep(step: string | number | symbol): string {
  if (typeof step === 'number') return `[${step}]`;
  if (typeof step === 'symbol') return `[${String(step)}]`;
  if (step.startsWith('<') || PLAIN_NAME.test(step)) return `.${step}`;
  return `[${JSON.stringify(step.length > 40 ? `${step.slice(0, 40)}…` : step)}]`;
}
