import { endianness } from 'node:os';
import { isDeepStrictEqual, types } from 'node:util';

/** A kind of binary value: how it is told from the others, and how it is made again from its bytes. */
export interface BinaryKind {
  /** Its name in stored data. It never changes. */
  readonly name: string;
  readonly prototype: object;
  /** The size of one element; a length that is no multiple of it is damage. */
  readonly elementBytes: number;
  /** @param buffer - memory that belongs to the new value alone */
  make(buffer: ArrayBuffer): object;
}

interface ViewConstructor {
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer): object;
}

const VIEW_NAMES = [
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float16Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
] as const;

/** Every kind of binary value that this Node has; `Float16Array` is younger than the others. */
const KINDS: readonly BinaryKind[] = [
  {
    name: 'Buffer',
    prototype: Buffer.prototype,
    elementBytes: 1,
    make: (buffer) => Buffer.from(buffer),
  },
  {
    name: 'ArrayBuffer',
    prototype: ArrayBuffer.prototype,
    elementBytes: 1,
    make: (buffer) => buffer,
  },
  {
    name: 'DataView',
    prototype: DataView.prototype,
    elementBytes: 1,
    make: (buffer) => new DataView(buffer),
  },
  ...VIEW_NAMES.flatMap((name) => {
    const View = (globalThis as unknown as Partial<Record<string, ViewConstructor>>)[name];
    if (View === undefined) return [];
    return {
      name,
      prototype: View.prototype,
      elementBytes: View.BYTES_PER_ELEMENT,
      make: (buffer: ArrayBuffer) => new View(buffer),
    };
  }),
];

const BY_PROTOTYPE = new Map<object, BinaryKind>(KINDS.map((kind) => [kind.prototype, kind]));
const BY_NAME = new Map<string, BinaryKind>(KINDS.map((kind) => [kind.name, kind]));
const IS_BIG_ENDIAN = endianness() === 'BE';

/** The kind of a value with this prototype; `undefined` when it is not binary. */
export function binaryKindOf(prototype: object): BinaryKind | undefined {
  return BY_PROTOTYPE.get(prototype);
}

/** The kind of that name, if this Node has it. */
export function binaryKindNamed(name: string): BinaryKind | undefined {
  return BY_NAME.get(name);
}

/** Why a binary value cannot be kept as it is; `undefined` when it can. */
export function binaryFault(value: object, kind: BinaryKind): string | undefined {
  const isView = ArrayBuffer.isView(value);
  if (!isView && !types.isArrayBuffer(value)) return `not a real ${kind.name}`;
  const buffer: ArrayBufferLike & { readonly resizable?: boolean } = isView ? value.buffer : value;
  if (types.isSharedArrayBuffer(buffer)) return 'backed by memory shared between threads';
  if (buffer.resizable === true) return 'backed by a resizable buffer';
  if (!isView || value instanceof DataView) {
    return Reflect.ownKeys(value).length === 0 ? undefined : 'binary data with extra properties';
  }
  // Listing the own keys of a view makes a string per byte; comparing it with a bare view of the same memory does not.
  const bare =
    kind.name === 'Buffer'
      ? Buffer.from(buffer as ArrayBuffer, value.byteOffset, value.byteLength)
      : Reflect.construct(kind.prototype.constructor, [
          buffer,
          value.byteOffset,
          value.byteLength / kind.elementBytes,
        ]);
  return isDeepStrictEqual(value, bare) ? undefined : 'binary data with extra properties';
}

/** The bytes of a binary value, little endian whatever the machine. Shares memory with it where it can. */
export function bytesOf(
  value: object,
  kind: BinaryKind,
  isBigEndian: boolean = IS_BIG_ENDIAN,
): Buffer {
  const view = ArrayBuffer.isView(value) ? value : new Uint8Array(value as ArrayBuffer);
  const bytes = Buffer.from(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength);
  return isBigEndian ? reverseElements(Buffer.from(bytes), kind.elementBytes) : bytes;
}

/** The value of a kind that has these bytes; `undefined` when their number does not fit. */
export function binaryFrom(
  bytes: Buffer,
  kind: BinaryKind,
  isBigEndian: boolean = IS_BIG_ENDIAN,
): object | undefined {
  if (bytes.length % kind.elementBytes !== 0) return undefined;
  const memory = new ArrayBuffer(bytes.length);
  const copy = Buffer.from(memory);
  copy.set(bytes);
  if (isBigEndian) reverseElements(copy, kind.elementBytes);
  return kind.make(memory);
}

function reverseElements(bytes: Buffer, elementBytes: number): Buffer {
  if (elementBytes === 2) return bytes.swap16();
  if (elementBytes === 4) return bytes.swap32();
  return elementBytes === 8 ? bytes.swap64() : bytes;
}
