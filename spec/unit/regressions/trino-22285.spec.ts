import { expect } from 'chai';
import fc from 'fast-check';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import type { CacheDefinition } from '#internal/cache/cache-handle.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { SharedFaultyBackend } from '../../support/shared-faulty-backend.js';
import { TimedCache } from '../../support/timed-cache.js';

const DEFINITIONS: readonly (readonly [string, CacheDefinition])[] = [
  ['plain', {}],
  ['refreshed ahead', { refreshAhead: 0.01 }],
  ['stale while it is refreshed', { ttl: 1, staleWhileRevalidate: '1h' }],
  ['stale behind a soft timeout', { ttl: 1, staleIfError: '1h', softTimeout: 0 }],
];

const STEPS = [
  'read',
  'read',
  'read',
  'many',
  'delete',
  'clear',
  'tag',
  'pattern',
  'put',
  'tick',
] as const;

/**
 * trinodb/trino#22285: about once in three million interleavings of loads and invalidations a value came back that had
 * been invalidated. Here every await of origin and store is a step of a seeded scheduler.
 */
describe('Trino#22285: loads and invalidations in any order', function () {
  this.timeout(60_000);
  for (const [name, definition] of DEFINITIONS) {
    for (const isShared of [false, true]) {
      it(`never give what was loaded before: ${name}${isShared ? ', on a shared store' : ''}`, async () => {
        await fc.assert(
          fc.asyncProperty(
            fc.scheduler(),
            fc.array(fc.constantFrom(...STEPS), { minLength: 3, maxLength: 10 }),
            async (scheduler, steps) => {
              const memory = new MemoryBackend({ sweepInterval: Infinity });
              const timed = new TimedCache(
                { ttl: '1h', ...definition },
                {
                  backend: isShared ? new SharedFaultyBackend(memory) : new FaultyBackend(memory),
                },
              );
              await runSchedule(timed, scheduler, steps);
              await timed.manager.close();
            },
          ),
          { numRuns: 400, seed: 22_285 },
        );
      });
    }
  }
});

/** The origin has a version; each invalidation follows a change of it. */
async function runSchedule(
  timed: TimedCache,
  scheduler: fc.Scheduler,
  steps: readonly (typeof STEPS)[number][],
): Promise<void> {
  const { cache, manager, clock } = timed;
  let version = 0;
  let acknowledged = 0;
  const load = async (): Promise<string> => {
    const seen = version;
    await scheduler.schedule(Promise.resolve(), 'load');
    return String(seen);
  };
  const loadMany = async (missing: readonly (1 | readonly [number])[]) => {
    const seen = await load();
    return new Map(missing.map((key) => [key, seen]));
  };
  const invalidate = async (issue: () => Promise<unknown>): Promise<void> => {
    const mine = ++version;
    await issue();
    acknowledged = Math.max(acknowledged, mine);
  };
  const expectFresh = (value: unknown, least: number): void => {
    if (value !== undefined && value !== null) expect(Number(value)).to.be.at.least(least);
  };
  const options = { tags: ['t'] };
  const run = async (step: (typeof STEPS)[number]): Promise<void> => {
    const least = acknowledged;
    switch (step) {
      case 'read':
        return expectFresh(await cache.getOrSet(1, load, options), least);
      case 'many':
        return expectFresh(
          (await cache.getOrSetMany([1], loadMany as never, options)).get(1),
          least,
        );
      case 'delete':
        return invalidate(() => cache.delete(1));
      case 'clear':
        return invalidate(() => cache.clear());
      case 'tag':
        return invalidate(() => manager.invalidateTags('t'));
      case 'pattern':
        return invalidate(() => cache.deletePattern('1'));
      case 'put':
        return invalidate(() => cache.set(1, String(version), options));
      case 'tick':
        clock.advance(1);
    }
  };
  const running: Promise<void>[] = [];
  for (const step of steps) {
    running.push(scheduler.schedule(Promise.resolve(), step).then(() => run(step)));
  }
  await scheduler.waitFor(Promise.all(running));
  expectFresh(await cache.get(1), acknowledged);
}
