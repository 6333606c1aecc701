import { splitQuotedList, trimSpace } from './field-list.js';

/**
 * Whether one of the entity tags of an `If-None-Match` field matches, by weak comparison (RFC 9110 sections 8.8.3.2 and 13.1.2). `*`
 * matches whatever is stored. What is no entity tag, such as one without quotes, matches the same text only.
 */
export function noneMatchHits(field: string, entityTag: string | undefined): boolean {
  if (trimSpace(field) === '*') return true;
  if (entityTag === undefined) return false;
  const stored = opaque(entityTag);
  return splitQuotedList(field, false).some((member) => opaque(member) === stored);
}

/** Strong comparison: the same text, both entity tags, neither weak. */
export function matchesStrongly(one: string, other: string): boolean {
  return one === other && isStrong(one);
}

/** Weak comparison: the same but for `W/`. */
export function matchesWeakly(one: string, other: string): boolean {
  return opaque(one) === opaque(other);
}

export function isStrong(entityTag: string): boolean {
  return /^"[^"]*"$/.test(entityTag);
}

function opaque(entityTag: string): string {
  return entityTag.startsWith('W/"') ? entityTag.slice(2) : entityTag;
}
