/**
 * A bare item of a structured field (RFC 9651 section 3.3). Parameters are read for their syntax and forgotten; the
 * kinds that no cache field uses carry no value.
 */
export type BareItem =
  | { readonly kind: 'integer'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'token'; readonly value: string }
  | { readonly kind: 'boolean'; readonly value: boolean }
  | { readonly kind: 'decimal' | 'bytes' | 'date' | 'display' | 'list' };

/**
 * The members of a dictionary (RFC 9651 section 4.2.2); of a repeated key the last member counts. `undefined` at the first fault: a
 * structured field is right as a whole or not at all. Linear in the length of the text.
 */
export function parseDictionary(text: string): ReadonlyMap<string, BareItem> | undefined {
  return new FieldReader(text).dictionary();
}

/** The items of a list (RFC 9651 section 4.2.1), or `undefined` at the first fault. */
export function parseItemList(text: string): readonly BareItem[] | undefined {
  return new FieldReader(text).list();
}

const TRUE: BareItem = { kind: 'boolean', value: true };
const LIST: BareItem = { kind: 'list' };

const KEY = /[a-z*][a-z0-9_\-.*]*/y;
const TOKEN = /[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*/y;
const NUMBER = /-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])/y;
const BYTES = /:(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?:/y;
const SPACES = / */y;
const OPTIONAL_SPACE = /[ \t]*/y;

/** Every method reads from the position on and answers `undefined` where the grammar is broken. */
class FieldReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  dictionary(): ReadonlyMap<string, BareItem> | undefined {
    const members = new Map<string, BareItem>();
    const isSound = this.#members(() => {
      const key = this.#match(KEY);
      if (key === undefined) return false;
      const item = this.#take('=') ? this.#itemOrList() : this.#parameters() ? TRUE : undefined;
      if (item === undefined) return false;
      // Deleted first, so that order follows the last mention, as the RFC has it.
      members.delete(key);
      members.set(key, item);
      return true;
    });
    return isSound ? members : undefined;
  }

  list(): readonly BareItem[] | undefined {
    const items: BareItem[] = [];
    const isSound = this.#members(() => {
      const item = this.#itemOrList();
      if (item !== undefined) items.push(item);
      return item !== undefined;
    });
    return isSound ? items : undefined;
  }

  /** Members with commas between them and no comma at the end. */
  #members(readMember: () => boolean): boolean {
    this.#match(SPACES);
    if (this.#isAtEnd()) return true;
    for (;;) {
      if (!readMember()) return false;
      this.#match(OPTIONAL_SPACE);
      if (this.#isAtEnd()) return true;
      if (!this.#take(',')) return false;
      this.#match(OPTIONAL_SPACE);
    }
  }

  #itemOrList(): BareItem | undefined {
    return this.#take('(') ? this.#innerList() : this.#item();
  }

  #innerList(): BareItem | undefined {
    for (;;) {
      this.#match(SPACES);
      if (this.#take(')')) return this.#parameters() ? LIST : undefined;
      if (this.#item() === undefined) return undefined;
      const next = this.#text[this.#at];
      if (next !== ' ' && next !== ')') return undefined;
    }
  }

  #item(): BareItem | undefined {
    const item = this.#bareItem();
    return item !== undefined && this.#parameters() ? item : undefined;
  }

  #parameters(): boolean {
    while (this.#take(';')) {
      this.#match(SPACES);
      if (this.#match(KEY) === undefined) return false;
      if (this.#take('=') && this.#bareItem() === undefined) return false;
    }
    return true;
  }

  #bareItem(): BareItem | undefined {
    switch (this.#text[this.#at]) {
      case '"':
        return this.#string();
      case '?':
        return this.#boolean();
      case ':':
        return this.#match(BYTES) === undefined ? undefined : { kind: 'bytes' };
      case '@':
        this.#at++;
        return this.#number()?.kind === 'integer' ? { kind: 'date' } : undefined;
      case '%':
        this.#at++;
        return this.#string() === undefined ? undefined : { kind: 'display' };
      default:
        return this.#number() ?? this.#token();
    }
  }

  #number(): BareItem | undefined {
    const text = this.#match(NUMBER);
    if (text === undefined) return undefined;
    return text.includes('.') ? { kind: 'decimal' } : { kind: 'integer', value: Number(text) };
  }

  #token(): BareItem | undefined {
    const value = this.#match(TOKEN);
    return value === undefined ? undefined : { kind: 'token', value };
  }

  #boolean(): BareItem | undefined {
    const digit = this.#text[this.#at + 1];
    if (digit !== '0' && digit !== '1') return undefined;
    this.#at += 2;
    return { kind: 'boolean', value: digit === '1' };
  }

  /** Printable ASCII; a backslash stands before a quote or a backslash only. */
  #string(): BareItem | undefined {
    if (!this.#take('"')) return undefined;
    let value = '';
    for (; this.#at < this.#text.length; this.#at++) {
      let character = this.#text[this.#at]!;
      if (character === '"') {
        this.#at++;
        return { kind: 'string', value };
      }
      if (character === '\\') {
        character = this.#text[++this.#at] ?? '';
        if (character !== '"' && character !== '\\') return undefined;
      } else if (character < ' ' || character > '~') return undefined;
      value += character;
    }
    return undefined;
  }

  #isAtEnd(): boolean {
    if (this.#at >= this.#text.length) return true;
    // Blanks at the end are cut before a field is parsed.
    SPACES.lastIndex = this.#at;
    SPACES.test(this.#text);
    return SPACES.lastIndex === this.#text.length;
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found === null) return undefined;
    this.#at += found[0].length;
    return found[0];
  }
}
