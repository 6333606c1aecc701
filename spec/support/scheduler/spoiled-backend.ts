import type { CacheBackend } from 'cachewell';
import type {
  BackendStore,
  CacheSpace,
  EntryWrite,
  FillToken,
  StoreOutcome,
} from '#internal/cache/backend.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';

/** What a store does otherwise. */
type Change = (store: BackendStore) => Partial<BackendStore>;

/** A backend whose stores do something else than the wrapped one's. */
class SpoiledBackend extends FaultyBackend {
  readonly #change: Change;

  constructor(inner: CacheBackend, change: Change) {
    super(inner);
    this.#change = change;
  }

  override open(space: CacheSpace): BackendStore {
    const store = super.open(space);
    return { ...store, ...this.#change(store) };
  }
}

/** The fence of a write that is stored in any case. */
export const SET = { kind: 'set' } as const;

/** A fault that breaks promise P1, and the ways of invalidating that it breaks. */
export interface PlantedFault {
  readonly name: string;
  /** The ways of filling beside which it shows. @defaultValue 'getOrSet with tags' */
  readonly fills?: readonly string[];
  readonly breaks: readonly string[];
  /** Whether it does no harm where the key has a value already. */
  readonly isOfMisses?: boolean;
  readonly spoil: (backend: CacheBackend) => CacheBackend;
}

function planted(
  name: string,
  breaks: readonly string[],
  change: Change,
  fills?: readonly string[],
): PlantedFault {
  return { name, breaks, ...spoiling(change), ...(fills && { fills }) };
}

/** Spoils the stores of a backend. */
export function spoiling(change: Change): Pick<PlantedFault, 'spoil'> {
  return { spoil: (backend) => new SpoiledBackend(backend, change) };
}

/** Stores the writes as if they were other ones. */
function rewriting(change: (write: EntryWrite) => EntryWrite): Change {
  return (store) => ({ store: (writes, options) => store.store(writes.map(change), options) });
}

/** What is stored so still ends its turn, or others would wait for it. */
const unfenced: Change = (store) => ({
  store: async (writes, options) => {
    const outcomes = await store.store(
      writes.map((write) => ({ ...write, fence: SET })),
      options,
    );
    const tokens = writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token]));
    store.release(tokens);
    return outcomes;
  },
});

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
  planted(
    'the tags of an entry are lost',
    ['invalidateTags'],
    rewriting((write) => ({ ...write, entry: { ...write.entry, tags: [] } })),
  ),
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
  {
    isOfMisses: true,
    ...planted(
      'a pattern deletes what is there, and voids no token',
      ['deletePattern'],
      (store) => ({
        deletePattern: async (pattern) => {
          const { keys } = await store.scan({ pattern, count: 100 });
          const tokens = await store.begin(keys);
          await store.delete(keys);
          store.release(tokens.map(({ token }) => token));
          return keys.length;
        },
      }),
    ),
  },
];

/** A fault of loads that find out tags. */
export const LATE_TAGS_FAULT: PlantedFault = planted(
  'tags that nobody knew before the load are lost',
  ['invalidateTags', 'invalidateTags, all of them'],
  (store) => {
    const known = new WeakMap<FillToken, readonly string[]>();
    const lost = ({ fence, entry, ...write }: EntryWrite): EntryWrite => {
      const tags = fence.kind === 'set' ? entry.tags : (known.get(fence.token) ?? []);
      return { ...write, fence, entry: { ...entry, tags } };
    };
    return {
      begin: async (keys, hints) => {
        const starts = await store.begin(keys, hints);
        for (const { token } of starts) known.set(token, hints?.tags ?? []);
        return starts;
      },
      store: (writes, options) => store.store(writes.map(lost), options),
    };
  },
  [
    'getOrSet with tags that the load adds',
    '@Cacheable with tagsOf',
    'getOrSetMany with tags that the load adds',
    '@Cacheable with each and tagsOf',
    'warm with tags that the load adds',
  ],
);

/** Faults of what only some ways of filling do, which the proof has to find beside them. */
export const FILL_FAULTS: readonly PlantedFault[] = [
  planted(
    'a put is stored whatever happened meanwhile',
    ['delete', 'deletePattern', 'clear'],
    rewriting((write) => (write.fence.kind === 'put' ? { ...write, fence: SET } : write)),
    ['@CachePut', 'put in a transaction'],
  ),
  planted(
    'a set is acknowledged, and done with the next read',
    ['delete', 'clear'],
    (store) => {
      const late: EntryWrite[] = [];
      return {
        store: (writes, options) => {
          if (writes.some(({ fence }) => fence.kind !== 'set')) return store.store(writes, options);
          late.push(...writes);
          return writes.map((): StoreOutcome => 'stored');
        },
        get: async (key, hints) => {
          await store.store(late.splice(0));
          return store.get(key, hints);
        },
      };
    },
    ['set', 'setMany'],
  ),
  LATE_TAGS_FAULT,
];
