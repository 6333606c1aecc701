import { types } from 'node:util';

type TypedArray = Exclude<NodeJS.TypedArray, Buffer>;
type ErrorClass = new () => Error;

/**
 * A copy of an object of a built-in kind, still without what the object refers to: `Map`, `Set` and errors come
 * back empty. `undefined` when it is of no such kind: a class instance, a subclass, a proxy of one, shared memory.
 */
export function copyBuiltIn(source: object, prototype: unknown): object | undefined {
  if (ArrayBuffer.isView(source)) return copyView(source as NodeJS.ArrayBufferView, prototype);
  if (types.isNativeError(source)) return copyError(prototype);
  switch (prototype) {
    case Date.prototype:
      return types.isDate(source) ? new Date(source.getTime()) : undefined;
    case Map.prototype:
      return types.isMap(source) ? new Map() : undefined;
    case Set.prototype:
      return types.isSet(source) ? new Set() : undefined;
    case ArrayBuffer.prototype:
      return types.isArrayBuffer(source) ? source.slice(0) : undefined;
    case RegExp.prototype:
      return types.isRegExp(source) ? copyRegExp(source) : undefined;
    default:
      return undefined;
  }
}

/** What a person would call the kind of an object, for messages. */
export function kindOf(source: object): string {
  if (Array.isArray(source)) return 'an array';
  const prototype: unknown = Object.getPrototypeOf(source);
  if (prototype === Object.prototype || prototype === null) return 'an object';
  const name: unknown = (prototype as { constructor?: { name?: unknown } }).constructor?.name;
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'a class instance';
}

function copyView(source: NodeJS.ArrayBufferView, prototype: unknown): object | undefined {
  if (types.isSharedArrayBuffer(source.buffer)) return undefined;
  if (prototype === Buffer.prototype) {
    // Memory of its own: a slice of Node's pool would keep 8 KiB alive for a few bytes.
    const copy = Buffer.allocUnsafeSlow(source.byteLength);
    copy.set(source as Buffer);
    return copy;
  }
  if (prototype === DataView.prototype) {
    const end = source.byteOffset + source.byteLength;
    return new DataView(source.buffer.slice(source.byteOffset, end));
  }
  return TYPED_ARRAYS.has(prototype) ? (source as TypedArray).slice() : undefined;
}

/** An error without any property of its own. */
function copyError(prototype: unknown): Error | undefined {
  const errorClass = ERROR_CLASSES.get(prototype);
  if (errorClass === undefined) return undefined;
  const copy = new errorClass();
  for (const key of Reflect.ownKeys(copy)) Reflect.deleteProperty(copy, key);
  return copy;
}

function copyRegExp(source: RegExp): RegExp {
  const copy = new RegExp(source.source, source.flags);
  copy.lastIndex = source.lastIndex;
  return copy;
}

const TYPED_ARRAYS: ReadonlySet<unknown> = new Set<unknown>([
  Int8Array.prototype,
  Uint8Array.prototype,
  Uint8ClampedArray.prototype,
  Int16Array.prototype,
  Uint16Array.prototype,
  Int32Array.prototype,
  Uint32Array.prototype,
  Float32Array.prototype,
  Float64Array.prototype,
  BigInt64Array.prototype,
  BigUint64Array.prototype,
]);

const ERROR_CLASSES: ReadonlyMap<unknown, ErrorClass> = new Map<unknown, ErrorClass>([
  [Error.prototype, Error],
  [EvalError.prototype, EvalError],
  [RangeError.prototype, RangeError],
  [ReferenceError.prototype, ReferenceError],
  [SyntaxError.prototype, SyntaxError],
  [TypeError.prototype, TypeError],
  [URIError.prototype, URIError],
  [AggregateError.prototype, AggregateError.bind(undefined, []) as unknown as ErrorClass],
]);
