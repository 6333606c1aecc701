import { InvalidOptionError } from '../errors.js';
import { isForeignToKeys, percentEncode } from './key-escape.js';

/** `*`: any run of characters, also none, also across `:`. */
export const ANY_RUN: unique symbol = Symbol('*');
/** `?`: exactly one character of the key text. */
export const ANY_CHARACTER: unique symbol = Symbol('?');

/** What a glob is made of: a literal character, `?`, `*`, or a set of characters. */
export type GlobToken = string | typeof ANY_CHARACTER | typeof ANY_RUN | CharacterSet;

/** One character out of a set. */
export interface CharacterSet {
  /** @param code - UTF-16 code unit of the character */
  has(code: number): boolean;
}

/** Far longer than any key text, so only a mistake or an attack is refused. */
const MAX_GLOB_LENGTH = 1024;

/**
 * Reads a glob. A literal that key texts hold only in escaped form gives the tokens of its escape.
 *
 * @throws {@link InvalidOptionError} when the glob is too long or malformed
 */
export function parseGlob(glob: string): GlobToken[] {
  if (glob.length > MAX_GLOB_LENGTH) {
    throw malformed(`expected at most ${MAX_GLOB_LENGTH} characters, got ${glob.length}`);
  }
  const tokens: GlobToken[] = [];
  let index = 0;
  while (index < glob.length) {
    const character = glob[index]!;
    if (character === '*') {
      if (tokens.at(-1) !== ANY_RUN) tokens.push(ANY_RUN);
      index++;
    } else if (character === '?') {
      tokens.push(ANY_CHARACTER);
      index++;
    } else if (character === '[') {
      const end = endOfSet(glob, index);
      tokens.push(parseSet(glob.slice(index + 1, end)));
      index = end + 1;
    } else {
      if (character === '\\') index++;
      const codePoint = glob.codePointAt(index);
      if (codePoint === undefined) {
        throw malformed('it ends in a backslash; write \\\\ for the character itself');
      }
      const literal = String.fromCodePoint(codePoint);
      if (isForeignToKeys(literal)) tokens.push(...percentEncode(literal));
      else tokens.push(literal);
      index += literal.length;
    }
  }
  return tokens;
}

function endOfSet(glob: string, start: number): number {
  for (let index = start + 1; index < glob.length; index++) {
    if (glob[index] === '\\') index++;
    else if (glob[index] === ']') return index;
  }
  throw malformed("a '[' is never closed; write \\[ for the character itself");
}

/** @param content - what stands between the brackets */
function parseSet(content: string): CharacterSet {
  const isNegated = content.startsWith('^');
  const members = new Set<number>();
  let index = isNegated ? 1 : 0;
  const next = (): number => {
    if (content[index] === '\\') index++;
    const character = content.charAt(index++);
    // A key text holds this character as three or more, of which a set can only ever match one.
    if (isForeignToKeys(character)) {
      throw malformed(
        'a set can only hold characters that key texts hold unescaped; write others outside of sets',
      );
    }
    return character.charCodeAt(0);
  };
  while (index < content.length) {
    const first = next();
    if (content[index] !== '-' || index + 1 === content.length) {
      members.add(first);
      continue;
    }
    index++;
    const last = next();
    if (last < first) throw malformed('a range in a set runs backwards');
    for (let code = first; code <= last; code++) members.add(code);
  }
  if (members.size === 0) throw malformed('a set is empty');
  return isNegated ? { has: (code) => !members.has(code) } : members;
}

function malformed(reason: string): InvalidOptionError {
  return new InvalidOptionError('pattern', `the glob cannot be used: ${reason}`);
}
