import { deepStrictEqual, fail } from 'node:assert/strict';

/**
 * Asserts that a value came back as what went in: deeply equal in the sense of `assert.deepStrictEqual`
 * (prototypes, `-0`, holes), and beyond it with equal URLs, and with the same objects shared in the same places.
 *
 * @throws `AssertionError` when it did not
 */
export function assertSameValue(actual: unknown, expected: unknown): void {
  deepStrictEqual(actual, expected);
  const counterparts = new Map<object, object>();
  const seen = new Set<object>();
  const compare = (left: unknown, right: unknown, path: string): void => {
    if (typeof right !== 'object' || right === null) return;
    if (typeof left !== 'object' || left === null) fail(`${path} is no longer an object`);
    const known = counterparts.get(right);
    if (known !== undefined) {
      if (known !== left) fail(`${path} was one object with another place, and is no longer`);
      return;
    }
    if (seen.has(left)) fail(`${path} has become one object with another place`);
    counterparts.set(right, left);
    seen.add(left);
    if (right instanceof URL) {
      if (!(left instanceof URL) || left.href !== right.href) fail(`${path} is another URL`);
    } else if (right instanceof Map) {
      compareLists([...(left as Map<unknown, unknown>)].flat(), [...right].flat(), path);
    } else if (right instanceof Set) {
      compareLists([...(left as Set<unknown>)], [...right], path);
    } else if (!ArrayBuffer.isView(right)) {
      for (const name of Object.keys(right)) {
        compare(propertyOf(left, name), propertyOf(right, name), `${path}.${name}`);
      }
    }
  };
  const compareLists = (
    left: readonly unknown[],
    right: readonly unknown[],
    path: string,
  ): void => {
    // deepStrictEqual ignores the order of maps and sets; it is part of the value.
    deepStrictEqual(left, right, `${path} has another order`);
    right.forEach((each, index) => compare(left[index], each, `${path}<${index}>`));
  };
  compare(actual, expected, 'value');
}

/** Own data, even where the name is `__proto__`. */
function propertyOf(owner: object, name: string): unknown {
  return Object.getOwnPropertyDescriptor(owner, name)?.value;
}
