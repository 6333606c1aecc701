/**
 * Whether two lists of arguments are the same key by what docs/KEYS.md promises, told from the values alone:
 * nothing here knows how a key text looks.
 */
export function sameArguments(left: readonly unknown[], right: readonly unknown[]): boolean {
  const [a, b] = [significant(left), significant(right)];
  return a.length === b.length && a.every((argument, index) => sameValue(argument, b[index]));
}

/** Equality by kind and structure; order counts in arrays only. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null)
    return Object.is(a, b);
  const kind = kindOf(a);
  if (kind !== kindOf(b)) return false;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (a instanceof URL && b instanceof URL) return a.href === b.href;
  if (a instanceof RegExp && b instanceof RegExp) {
    return a.source === b.source && a.flags === b.flags && a.lastIndex === b.lastIndex;
  }
  if (a instanceof Map && b instanceof Map) {
    return sameBag([...a], [...b], ([k1, v1], [k2, v2]) => sameValue(k1, k2) && sameValue(v1, v2));
  }
  if (a instanceof Set && b instanceof Set) return sameBag([...a], [...b], sameValue);
  const [bytesA, bytesB] = [bytesOf(a), bytesOf(b)];
  if (bytesA !== undefined && bytesB !== undefined) return bytesA.equals(bytesB);
  return sameMembers(a as Record<string, unknown>, b as Record<string, unknown>);
}

function significant(args: readonly unknown[]): readonly unknown[] {
  let length = args.length;
  while (length > 0 && args[length - 1] === undefined) length--;
  return args.slice(0, length);
}

function kindOf(value: object): string {
  if (Buffer.isBuffer(value)) return 'Buffer';
  return Object.prototype.toString.call(value);
}

function bytesOf(value: object): Buffer | undefined {
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (!ArrayBuffer.isView(value)) return undefined;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
}

/** Arrays and objects. A hole is a name that is missing. */
function sameMembers(a: Record<string, unknown>, b: Record<string, unknown>): boolean {
  if (Array.isArray(a) && a.length !== b['length']) return false;
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && sameValue(a[name], b[name]));
}

/** Equal members may be paired in any way, because equality is transitive: so the first match will do. */
function sameBag<Member>(
  left: Member[],
  right: Member[],
  same: (a: Member, b: Member) => boolean,
): boolean {
  if (left.length !== right.length) return false;
  const rest = [...right];
  return left.every((member) => {
    const index = rest.findIndex((other) => same(member, other));
    if (index !== -1) rest.splice(index, 1);
    return index !== -1;
  });
}
