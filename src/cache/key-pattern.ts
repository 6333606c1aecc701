import { InvalidOptionError } from '../errors.js';
import { describeValue } from '../options.js';
import { AS_PART, escapeText } from './key-escape.js';
import { isHashedKey, readablePrefix, SHORTEST_READABLE_PREFIX } from './key-hash.js';
import { ANY_CHARACTER, ANY_RUN, type GlobToken, parseGlob } from './glob-parser.js';

/**
 * A glob over key texts, compiled once.
 *
 * `*` stands for any run of characters, `?` for one, `[abc]` and `[a-c]` for one of a set, `[^abc]` for one that
 * is not in it, `\` takes the next character as it is. What a key's own text holds of these is percent-encoded,
 * so a pattern never matches by accident.
 */
export interface KeyPattern {
  /** The pattern as written. */
  readonly glob: string;
  /**
   * Text that every match begins with, hashed keys included; `''` when there is none. Lets a store narrow its
   * scan; it is not the whole condition, and it is cut where hashed keys may end to be readable.
   */
  readonly literalPrefix: string;
  /**
   * Whether a key text matches. A hashed key matches when its readable prefix can still be extended to a match:
   * what the hash hides might match, and dropping too much is safe.
   */
  matches(key: string): boolean;
}

/**
 * Compiles a glob.
 *
 * Matching takes at most (length of the key) x (length of the glob) steps, whatever the glob: there is no
 * exponential backtracking. A character that no key text holds, such as a space, a letter beyond ASCII, or `\*`,
 * stands for its escape, so it may be written as it is read.
 *
 * @throws {@link InvalidOptionError} when it is no text, empty, longer than 1024 characters, or malformed
 */
export function compilePattern(glob: string): KeyPattern {
  if (typeof glob !== 'string' || glob === '') {
    throw new InvalidOptionError(
      'pattern',
      `expected a glob such as 'user:*', got ${describeValue(glob)}`,
    );
  }
  return new GlobPattern(glob, parseGlob(glob));
}

/**
 * Text of any origin as a literal inside a pattern: `` compilePattern(`GET:${escapeGlob(resource)}:*`) `` reaches no
 * other resource, whatever it holds. The result is how the text stands in a key as a string part, but for the
 * mark of strings that look like numbers and the like; `keyText(part)` gives that too, and a key text is its own
 * literal pattern.
 */
export function escapeGlob(text: string): string {
  return escapeText(text, AS_PART);
}

class GlobPattern implements KeyPattern {
  readonly glob: string;
  readonly literalPrefix: string;
  private readonly tokens: readonly GlobToken[];
  /** The tokens before the first `*`; all of them when there is none. */
  private readonly headLength: number;
  /** Only a hashed key holds the mark, so a pattern with it means hashed keys as they are listed. */
  private readonly namesHash: boolean;

  constructor(glob: string, tokens: readonly GlobToken[]) {
    this.glob = glob;
    this.tokens = tokens;
    const firstRun = tokens.indexOf(ANY_RUN);
    this.headLength = firstRun === -1 ? tokens.length : firstRun;
    this.namesHash = tokens.includes('~');
    this.literalPrefix = literalHead(tokens).slice(0, SHORTEST_READABLE_PREFIX);
  }

  matches(key: string): boolean {
    if (!isHashedKey(key) || this.namesHash) return this.matchesText(key);
    return this.canBegin(readablePrefix(key));
  }

  /** Whether some text longer than this, and beginning with it, matches. A `*` takes whatever is left of it. */
  private canBegin(prefix: string): boolean {
    const length = Math.min(this.headLength, prefix.length);
    for (let index = 0; index < length; index++) {
      if (!accepts(this.tokens[index]!, prefix, index)) return false;
    }
    return this.tokens.length > length;
  }

  /** Greedy, and on a mismatch back to the last `*` only: what an earlier one could take, the last can take too. */
  private matchesText(text: string): boolean {
    const { tokens } = this;
    let position = 0;
    let token = 0;
    let lastRun = -1;
    let runEnd = 0;
    while (position < text.length) {
      const current = tokens[token];
      if (current === ANY_RUN) {
        lastRun = token++;
        runEnd = position;
      } else if (current !== undefined && accepts(current, text, position)) {
        token++;
        position++;
      } else if (lastRun !== -1) {
        token = lastRun + 1;
        position = ++runEnd;
      } else {
        return false;
      }
    }
    while (tokens[token] === ANY_RUN) token++;
    return token === tokens.length;
  }
}

function accepts(token: GlobToken, text: string, position: number): boolean {
  if (typeof token === 'string') return token === text[position];
  return token === ANY_CHARACTER || (token !== ANY_RUN && token.has(text.charCodeAt(position)));
}

function literalHead(tokens: readonly GlobToken[]): string {
  let head = '';
  for (const token of tokens) {
    if (typeof token !== 'string') break;
    head += token;
  }
  return head;
}
