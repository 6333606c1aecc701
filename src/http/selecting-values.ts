import { createHash } from 'node:crypto';
import { looksLikeCredential } from './credential-fields.js';
import { flatValues } from './end-to-end-fields.js';
import { fieldText, splitQuotedList, tokenList, trimSpace } from './field-list.js';
import type { FieldMap, StoredHead } from './http-message.js';

/** The value of a selecting field that the request does not have; no present value is written so. */
const ABSENT = '';

/** Values above this length are kept as a hash, so that a record stays small whatever clients send. */
const LONGEST_VALUE = 128;

/** Fields whose values are secrets, beside those that look like it: compared byte by byte, kept as a hash. */
const SECRET_FIELDS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
]);

/** What nearly all responses have, so that they share it. */
const NOTHING: readonly string[] = Object.freeze([]);

/** More names than this select nothing that a second client would ask for. */
const MOST_NAMES = 32;

/**
 * The names of a `Vary` field in lower case, sorted, each once. `undefined` where no other request can ever match: a `*` anywhere (RFC 9111
 * section 4.1), something that is no name, or too many names.
 */
export function varyNames(field: string | undefined): readonly string[] | undefined {
  if (field === undefined) return NOTHING;
  const names = tokenList(field);
  if (names === undefined || names.includes('*')) return undefined;
  const unique = [...new Set(names)].sort();
  return unique.length > MOST_NAMES ? undefined : unique;
}

/** Whether the fields are all among those that select a variant. */
export function selectsBy(vary: readonly string[] | undefined, fields: readonly string[]): boolean {
  return fields.length === 0 || (vary !== undefined && fields.every((name) => vary.includes(name)));
}

/** The normalised values of the request fields `vary`, in its order. */
export function selectingValues(vary: readonly string[], headers: FieldMap): readonly string[] {
  return vary.length === 0 ? NOTHING : vary.map((name) => selectingValue(name, headers));
}

/**
 * One normalised value (RFC 9111 section 4.1 allows what does not change the meaning): lines joined, white space
 * around commas cut; codings and languages in lower case and sorted, for their order says nothing.
 */
export function selectingValue(name: string, headers: FieldMap): string {
  const text = fieldText(headers, name);
  if (text === undefined) return ABSENT;
  if (SECRET_FIELDS.has(name) || looksLikeCredential(name)) return hashed(text);
  return text.length > LONGEST_VALUE ? normalised(name, text) : remembered(name, text);
}

function normalised(name: string, text: string): string {
  const value =
    name === 'accept-encoding' || name === 'accept-language'
      ? weightedList(text).join(',')
      : splitQuotedList(text, true).join(',');
  return value.length > LONGEST_VALUE ? hashed(value) : `=${value}`;
}

/** Normalised values by field and text. Browsers send the same few texts over and over, and a hit must not pay for parsing them. */
const known = new Map<string, Map<string, string>>();
const MOST_KNOWN_FIELDS = 32;
const MOST_KNOWN_VALUES = 512;

function remembered(name: string, text: string): string {
  let values = known.get(name);
  if (values === undefined) {
    if (known.size >= MOST_KNOWN_FIELDS) known.clear();
    values = new Map();
    known.set(name, values);
  }
  let value = values.get(text);
  if (value === undefined) {
    value = normalised(name, text);
    // Started anew when full: cheaper than an order of use, and bounded whatever clients send.
    if (values.size >= MOST_KNOWN_VALUES) values.clear();
    values.set(text, value);
  }
  return value;
}

/** Whether a stored response is the variant that this request selects. */
export function selectsVariant(stored: StoredHead, headers: FieldMap): boolean {
  const { vary, selecting } = stored;
  for (let index = 0; index < vary.length; index++) {
    const name = vary[index]!;
    if (selectingValue(name, headers) === selecting[index]) continue;
    if (name !== 'accept-language' || !isPreferredLanguage(stored, headers)) return false;
  }
  return true;
}

/**
 * Whether the stored response is in the one language that this request likes best. The values of the field differ, but
 * another run of the handler could do no better.
 */
function isPreferredLanguage(stored: StoredHead, headers: FieldMap): boolean {
  const languages = flatValues(stored.headers, 'content-language');
  const wanted = fieldText(headers, 'accept-language');
  if (languages.length !== 1 || wanted === undefined) return false;
  const best = preferredLanguage(wanted);
  return best !== undefined && best === trimSpace(languages[0]!).toLowerCase();
}

function preferredLanguage(field: string): string | undefined {
  let best: string | undefined;
  let bestWeight = 0;
  for (const member of weightedList(field)) {
    const [range = '', weightText] = member.split(';q=');
    const weight = weightText === undefined ? 1 : Number(weightText);
    if (!(weight >= bestWeight && weight <= 1)) continue;
    // Two of one weight: the request has no favourite.
    best = weight === bestWeight ? undefined : range;
    bestWeight = weight;
  }
  return best === '*' ? undefined : best;
}

/** Members in lower case, without blanks at the separators and without the weight 1, sorted. */
function weightedList(field: string): readonly string[] {
  const members: string[] = [];
  for (const part of field.split(',')) {
    const member = part.split(';').map(trimSpace).join(';').toLowerCase();
    if (member !== '') members.push(member.replace(/;q=1(?:\.0{0,3})?$/, ''));
  }
  return members.sort();
}

function hashed(text: string): string {
  return `#${createHash('sha256').update(text).digest('base64url')}`;
}
