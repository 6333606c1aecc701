/** A tag's marker as it stands in Redis; see `redis-tag-lua.ts` for its text. */
export interface TagMarker {
  /** The number of the last invalidation of the tag by itself; `NaN` where nothing is known. */
  readonly number: number;
  readonly rules: readonly TagRule[];
}

/** An invalidation of all entries that carry every one of some tags. */
export interface TagRule {
  readonly number: number;
  readonly tags: readonly string[];
}

const ZERO = 0x30;
const NINE = 0x39;
const SPACE = 0x20;
const COLON = 0x3a;
const MOST_DIGITS = 16;
const NO_RULES: readonly TagRule[] = Object.freeze([]);

/** What is read where no marker is, or something else: whatever carries the tag is void. */
export const NO_MARKER: TagMarker = Object.freeze({ number: NaN, rules: NO_RULES });

/** Reads a marker's text. */
export function parseTagMarker(bytes: Buffer | null | undefined): TagMarker {
  if (bytes === null || bytes === undefined) return NO_MARKER;
  const text = new MarkerText(bytes);
  const number = text.number();
  if (text.isAtEnd) return { number, rules: NO_RULES };
  const rules: TagRule[] = [];
  while (!text.isAtEnd) {
    if (!text.skip(SPACE)) return NO_MARKER;
    const ruleNumber = text.number();
    if (!text.skip(SPACE)) return NO_MARKER;
    const count = text.number();
    const tags: string[] = [];
    for (let index = 0; index < count; index++) {
      if (!text.skip(SPACE)) return NO_MARKER;
      const size = text.number();
      const tag = text.skip(COLON) ? text.take(size) : undefined;
      if (tag === undefined) return NO_MARKER;
      tags.push(tag);
    }
    if (!(count > 0)) return NO_MARKER;
    rules.push({ number: ruleNumber, tags });
  }
  return { number, rules };
}

/** Whether an entry with these tags, loaded at this number, is void by the marker of one of them. */
export function isVoidBy(marker: TagMarker, sequence: number, tags: readonly string[]): boolean {
  if (!(marker.number <= sequence)) return true;
  return marker.rules.some(
    (rule) => !(rule.number <= sequence) && rule.tags.every((tag) => tags.includes(tag)),
  );
}

/** A rule as markers hold it, without its number. */
export function ruleText(tags: readonly string[]): string {
  return ` ${tags.length}${tags.map((tag) => ` ${Buffer.byteLength(tag)}:${tag}`).join('')}`;
}

/** Reads the parts of a marker's text, one behind the other. */
class MarkerText {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  /** A decimal number; `NaN`, which no comparison accepts, when there is none. */
  number(): number {
    const start = this.#at;
    let value = 0;
    for (; this.#at < this.#bytes.length; this.#at++) {
      const digit = this.#bytes[this.#at]!;
      if (digit < ZERO || digit > NINE) break;
      value = value * 10 + (digit - ZERO);
    }
    const length = this.#at - start;
    return length === 0 || length > MOST_DIGITS ? NaN : value;
  }

  skip(byte: number): boolean {
    if (this.#bytes[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  take(length: number): string | undefined {
    const end = this.#at + length;
    if (!(end <= this.#bytes.length)) return undefined;
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end;
    return text;
  }
}
