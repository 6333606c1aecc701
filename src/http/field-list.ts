import type { FieldMap } from './http-message.js';

/**
 * A field's value as one text: several lines are joined with a comma (RFC 9110 section 5.3). `undefined` where the
 * field is absent.
 */
export function fieldText(fields: FieldMap, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  // `Vary` may name what every object has, such as `constructor`.
  return Object.hasOwn(fields, name) ? value.join(', ') : undefined;
}

/** Whether the field is there, whatever it says. */
export function hasField(fields: FieldMap, name: string): boolean {
  return fields[name] !== undefined;
}

/** The value of a field that must not be repeated; `undefined` where it is absent or has several lines. */
export function singleValue(fields: FieldMap, name: string): string | undefined {
  const value = fields[name];
  if (value === undefined || typeof value === 'string') return value;
  if (typeof value === 'number') return String(value);
  return value.length === 1 ? value[0] : undefined;
}

/** Letters, digits and signs of a token (RFC 9110 section 5.6.2). */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/**
 * The members of a list of tokens, in lower case and in order; empty members are skipped, as recipients must
 * (RFC 9110 section 5.6.1.2). `undefined` where one of them is no token.
 */
export function tokenList(text: string): readonly string[] | undefined {
  const members: string[] = [];
  for (const part of text.split(',')) {
    const member = trimSpace(part);
    if (member === '') continue;
    if (!isToken(member)) return undefined;
    members.push(member.toLowerCase());
  }
  return members;
}

/** Cuts optional white space: blanks and tabs, nothing else (RFC 9110 section 5.6.3). */
export function trimSpace(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isSpace(text.charCodeAt(start))) start++;
  while (end > start && isSpace(text.charCodeAt(end - 1))) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

export function isSpace(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/**
 * The members of a list whose quoted strings may hold commas, trimmed, empty ones skipped. An unfinished quoted
 * string reaches to the end. One pass over the text.
 *
 * @param hasEscapes - whether a backslash in a quoted string takes the next character with it; in entity tags it does not
 */
export function splitQuotedList(text: string, hasEscapes: boolean): readonly string[] {
  const members: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) quoted = !quoted;
    else if (quoted && hasEscapes && code === 0x5c) at++;
    else if (!quoted && code === 0x2c) {
      addMember(members, text.slice(start, at));
      start = at + 1;
    }
  }
  addMember(members, text.slice(start));
  return members;
}

function addMember(members: string[], part: string): void {
  const member = trimSpace(part);
  if (member !== '') members.push(member);
}
