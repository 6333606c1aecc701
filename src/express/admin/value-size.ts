import { types } from 'node:util';

/** How many values inside a value are looked at. */
const MAX_VISITED = 5_000;
/** What a value costs beside its content. */
const PER_VALUE_BYTES = 8;

/**
 * About how many bytes of content a value holds: texts as UTF-8, buffers as they are, 8 for anything else. For the
 * lists of an administrator, not for a bound: it looks at 5,000 values at most, and reckons the rest of a list from
 * what it has seen of it. No accessor is called.
 */
export function approximateSize(root: unknown): number {
  const seen = new Set<object>();
  const pending: unknown[] = [root];
  let bytes = 0;
  let visited = 0;
  while (pending.length > 0 && visited < MAX_VISITED) {
    visited++;
    const value = pending.pop();
    if (typeof value === 'string') bytes += Buffer.byteLength(value);
    else if (typeof value !== 'object' || value === null) bytes += PER_VALUE_BYTES;
    else if (!seen.has(value)) {
      seen.add(value);
      bytes += sizeOfObject(value, pending);
    }
  }
  return visited === 0 ? 0 : Math.round(bytes * (1 + pending.length / visited));
}

function sizeOfObject(value: object, pending: unknown[]): number {
  if (types.isProxy(value)) return PER_VALUE_BYTES;
  if (types.isDate(value)) return PER_VALUE_BYTES;
  if (ArrayBuffer.isView(value)) return value.byteLength;
  if (types.isAnyArrayBuffer(value)) return value.byteLength;
  if (Array.isArray(value)) {
    // Beyond this many the members are reckoned from those that were looked at.
    const length = Math.min(value.length, MAX_VISITED);
    for (let index = 0; index < length; index++) {
      const member = Object.getOwnPropertyDescriptor(value, index);
      pending.push(member !== undefined && 'value' in member ? member.value : undefined);
    }
    return (value.length - length) * PER_VALUE_BYTES;
  }
  if (types.isMap(value)) {
    for (const [key, member] of value) {
      if (pending.length > MAX_VISITED) break;
      pending.push(key, member);
    }
    return PER_VALUE_BYTES;
  }
  if (types.isSet(value)) {
    for (const member of value) {
      if (pending.length > MAX_VISITED) break;
      pending.push(member);
    }
    return PER_VALUE_BYTES;
  }
  let bytes = 0;
  for (const name in value) {
    if (pending.length > MAX_VISITED) break;
    const property = Object.getOwnPropertyDescriptor(value, name);
    if (property === undefined) continue;
    bytes += Buffer.byteLength(name);
    pending.push('value' in property ? property.value : undefined);
  }
  return bytes;
}
