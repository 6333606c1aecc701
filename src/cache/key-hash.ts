import { createHash } from 'node:crypto';

/** The longest key text that stays as it is; a longer one is hashed. In characters, all of them ASCII. */
export const MAX_KEY_TEXT_LENGTH = 200;
/** The most that a hashed key shows of its text. */
const LONGEST_READABLE_PREFIX = 120;
/** The least that a hashed key shows of its text; what lies before it is never hidden. */
export const SHORTEST_READABLE_PREFIX = 60;

/** Between the readable prefix and the hash. No other key text holds it. */
const HASH_MARK = '~';
/** SHA-256 in base64url without padding. */
const HASH_LENGTH = 43;

/** A key text as it is, or hashed when it is longer than {@link MAX_KEY_TEXT_LENGTH}. */
export function boundedKeyText(text: string): string {
  return text.length <= MAX_KEY_TEXT_LENGTH ? text : hashedKeyText(text);
}

/** Whether a key text ends in a hash, so that part of the key cannot be read from it. */
export function isHashedKey(text: string): boolean {
  return text.charAt(text.length - HASH_LENGTH - 1) === HASH_MARK;
}

/** What can be read of a key: all of it, or what stands before the hash. */
export function readablePrefix(text: string): string {
  return isHashedKey(text) ? text.slice(0, -HASH_LENGTH - 1) : text;
}

/** SHA-256 over the whole text: whoever chooses the arguments cannot make two keys collide. */
function hashedKeyText(text: string): string {
  const hash = createHash('sha256').update(text).digest('base64url');
  return text.slice(0, prefixLength(text)) + HASH_MARK + hash;
}

/** Ends after a part where that hides little, else anywhere but within an escape. */
function prefixLength(text: string): number {
  const afterPart = text.lastIndexOf(':', LONGEST_READABLE_PREFIX - 1) + 1;
  if (afterPart >= SHORTEST_READABLE_PREFIX) return afterPart;
  const escape = text.lastIndexOf('%', LONGEST_READABLE_PREFIX - 1);
  return escape > LONGEST_READABLE_PREFIX - 3 ? escape : LONGEST_READABLE_PREFIX;
}
