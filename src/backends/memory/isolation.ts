import type { ValueModel } from '../../cache/entry-framer.js';
import type { EntryKind } from '../../cache/entry.js';
import { andThen, type MaybePromise } from '../../cache/maybe-promise.js';
import { copyKept, copyKeptFrozen, exactCopy, exactFrozenCopy } from './exact-copy.js';

/**
 * What callers share with the cache.
 *
 * - `'reference'`: everything. Store and readers have one object; who changes it changes it for all. Costs nothing.
 * - `'copy'`: nothing. The store keeps a copy of what it is given, and each reader gets its own.
 * - `'frozen'`: a deeply frozen copy, made once when the value is stored, for plain objects and arrays, which all
 *   readers share. A value that holds anything that cannot be frozen (a `Date`, `Map`, `Set`, `Buffer`, …) is
 *   copied for each reader instead.
 *
 * Copies are exact or refused, see `exactCopy`. A cached error is always the error that was thrown, itself.
 */
export type MemoryIsolation = 'reference' | 'copy' | 'frozen';

/** Makes a reader's value from the kept one. */
export interface ValueReader {
  read(kept: unknown): MaybePromise<unknown>;
}

/** A value as the store keeps it. */
export interface KeptValue {
  readonly value: unknown;
  /** `undefined` when readers may have the kept value itself. */
  readonly reader: ValueReader | undefined;
}

const copyReader: ValueReader = { read: copyKept };
const frozenReader: ValueReader = { read: copyKeptFrozen };

/**
 * Keeps plain data, and gives each reader an instance made from it. The model gets a copy of the data, for it may
 * build it into the instance.
 */
class ModelReader implements ValueReader {
  readonly #model: ValueModel;

  constructor(model: ValueModel) {
    this.#model = model;
  }

  read(kept: unknown): MaybePromise<unknown> {
    return andThen(copyKept(kept), (plain) => this.#model.fromPlain(plain));
  }
}

/**
 * Takes a value into the store.
 *
 * @throws {@link CacheSerializationError} when it cannot be copied exactly, and the cache has no model for it
 */
export function keepValue(
  isolation: MemoryIsolation,
  value: unknown,
  kind: EntryKind,
  model: ValueModel | undefined,
): KeptValue {
  if (isolation === 'reference' || kind === 'error' || isImmutable(value)) {
    return { value, reader: undefined };
  }
  if (model !== undefined) {
    return { value: exactCopy(model.toPlain(value)), reader: new ModelReader(model) };
  }
  if (isolation === 'copy') return { value: exactCopy(value), reader: copyReader };
  const copy = exactFrozenCopy(value);
  return { value: copy.value, reader: copy.isFrozen ? undefined : frozenReader };
}

/** Symbols are left to the copier, which refuses them: they would not survive any other store. */
function isImmutable(value: unknown): boolean {
  if (value === null) return true;
  return typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol';
}
