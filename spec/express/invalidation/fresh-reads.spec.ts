import { CacheManager, MemoryBackend } from 'cachewell';
import { ManualClock } from 'cachewell/testing';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { checkRandomSchedules, checkRandomSteps } from '../../support/http-world-checks.js';
import { HttpWorld } from '../../support/http-world.js';
import { LateTags } from '../../support/late-tags.js';

/** Give these to look longer, or to repeat a run. */
const STEPS = Number(process.env['HTTP_STEPS'] ?? 3000);
const SCHEDULES = Number(process.env['HTTP_SCHEDULES'] ?? 1000);
const SEED = Number(process.env['HTTP_SEED'] ?? Date.now() % 2 ** 31);

describe(`Reads beside writes, in memory (HTTP_SEED=${SEED})`, () => {
  it("are never stale and never somebody else's, in random sequences", async () => {
    const clock = new ManualClock();
    await using manager = new CacheManager({
      backend: new LateTags(new MemoryBackend()),
      clock,
      logger: silentLogger,
    });
    await using world = new HttpWorld();
    await world.serve(manager);
    await checkRandomSteps(world, clock, SEED, STEPS);
  }).timeout(60_000 + STEPS * 60);

  it('are not answered by a handler run that a write has overtaken, in random schedules', async () => {
    for (let schedule = 0; schedule < SCHEDULES; schedule += 50) {
      const clock = new ManualClock();
      await using manager = new CacheManager({
        backend: new LateTags(new MemoryBackend()),
        clock,
        logger: silentLogger,
      });
      await using world = new HttpWorld();
      await world.serve(manager);
      await checkRandomSchedules(world, clock, SEED + schedule, Math.min(50, SCHEDULES - schedule));
    }
  }).timeout(60_000 + SCHEDULES * 200);
});
