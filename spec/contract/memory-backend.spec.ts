import { describe, it } from 'mocha';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { describeBackend } from '#internal/testing/describe-backend.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import type { CacheBackend } from '#internal/cache/backend.js';

const underTest = (backend: CacheBackend) => {
  const clock = new ManualClock();
  return { backend, clock, advance: (ms: number) => void clock.advance(ms) };
};

for (const isolation of ['reference', 'copy', 'frozen'] as const) {
  describeBackend({ describe, it }, `MemoryBackend with isolation '${isolation}'`, () =>
    underTest(new MemoryBackend({ isolation })),
  );
}

describeBackend({ describe, it }, 'MemoryBackend with a bound in bytes', () =>
  underTest(new MemoryBackend({ maxEntries: Infinity, maxBytes: 64 * 1024 * 1024 })),
);

describeBackend({ describe, it }, 'MemoryBackend without a timer, on the system clock', () => ({
  backend: new MemoryBackend({ sweepInterval: Infinity }),
}));

describeBackend({ describe, it }, 'FaultyBackend without faults', () =>
  underTest(new FaultyBackend(new MemoryBackend())),
);
