import { fieldText, tokenList } from './field-list.js';
import type { ResponseHead } from './http-message.js';

/** Fields about one connection (RFC 9110 section 7.6.1), those between a proxy and its client, and `Age`, which is made anew. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'age',
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Whether a field of this lower-case name is never stored. */
export function isHopByHop(name: string): boolean {
  return HOP_BY_HOP.has(name);
}

/** The fields of a response that are stored, flat; neither hop-by-hop ones nor those that `Connection` names. */
export function endToEndFields(response: ResponseHead): string[] {
  const connection = fieldText(response.headers, 'connection');
  const named = connection === undefined ? undefined : new Set(tokenList(connection));
  const fields: string[] = [];
  const add = (name: string, value: string) => {
    const lower = name.toLowerCase();
    if (HOP_BY_HOP.has(lower) || named?.has(lower) === true) return;
    fields.push(name, value);
  };
  const { rawHeaders } = response;
  if (rawHeaders !== undefined) {
    for (let at = 0; at + 1 < rawHeaders.length; at += 2) add(rawHeaders[at]!, rawHeaders[at + 1]!);
    return fields;
  }
  for (const [name, value] of Object.entries(response.headers)) {
    if (value === undefined) continue;
    if (typeof value === 'object') for (const each of value) add(name, each);
    else add(name, String(value));
  }
  return fields;
}

/** The values of all fields of a lower-case name in a flat list. */
export function flatValues(fields: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at < fields.length; at += 2) {
    if (sameName(fields[at]!, name)) values.push(fields[at + 1]!);
  }
  return values;
}

/** The value of the first field of a lower-case name in a flat list. */
export function flatValue(fields: readonly string[], name: string): string | undefined {
  for (let at = 0; at < fields.length; at += 2) {
    if (sameName(fields[at]!, name)) return fields[at + 1];
  }
  return undefined;
}

/** A flat list as a map by lower-case name; repeated fields become lists. */
export function fieldMapOf(fields: readonly string[]): Record<string, string | string[]> {
  const map: Record<string, string | string[]> = Object.create(null) as Record<string, string>;
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at]!.toLowerCase();
    const value = fields[at + 1]!;
    const present = map[name];
    if (present === undefined) map[name] = value;
    else if (typeof present === 'string') map[name] = [present, value];
    else present.push(value);
  }
  return map;
}

function sameName(written: string, lower: string): boolean {
  return written.length === lower.length && (written === lower || written.toLowerCase() === lower);
}
