/**
 * The alphabet of key texts.
 *
 * A key text is ASCII, without white space, control characters, quotes, braces, or anything that a glob gives a
 * meaning to: what a string holds of these is percent-encoded (UTF-8, upper case hex, as in RFC 3986, section
 * 2.1). So a key text is its own literal pattern, `?` stands for one character in every store (Redis matches
 * bytes), a brace cannot become a hash tag, and a log line or terminal shows nothing but what is there.
 */

/** The string stands for itself: a part of a key, or the name of a cache, a version, a tag. */
export const AS_PART = 1;
/** The string stands inside a structure, where `,` and `=` separate. */
export const AS_ITEM = 2;
/** Where a string stands. */
export type Place = typeof AS_PART | typeof AS_ITEM;

// One class each, so testing a string costs one pass; the `u` flag keeps surrogate pairs together when replacing.
const ESCAPED_IN_PART = /[^-.\w!#$&+;/@,=]/;
const ESCAPED_IN_ITEM = /[^-.\w!#$&+;/@]/;
const ALL_ESCAPED_IN_PART = /[^-.\w!#$&+;/@,=]/gu;
const ALL_ESCAPED_IN_ITEM = /[^-.\w!#$&+;/@]/gu;
/** Neither plain in a string nor a mark of the grammar. */
const FOREIGN = /[^-.\w!#$&+;/@,=%:~'()]/u;

const percent: readonly string[] = Array.from(
  { length: 256 },
  (_, byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
);

/**
 * A string in the alphabet of key texts; distinct strings stay distinct, lone surrogates included.
 *
 * @param place - inside a structure two more characters are escaped
 */
export function escapeText(text: string, place: Place): string {
  if (place === AS_PART) {
    return ESCAPED_IN_PART.test(text) ? text.replace(ALL_ESCAPED_IN_PART, percentEncode) : text;
  }
  return ESCAPED_IN_ITEM.test(text) ? text.replace(ALL_ESCAPED_IN_ITEM, percentEncode) : text;
}

/** Whether a key text never holds this character, whatever the key. */
export function isForeignToKeys(character: string): boolean {
  return FOREIGN.test(character);
}

/** The escape of one character (code point), whether it needs one or not. */
export function percentEncode(character: string): string {
  const codePoint = character.codePointAt(0)!;
  if (codePoint < 0x80) return percent[codePoint]!;
  if (codePoint < 0x800) return percent[0xc0 | (codePoint >> 6)]! + continuation(codePoint, 0);
  // A lone surrogate is encoded like any other code point of its size: not UTF-8, but one of its kind.
  if (codePoint < 0x10000) {
    return (
      percent[0xe0 | (codePoint >> 12)]! + continuation(codePoint, 6) + continuation(codePoint, 0)
    );
  }
  return (
    percent[0xf0 | (codePoint >> 18)]! +
    continuation(codePoint, 12) +
    continuation(codePoint, 6) +
    continuation(codePoint, 0)
  );
}

function continuation(codePoint: number, shift: number): string {
  return percent[0x80 | ((codePoint >> shift) & 0x3f)]!;
}
