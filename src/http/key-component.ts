/*
 * Components of a response key: path segments, parameter names and values. The alphabet is that of the core's key texts
 * (docs/KEYS.md) less `=` and `@`, which have a meaning of their own here.
 */

const ESCAPED = /[^-.\w!#$&+;/,]/;
const ALL_ESCAPED = /[^-.\w!#$&+;/,]/gu;

/**
 * Text of any origin as it stands in a response key, and as a literal inside a pattern over such keys: colons, globs,
 * `=`, `@`, `%` and whatever is not visible ASCII are percent-encoded. Distinct texts stay distinct, lone surrogates
 * included.
 */
export function escapeKeyComponent(text: string): string {
  return ESCAPED.test(text) ? text.replace(ALL_ESCAPED, percentEncode) : text;
}

/** The escape of one code point: its UTF-8 bytes in upper case hex. */
function percentEncode(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x80) return percent(code);
  // Not UTF-8, but one of its kind: `encodeURIComponent` throws.
  if (code >= 0xd800 && code <= 0xdfff) {
    return (
      percent(0xe0 | (code >> 12)) +
      percent(0x80 | ((code >> 6) & 0x3f)) +
      percent(0x80 | (code & 0x3f))
    );
  }
  return encodeURIComponent(character);
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
