import { CacheManager } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { ManualClock } from 'cachewell/testing';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { checkRandomSchedules, checkRandomSteps } from '../../support/http-world-checks.js';
import { HttpWorld } from '../../support/http-world.js';
import { LateTags } from '../../support/late-tags.js';
import { RedisServer } from '../../support/redis-server.js';

/** Give these to look longer, or to repeat a run. */
const STEPS = Number(process.env['HTTP_STEPS'] ?? 2000);
const SCHEDULES = Number(process.env['HTTP_SCHEDULES'] ?? 1000);
const SEED = Number(process.env['HTTP_SEED'] ?? Date.now() % 2 ** 31);

describe(`Reads beside writes, in two processes on one Redis (HTTP_SEED=${SEED})`, () => {
  let redis: RedisServer;
  let prefixes = 0;

  before(async () => {
    redis = await RedisServer.start();
  });

  after(() => redis.stop());

  const run = async (
    check: (world: HttpWorld, clock: ManualClock) => Promise<void>,
  ): Promise<void> => {
    // As two processes would do: nothing in common but the server and the data.
    const clock = new ManualClock();
    const prefix = `http${prefixes++}`;
    const managers = [0, 1].map(
      () =>
        new CacheManager({
          backend: new LateTags(new RedisBackend({ url: redis.url, commandTimeout: '5s', prefix })),
          clock,
          logger: silentLogger,
        }),
    );
    await using world = new HttpWorld();
    for (const manager of managers) await world.serve(manager);
    await check(world, clock);
    for (const manager of managers) await manager.close();
  };

  it("are never stale and never somebody else's, in random sequences", async () => {
    await run((world, clock) => checkRandomSteps(world, clock, SEED, STEPS));
  }).timeout(60_000 + STEPS * 60);

  it('are not answered by a handler run that a write has overtaken, in random schedules', async () => {
    for (let schedule = 0; schedule < SCHEDULES; schedule += 50) {
      const count = Math.min(50, SCHEDULES - schedule);
      await run((world, clock) => checkRandomSchedules(world, clock, SEED + schedule, count));
    }
  }).timeout(60_000 + SCHEDULES * 200);
});
