import type { BackendStore, EntryOutline } from '../../cache/backend.js';
import type { CacheCore } from '../../cache/cache-core.js';
import { approximateSize } from './value-size.js';

/** How many entries are read at a time where a store has no outlines: their values come with them, and may be large. */
const READ_AT_A_TIME = 10;

/** What a list shows of a key. */
export interface KeyOutline {
  readonly expiresAt: number;
  /** About how many bytes its value has. */
  readonly size: number;
}

/**
 * What lists show of keys, `undefined` for those that have gone. They count as no use, and no value leaves its store
 * where the store can tell without.
 */
export function outlinesOf(
  core: CacheCore,
  keys: readonly string[],
): Promise<readonly (KeyOutline | undefined)[]> {
  return core.withStore(
    'inspect',
    'throw',
    keys.map(() => undefined),
    async (store) => {
      const outlines = await (store.outlines?.(keys) ?? readAll(store, keys));
      return outlines.map((outline) => outline && withSize(outline));
    },
  );
}

function withSize({ expiresAt, sizeBytes, value }: EntryOutline): KeyOutline {
  return { expiresAt, size: sizeBytes ?? approximateSize(value) };
}

async function readAll(
  store: BackendStore,
  keys: readonly string[],
): Promise<readonly (EntryOutline | undefined)[]> {
  const outlines: (EntryOutline | undefined)[] = [];
  for (let start = 0; start < keys.length; start += READ_AT_A_TIME) {
    const part = keys.slice(start, start + READ_AT_A_TIME);
    for (const entry of await store.getMany(part, { needsTimes: true })) {
      // Measured at once, so that no more than one part of the values is held.
      outlines.push(
        entry && { expiresAt: entry.expiresAt, sizeBytes: approximateSize(entry.value) },
      );
    }
  }
  return outlines;
}
