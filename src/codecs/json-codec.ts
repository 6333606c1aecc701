import type { CacheCodec } from '../cache/codec.js';
import { CacheDeserializationError, CacheSerializationError } from '../errors.js';
import { fromTaggedTree } from './tagged-tree-reader.js';
import { toTaggedTree } from './tagged-tree.js';
import { checkValue, TRAITS, type ValueReport } from './value-check.js';

/** The id of {@link JsonCodec} in stored frames. */
export const JSON_CODEC_ID = 1;

/** First byte of the tagged form, a `~`. No JSON text begins with it. */
const TAGGED_MARK = 0x7e;
const CHANGED_BY_JSON = ~(TRAITS.dunderName | TRAITS.dictionary | TRAITS.awkwardText);

/**
 * JSON that changes nothing.
 *
 * A value that plain JSON keeps exactly is written as plain JSON in UTF-8, and read by `JSON.parse` alone: a hit
 * costs what it costs by hand. Any other value is written as `~` and the tagged form (see `tagged-tree.ts`),
 * which carries `undefined`, `NaN`, the infinities, `-0`, bigints, `Date`, `Map`, `Set`, `RegExp`, `URL`,
 * `Buffer`, `ArrayBuffer`, `DataView`, typed arrays, arrays with holes, objects without prototype, cycles and
 * repeated references. What has no exact form is refused with the path to it: functions, symbols, instances of
 * other classes, boxed primitives, errors, accessors, hidden properties, invalid dates, nesting deeper than
 * 1000 levels.
 *
 * Views that shared one `ArrayBuffer` have memory of their own afterwards.
 */
export class JsonCodec implements CacheCodec {
  readonly id: number = JSON_CODEC_ID;
  readonly name = 'json';

  /** @throws {@link CacheSerializationError} when the value cannot come back as it is */
  encode(value: unknown): Buffer {
    return encodeJson(value, checkValue(value, 'JsonCodec'));
  }

  /** @throws {@link CacheDeserializationError} when the bytes are not JSON, or a damaged tagged form */
  decode(bytes: Uint8Array): unknown {
    const buffer = Buffer.isBuffer(bytes)
      ? bytes
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    try {
      return buffer[0] === TAGGED_MARK
        ? fromTaggedTree(JSON.parse(buffer.toString('utf8', 1)))
        : JSON.parse(buffer.toString('utf8'));
    } catch (error) {
      if (error instanceof CacheDeserializationError) throw error;
      // The parser's message quotes the text, which is a cached value: neither it nor the error goes on from here.
      throw new CacheDeserializationError('The stored value is not JSON text.');
    }
  }
}

/** Writes a checked value. Apart from the class so that another codec can fall back on this form. */
export function encodeJson(value: unknown, report: ValueReport): Buffer {
  // A toJSON on a built-in prototype, which some old libraries put there, would rewrite what is written.
  if ('toJSON' in Array.prototype) {
    throw new CacheSerializationError(
      'JsonCodec cannot work while Object.prototype or Array.prototype has a toJSON method. Remove it.',
    );
  }
  const isPlain = (report.traits & CHANGED_BY_JSON) === 0;
  try {
    return Buffer.from(
      isPlain ? JSON.stringify(value) : `~${JSON.stringify(toTaggedTree(value, report))}`,
    );
  } catch (error) {
    // Only the engine's limits are left: the stack, or the longest possible string.
    throw new CacheSerializationError('JsonCodec cannot write the value: it is too large.', '', {
      cause: error,
    });
  }
}
