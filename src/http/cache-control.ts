import { parseDeltaSeconds } from './delta-seconds.js';
import { isSpace } from './field-list.js';

/** A number of seconds that cannot be read. It restricts: a lifetime counts as 0, a window as none. */
export const INVALID_SECONDS = -1;

/**
 * The directives of a `Cache-Control` field, of a request or of a response (RFC 9111 section 5.2, RFC 5861). Seconds are
 * `undefined` where the directive is absent, and {@link INVALID_SECONDS} where its value is no number.
 */
export interface CacheControl {
  maxAge: number | undefined;
  sMaxage: number | undefined;
  staleWhileRevalidate: number | undefined;
  staleIfError: number | undefined;
  minFresh: number | undefined;
  /** `Infinity` where it has no value. */
  maxStale: number | undefined;
  noStore: boolean;
  /** With or without names of fields. */
  noCache: boolean;
  private: boolean;
  public: boolean;
  mustRevalidate: boolean;
  proxyRevalidate: boolean;
  mustUnderstand: boolean;
  onlyIfCached: boolean;
  /** The text does not follow the grammar somewhere. What could be read was read. */
  fault: boolean;
  /** The words are in the text in whatever spelling, case or place, also inside a quoted string. */
  mentionsPrivate: boolean;
  mentionsNoStore: boolean;
}

/** What an absent field says. */
export function emptyCacheControl(): CacheControl {
  return {
    maxAge: undefined,
    sMaxage: undefined,
    staleWhileRevalidate: undefined,
    staleIfError: undefined,
    minFresh: undefined,
    maxStale: undefined,
    noStore: false,
    noCache: false,
    private: false,
    public: false,
    mustRevalidate: false,
    proxyRevalidate: false,
    mustUnderstand: false,
    onlyIfCached: false,
    fault: false,
    mentionsPrivate: false,
    mentionsNoStore: false,
  };
}

/**
 * Reads a `Cache-Control` field in one pass, at a cost linear in its length. Never throws.
 *
 * Names are matched in any case; of a repeated directive the first one counts; quoted strings are opaque; a blank
 * beside the equals sign is a fault. Directives that restrict count with any value (`private=""`, `no-cache="a"`), directives
 * that permit only in the form that the RFC gives them.
 */
export function parseCacheControl(text: string): CacheControl {
  const control = emptyCacheControl();
  readMentions(text, control);
  const length = text.length;
  let at = 0;
  while (at < length) {
    while (at < length && (isSpace(text.charCodeAt(at)) || text.charCodeAt(at) === COMMA)) at++;
    if (at >= length) break;
    const nameEnd = tokenEnd(text, at);
    let end = nameEnd;
    let value: string | undefined;
    let isSound = nameEnd > at;
    if (isSound && text.charCodeAt(end) === EQUALS) {
      end = text.charCodeAt(end + 1) === QUOTE ? quotedEnd(text, end + 1) : tokenEnd(text, end + 1);
      isSound = end > nameEnd + 1;
      if (isSound) value = plainValue(text, nameEnd + 1, end);
    }
    const memberEnd = end < 0 ? length : skipSpace(text, end);
    isSound &&= memberEnd >= length || text.charCodeAt(memberEnd) === COMMA;
    if (isSound) setDirective(control, text.slice(at, nameEnd).toLowerCase(), value);
    else control.fault = true;
    at = isSound ? memberEnd : nextMember(text, memberEnd);
  }
  return control;
}

/** Notes the words that forbid storing, wherever they stand, so that no slip of the pen makes a response public. */
export function readMentions(text: string, control: CacheControl): void {
  // Commas stay, so that a word is not put together from two members.
  const letters = text.replace(/[^a-z,]+/gi, '').toLowerCase();
  control.mentionsPrivate ||= letters.includes('private');
  control.mentionsNoStore ||= letters.includes('nostore');
}

/** Sets one directive, unless it was set before. `value` is unquoted. */
function setDirective(control: CacheControl, name: string, value: string | undefined): void {
  switch (name) {
    case 'max-age':
      control.maxAge ??= seconds(value);
      break;
    case 's-maxage':
      control.sMaxage ??= seconds(value);
      break;
    case 'stale-while-revalidate':
      control.staleWhileRevalidate ??= seconds(value);
      break;
    case 'stale-if-error':
      control.staleIfError ??= seconds(value);
      break;
    case 'min-fresh':
      control.minFresh ??= seconds(value);
      break;
    case 'max-stale':
      control.maxStale ??= value === undefined ? Infinity : seconds(value);
      break;
    case 'no-store':
      control.noStore = true;
      break;
    case 'no-cache':
      control.noCache = true;
      break;
    case 'private':
      control.private = true;
      break;
    case 'must-revalidate':
      control.mustRevalidate = true;
      break;
    case 'proxy-revalidate':
      control.proxyRevalidate = true;
      break;
    case 'public':
      control.public ||= value === undefined;
      break;
    case 'must-understand':
      control.mustUnderstand ||= value === undefined;
      break;
    case 'only-if-cached':
      control.onlyIfCached ||= value === undefined;
      break;
    default:
    // Extensions, and `immutable` and `no-transform`, which ask nothing of a shared cache that keeps bytes.
  }
}

function seconds(value: string | undefined): number {
  return value === undefined ? INVALID_SECONDS : (parseDeltaSeconds(value) ?? INVALID_SECONDS);
}

const COMMA = 0x2c;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** 1 for the characters of a token (RFC 9110 section 5.6.2), by code. */
const TOKEN_CHARACTERS: Uint8Array = (() => {
  const table = new Uint8Array(128);
  for (const character of "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") {
    table[character.charCodeAt(0)] = 1;
  }
  return table;
})();

function tokenEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && TOKEN_CHARACTERS[text.charCodeAt(at)] === 1) at++;
  return at;
}

/** Where the quoted string that begins at `from` is over; -1 where it never is. */
function quotedEnd(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at + 1;
  }
  return -1;
}

/** A value without its quotes. Escapes are left alone: no directive that counts needs one. */
function plainValue(text: string, from: number, end: number): string {
  return text.charCodeAt(from) === QUOTE ? text.slice(from + 1, end - 1) : text.slice(from, end);
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && isSpace(text.charCodeAt(at))) at++;
  return at;
}

/** After a fault: the next comma outside quotes. */
function nextMember(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA) return at;
    if (code !== QUOTE) continue;
    const end = quotedEnd(text, at);
    if (end < 0) return text.length;
    at = end - 1;
  }
  return text.length;
}
