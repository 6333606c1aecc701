import { CacheSerializationError } from '../errors.js';
import { binaryKindOf } from './binary-kinds.js';
import { MAX_DEPTH } from './value-check.js';

/**
 * A copy of a value in which instances of classes, at any depth, are plain objects with the same own properties.
 * What codecs carry by themselves, such as dates and binary data, is kept.
 *
 * @throws {@link CacheSerializationError} when it is nested too deep or in a circle
 */
export function instancesToPlain(value: unknown): unknown {
  return copy(value, () => Object.prototype, 0);
}

/**
 * A copy of a value that shares no object, array, map or set with it, with the same classes.
 *
 * @throws {@link CacheSerializationError} when it is nested too deep or in a circle
 */
export function detachedCopy(value: unknown): unknown {
  return copy(value, (object) => Object.getPrototypeOf(object) as object | null, 0);
}

function copy(
  value: unknown,
  prototypeFor: (object: object) => object | null,
  depth: number,
): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (depth > MAX_DEPTH) {
    throw new CacheSerializationError('A model cannot be nested in a circle, or so deep.', 'value');
  }
  const next = (each: unknown): unknown => copy(each, prototypeFor, depth + 1);
  if (Array.isArray(value)) return value.map(next);
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype === Map.prototype) {
    return new Map(
      [...(value as Map<unknown, unknown>)].map(([key, each]) => [next(key), next(each)]),
    );
  }
  if (prototype === Set.prototype) return new Set([...(value as Set<unknown>)].map(next));
  if (prototype !== null && (LEAVES.has(prototype) || binaryKindOf(prototype) !== undefined)) {
    return value;
  }
  const result = Object.create(prototype === null ? null : prototypeFor(value)) as object;
  for (const [name, property] of Object.entries(value)) {
    Object.defineProperty(result, name, {
      value: next(property),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}

/** Kinds that hold no instances, and that codecs carry or refuse by themselves. */
const LEAVES = new Set<object>([
  Date.prototype,
  RegExp.prototype,
  URL.prototype,
  Promise.prototype,
  Error.prototype,
  Number.prototype,
  String.prototype,
  Boolean.prototype,
]);
