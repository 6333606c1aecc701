import { describe, it } from 'mocha';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import type { TieredBackendOptions } from '#internal/backends/tiered/tiered-backend-options.js';
import type { BackendStore, CacheSpace, CacheTiers } from '#internal/cache/backend.js';
import { describeBackend } from '#internal/testing/describe-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { MemoryBusHub } from '#internal/testing/memory-bus.js';
import { SharedFaultyBackend } from '../support/shared-faulty-backend.js';

const underTest = (
  options: Omit<TieredBackendOptions, 'l2'> = {},
  backendClass = TieredBackend,
) => {
  const clock = new ManualClock();
  const backend = new backendClass({ l2: new SharedFaultyBackend(), ...options });
  return { backend, clock, advance: (ms: number) => void clock.advance(ms) };
};

/** A tiered backend whose caches are all kept in the same tiers. */
const keptIn = (tiers: CacheTiers) =>
  class extends TieredBackend {
    override open(space: CacheSpace): BackendStore {
      return super.open({ ...space, tiers });
    }
  };

describeBackend({ describe, it }, 'TieredBackend without a bus', () => underTest());

describeBackend({ describe, it }, 'TieredBackend with a bus', () =>
  underTest({ bus: new MemoryBusHub().connect() }),
);

for (const isolation of ['copy', 'frozen'] as const) {
  describeBackend({ describe, it }, `TieredBackend over memory with isolation '${isolation}'`, () =>
    underTest({ l1: new MemoryBackend({ isolation }), bus: new MemoryBusHub().connect() }),
  );
}

describeBackend({ describe, it }, "TieredBackend with tiers 'l2' everywhere", () =>
  underTest({ bus: new MemoryBusHub().connect() }, keptIn('l2')),
);

describeBackend({ describe, it }, "TieredBackend with tiers 'l1' everywhere", () =>
  underTest({ maxStaleness: Infinity }, keptIn('l1')),
);
