import { isDeepStrictEqual } from 'node:util';
import type { CacheCodec } from '../cache/codec.js';
import {
  CacheDeserializationError,
  CacheSerializationError,
  InvalidOptionError,
} from '../errors.js';
import {
  describeValue,
  expectBoolean,
  expectFunction,
  expectInteger,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../options.js';

/** The lowest id of a codec that is not ours. */
export const FIRST_CUSTOM_ID = 128;

interface SerializerIdentity {
  /** Written into each frame. 128 to 255, and for ever the same for the same format. */
  readonly id: number;
  /** For messages and `cachewell inspect`. */
  readonly name: string;
  /**
   * Whether each value is read back and compared when it is stored, so that one which the serializer would change
   * is refused. Switch it off only for a serializer that is known to be exact, or where its changes are wanted.
   *
   * @defaultValue true
   */
  readonly verify?: boolean | undefined;
}

/** A serializer that makes text, such as `superjson` or `devalue`. */
export interface TextSerializer extends SerializerIdentity {
  /** `'text'`, or left out. */
  readonly format?: 'text' | undefined;
  /** The text of a value. What it throws means that the value cannot be stored. */
  readonly serialize: (value: unknown) => string;
  /** The value of a text. What it throws means that the entry is damaged. */
  readonly deserialize: (text: string) => unknown;
}

/** A serializer that makes bytes, such as `v8.serialize` or a protobuf. */
export interface BytesSerializer extends SerializerIdentity {
  readonly format: 'bytes';
  /** The bytes of a value. What it throws means that the value cannot be stored. */
  readonly serialize: (value: unknown) => Uint8Array;
  /** The value of some bytes. What it throws means that the entry is damaged. */
  readonly deserialize: (bytes: Buffer) => unknown;
}

/**
 * Makes a codec of a pair of functions.
 *
 * @example
 * ```ts
 * import { deserialize, serialize } from 'node:v8';
 *
 * const v8Codec = fromSerializer({ id: 128, name: 'v8', format: 'bytes', serialize, deserialize });
 * ```
 * @throws {@link InvalidOptionError}
 */
export function fromSerializer(serializer: TextSerializer | BytesSerializer): CacheCodec {
  expectOptions('fromSerializer', serializer);
  rejectUnknown('fromSerializer', serializer, [
    'id',
    'name',
    'verify',
    'format',
    'serialize',
    'deserialize',
  ]);
  return new SerializerCodec(serializer);
}

class SerializerCodec implements CacheCodec {
  readonly id: number;
  readonly name: string;
  readonly #verify: boolean;
  readonly #write: (value: unknown) => Uint8Array;
  readonly #read: (bytes: Buffer) => unknown;

  constructor(serializer: TextSerializer | BytesSerializer) {
    this.id = expectInteger('fromSerializer.id', serializer.id, FIRST_CUSTOM_ID, 255);
    this.name = expectText('fromSerializer.name', serializer.name);
    this.#verify = expectBoolean('fromSerializer.verify', serializer.verify ?? true);
    expectFunction('fromSerializer.serialize', serializer.serialize);
    expectFunction('fromSerializer.deserialize', serializer.deserialize);
    if (serializer.format === 'bytes') {
      const { serialize, deserialize } = serializer;
      this.#write = (value) => serialize(value);
      this.#read = (bytes) => deserialize(bytes);
    } else if (serializer.format === undefined || serializer.format === 'text') {
      const { serialize, deserialize } = serializer;
      this.#write = (value) => toUtf8(serialize(value));
      this.#read = (bytes) => deserialize(bytes.toString());
    } else {
      const { format } = serializer as { readonly format: unknown };
      throw new InvalidOptionError(
        'fromSerializer.format',
        `expected 'text' or 'bytes', got ${describeValue(format)}`,
      );
    }
  }

  encode(value: unknown): Uint8Array {
    let bytes: Uint8Array;
    let isExact: boolean;
    try {
      bytes = this.#write(value);
      if (!(bytes instanceof Uint8Array)) throw new TypeError('the serializer gave no bytes');
      isExact = !this.#verify || isDeepStrictEqual(this.decode(bytes), value);
    } catch (error) {
      throw new CacheSerializationError(
        `The codec '${this.name}' cannot keep the value: its serializer failed.`,
        'value',
        { cause: error },
      );
    }
    if (isExact) return bytes;
    throw new CacheSerializationError(
      `The codec '${this.name}' cannot keep the value: it would come back changed. Store plainer data, or set ` +
        `'verify: false' if the change is wanted.`,
      'value',
    );
  }

  decode(bytes: Uint8Array): unknown {
    try {
      return this.#read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    } catch {
      // Whatever the serializer says may quote the value.
      throw new CacheDeserializationError(
        `The codec '${this.name}' cannot read the stored value: its deserializer failed.`,
      );
    }
  }
}

/** @throws `TypeError` for what is no text, or text that UTF-8 would change */
function toUtf8(text: unknown): Buffer {
  if (typeof text !== 'string') throw new TypeError('the serializer gave no text');
  const bytes = Buffer.from(text);
  if (bytes.toString() !== text) throw new TypeError('the text is not well-formed Unicode');
  return bytes;
}
