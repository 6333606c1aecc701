/**
 * What an entry costs besides its value: node, slot in the key's map, place in the expiry queue, and the boxes
 * of its times. Measured on 64-bit Node with 100,000 entries, and rounded up.
 */
export const ENTRY_OVERHEAD_BYTES = 300;

const WORD = 8;
const STRING_HEADER = 16;
const OBJECT_HEADER = 3 * WORD;
const ARRAY_HEADER = 4 * WORD;
const BOXED_NUMBER = 16;
const DATE = 11 * WORD;
const HASH_TABLE_HEADER = 6 * WORD;
const BUFFER_HEADER = 24 * WORD;

/** One-byte text: V8 keeps it at one byte per character, any other at two. */
const LATIN1 = /^[\0-\xff]*$/;

/** The heap size of a text in bytes. */
export function textSize(text: string): number {
  return STRING_HEADER + (LATIN1.test(text) ? text.length : 2 * text.length);
}

/**
 * An estimate of a value's size in memory, in bytes: what would be freed with it, were it referred to from nowhere
 * else. It follows the layouts of V8 on 64 bits, and is within some ten percent for plain data. What lies outside
 * the heap (buffers) counts too; methods and prototypes do not. No accessor is called.
 *
 * @param limit - counting stops as soon as the result is above it, so that a value with half the application
 * attached costs no more than a large one
 */
export function estimateSize(value: unknown, limit: number): number {
  return new SizeEstimate(limit).of(value);
}

class SizeEstimate {
  private readonly seen = new Set<object>();
  /** Still to be counted. A stack of its own, for values may be nested deeper than calls may. */
  private readonly pending: unknown[] = [];
  private bytes = 0;

  constructor(private readonly limit: number) {}

  of(value: unknown): number {
    this.pending.push(value);
    while (this.pending.length > 0 && this.bytes <= this.limit) this.count(this.pending.pop());
    return this.bytes;
  }

  private count(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.bytes += textSize(value);
        return;
      case 'number':
        // Whole numbers of 32 bits lie in the slot itself.
        if ((value | 0) !== value || Object.is(value, -0)) this.bytes += BOXED_NUMBER;
        return;
      case 'bigint':
        this.bytes += BOXED_NUMBER + Math.ceil(value.toString(16).length / 16) * WORD;
        return;
      case 'object':
        if (value === null || this.seen.has(value)) return;
        this.seen.add(value);
        this.countObject(value);
        return;
      default:
        return;
    }
  }

  private countObject(value: object): void {
    if (ArrayBuffer.isView(value)) {
      this.bytes += BUFFER_HEADER + value.byteLength;
    } else if (value instanceof ArrayBuffer) {
      this.bytes += BUFFER_HEADER + value.byteLength;
    } else if (Array.isArray(value)) {
      this.bytes += ARRAY_HEADER + WORD * value.length;
      // Lists of nothing but numbers hold them unboxed.
      if (value.every((item) => typeof item === 'number')) return;
      for (let index = 0; index < value.length; index++) this.pending.push(value[index]);
    } else if (value instanceof Map) {
      // Three words to an entry, tables up to twice as long as needed.
      this.bytes += OBJECT_HEADER + HASH_TABLE_HEADER + 5 * WORD * value.size;
      for (const [key, item] of value) this.pending.push(key, item);
    } else if (value instanceof Set) {
      this.bytes += OBJECT_HEADER + HASH_TABLE_HEADER + 4 * WORD * value.size;
      for (const item of value) this.pending.push(item);
    } else if (value instanceof Date) {
      this.bytes += DATE;
    } else {
      this.countProperties(value);
    }
  }

  /** Keys are shared between objects of one shape, so only their slots count. */
  private countProperties(value: object): void {
    const keys = Object.getOwnPropertyNames(value);
    this.bytes += OBJECT_HEADER + WORD * keys.length;
    for (const key of keys) this.pending.push(Object.getOwnPropertyDescriptor(value, key)?.value);
  }
}
