import type { CacheBackend } from 'cachewell';
import type { BackendStore, CacheSpace } from '#internal/cache/backend.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';

/** A backend whose stores do something else than the wrapped one's. */
class SpoiledBackend extends FaultyBackend {
  readonly #change: (store: BackendStore) => Partial<BackendStore>;

  constructor(inner: CacheBackend, change: (store: BackendStore) => Partial<BackendStore>) {
    super(inner);
    this.#change = change;
  }

  override open(space: CacheSpace): BackendStore {
    const store = super.open(space);
    return { ...store, ...this.#change(store) };
  }
}

/** A fault that breaks promise P1, and the ways of invalidating that it breaks. */
export interface PlantedFault {
  readonly name: string;
  readonly breaks: readonly string[];
  readonly spoil: (backend: CacheBackend) => CacheBackend;
}

function planted(
  name: string,
  breaks: readonly string[],
  change: (store: BackendStore) => Partial<BackendStore>,
): PlantedFault {
  return { name, breaks, spoil: (backend) => new SpoiledBackend(backend, change) };
}

function unfenced(store: BackendStore): Partial<BackendStore> {
  return {
    store: (writes, options) =>
      store.store(
        writes.map((write) => ({ ...write, fence: { kind: 'set' } as const })),
        options,
      ),
  };
}

/** Faults of a node's own tier, which the proof of copies from the shared one has to find. */
export const OWN_TIER_FAULTS: readonly PlantedFault[] = [
  planted(
    'the own tier keeps copies whatever happened meanwhile',
    ['delete', 'deletePattern', 'invalidateTags', 'clear', '@CachePut'],
    unfenced,
  ),
];

/** Faults that the proof has to find, or it proves nothing. */
export const PLANTED_FAULTS: readonly PlantedFault[] = [
  planted(
    'fills are stored whatever happened meanwhile',
    ['delete', 'deletePattern', 'clear'],
    unfenced,
  ),
  planted('the tags of an entry are lost', ['invalidateTags'], (store) => ({
    store: (writes, options) =>
      store.store(
        writes.map((write) => ({ ...write, entry: { ...write.entry, tags: [] } })),
        options,
      ),
  })),
  planted('a delete is acknowledged, and done with the next store', ['delete'], (store) => {
    const late: string[] = [];
    return {
      delete: (keys) => late.push(...keys),
      store: async (writes, options) => {
        const outcomes = await store.store(writes, options);
        await store.delete(late.splice(0));
        return outcomes;
      },
    };
  }),
  planted('a pattern deletes what is there, and voids no token', ['deletePattern'], (store) => ({
    deletePattern: async (pattern) => {
      const { keys } = await store.scan({ pattern, count: 100 });
      const tokens = await store.begin(keys);
      await store.delete(keys);
      store.release(tokens.map(({ token }) => token));
      return keys.length;
    },
  })),
];
