import { MemoryBackend } from 'cachewell';
import type { BackendStore, CacheSpace } from '#internal/cache/backend.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { CLUSTERED, OWN_TIER_ONLY, SHARED_TIER_ONLY, type KindRow } from './definitions.js';
import { PLANTED_FAULTS, SET, spoiling, type PlantedFault } from './spoiled-backend.js';

/** A backend that keeps every cache in all of its tiers. */
class TierlessBackend extends FaultyBackend {
  override open(space: CacheSpace): BackendStore {
    return super.open({ ...space, tiers: 'both' });
  }
}

/** A fault of a kind of cache, and what shows it. */
export interface KindFault extends PlantedFault {
  readonly kind: KindRow;
  readonly shows: 'StaleRead' | 'SecondLoad' | 'Hanging';
}

/** Faults of special kinds of caches that the proof has to find. */
export const KIND_FAULTS: readonly KindFault[] = [
  {
    kind: OWN_TIER_ONLY,
    shows: 'StaleRead',
    name: 'other processes are not told',
    breaks: ['delete', 'deletePattern', 'invalidateTags', 'clear', '@CachePut', 'set'],
    spoil: () => new MemoryBackend({ sweepInterval: Infinity }),
  },
  {
    kind: OWN_TIER_ONLY,
    shows: 'StaleRead',
    ...PLANTED_FAULTS[0]!,
  },
  {
    kind: SHARED_TIER_ONLY,
    shows: 'StaleRead',
    name: 'copies are kept all the same',
    breaks: ['delete', 'invalidateTags', '@CachePut'],
    spoil: (backend) => new TierlessBackend(backend),
  },
  {
    kind: CLUSTERED,
    shows: 'StaleRead',
    ...PLANTED_FAULTS[0]!,
  },
];

/** Faults of leases, which show when two nodes load and nothing is invalidated. */
export const LEASE_FAULTS: readonly Omit<KindFault, 'breaks' | 'kind'>[] = [
  {
    name: 'everybody gets the lease',
    shows: 'SecondLoad',
    ...spoiling((store) => ({ beginTurns: (keys, hints) => store.begin(keys, hints) })),
  },
  {
    name: 'who waits is not told',
    shows: 'Hanging',
    ...spoiling((store) => ({
      beginTurns: async (keys, hints) => {
        const starts = await store.beginTurns!(keys, hints);
        return starts.map((start) => {
          if (!('whenOver' in start)) return start;
          return { whenOver: new Promise<void>(() => undefined), cancel: () => start.cancel() };
        });
      },
    })),
  },
  {
    name: 'the lease ends before the value is stored',
    shows: 'SecondLoad',
    ...spoiling((store) => ({
      store: async (writes, options) => {
        store.release(writes.flatMap(({ fence }) => (fence.kind === 'set' ? [] : [fence.token])));
        return store.store(
          writes.map((write) => ({ ...write, fence: SET })),
          options,
        );
      },
    })),
  },
];
