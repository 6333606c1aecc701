import { fieldText, trimSpace } from './field-list.js';
import type { FieldMap } from './http-message.js';
import { parseItemList } from './structured-field.js';

/** How many groups one response may name. More than that is not cut, which would lose invalidations, but not stored. */
export const MAX_GROUPS = 256;

/**
 * The groups that a response belongs to, each once: `Surrogate-Key` (between blanks), `Cache-Tag` (between commas) and `Cache-Groups` (a list of
 * strings, RFC 9875). The three name the same kind of thing, so `a` in one is `a` in the others.
 *
 * @returns `undefined` where there are more than 256, or where `Cache-Groups` cannot be read: such a response is better
 *   not stored than stored out of reach of its invalidation.
 */
export function responseGroups(headers: FieldMap): readonly string[] | undefined {
  const groups = new Set<string>();
  const surrogateKey = fieldText(headers, 'surrogate-key');
  if (surrogateKey !== undefined) {
    // Lines were joined with a comma, which no key may hold.
    for (const key of surrogateKey.split(/[ \t,]+/)) if (key !== '') groups.add(key);
  }
  const cacheTag = fieldText(headers, 'cache-tag');
  if (cacheTag !== undefined) {
    for (const part of cacheTag.split(',')) {
      const tag = trimSpace(part);
      if (tag !== '') groups.add(tag);
    }
  }
  const named = groupField(headers, 'cache-groups');
  if (named === undefined) return undefined;
  for (const group of named) groups.add(group);
  return groups.size > MAX_GROUPS ? undefined : [...groups];
}

/**
 * The groups that the answer to a write invalidates (`Cache-Group-Invalidation`, RFC 9875 section 3). Only the answers to unsafe methods
 * count; the caller checks that. `undefined` where the field cannot be read.
 */
export function invalidatedGroups(headers: FieldMap): readonly string[] | undefined {
  return groupField(headers, 'cache-group-invalidation');
}

/** The strings of a list of strings; other items are a fault. */
function groupField(headers: FieldMap, name: string): readonly string[] | undefined {
  const text = fieldText(headers, name);
  if (text === undefined) return [];
  const items = parseItemList(text);
  if (items === undefined) return undefined;
  const groups: string[] = [];
  for (const item of items) {
    if (item.kind !== 'string') return undefined;
    groups.push(item.value);
  }
  return groups;
}
