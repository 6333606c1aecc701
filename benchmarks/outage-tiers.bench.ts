/*
 * Question: how much of the speed of a memory-only cache is left to an application with two tiers while Redis is away?
 *
 * Set-up: a redis-server of its own on loopback, frozen (SIGSTOP) before the first round; the circuit breaker is open. Calls of
 * `getOrSet` on 1,000 keys with a load that takes no time, one after the other: with a `TieredBackend` over that Redis, and with a
 * `MemoryBackend` whose ttl is the tiers' `maxStaleness`. Interleaved rounds, so that both reload as often.
 *
 * Goal: at least 0.95 of the throughput. By CPU time other programs on the machine change it least.
 */
import { CacheManager, MemoryBackend, silentLogger, TieredBackend } from 'cachewell';
import { RedisBackend, RedisBus } from 'cachewell/redis';
import { describeEnvironment } from './support/environment.js';
import { startRedis } from './support/redis-server.js';
import { publish } from './support/report.js';
import { measureInRounds, type Subject } from './support/rounds.js';
import { pairedRatio, spreadOf } from './support/statistics.js';
import { figure } from './support/table.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:outage-tiers';
const KEYS = 1000;
const MAX_STALENESS_MS = 3000;

await runMain(COMMAND, COMMON_OPTIONS, async (options) => {
  const rounds = wholeNumber('rounds', options.rounds, {
    absent: options.quick === true ? 7 : 25,
    min: 3,
  });
  const redis = await startRedis();
  const url = `redis://127.0.0.1:${redis.port}`;
  const memory = new CacheManager({
    backend: new MemoryBackend(),
    ttl: MAX_STALENESS_MS,
    logger: silentLogger,
  });
  const tiered = new CacheManager({
    backend: new TieredBackend({
      l2: new RedisBackend({ url }),
      bus: new RedisBus({ url }),
      maxStaleness: MAX_STALENESS_MS,
    }),
    ttl: '1h',
    logger: silentLogger,
  });
  try {
    await tiered.cache('warm').getOrSet('first', async () => 1);
    redis.freeze();
    const subjects = [subjectOf('memory', memory), subjectOf('tiers, Redis frozen', tiered)];
    // Opens the breaker.
    for (const subject of subjects) await subject.run(KEYS);
    const timings = await measureInRounds(subjects, { rounds, turnMs: 400, warmUps: 3 });
    const [base] = timings;
    await publish(
      {
        name: 'outage-tiers',
        title: 'Two tiers while Redis is away',
        command: COMMAND,
        environment: describeEnvironment(['ioredis']),
        method: `${KEYS} keys, one awaited call after the other, ${rounds} interleaved rounds of 400 ms a subject. A ratio is the median of each round's.`,
        sections: [
          {
            title: 'Calls of getOrSet',
            table: {
              columns: [
                { title: 'subject', align: 'left' },
                { title: 'CPU ns per call' },
                { title: 'throughput by CPU time' },
                { title: 'ns by the clock' },
                { title: 'throughput by the clock' },
              ],
              rows: timings.map(({ name, cpuNs, wallNs }) => [
                name,
                figure(spreadOf(cpuNs).median),
                pairedRatio(base!.cpuNs, cpuNs).toFixed(2),
                figure(spreadOf(wallNs).median),
                pairedRatio(base!.wallNs, wallNs).toFixed(2),
              ]),
            },
          },
        ],
        figures: { timings },
      },
      options,
    );
  } finally {
    redis.thaw();
    await Promise.all([memory.close(), tiered.close({ timeout: 500 })]);
    await redis.stop();
  }
});

function subjectOf(name: string, manager: CacheManager): Subject {
  const cache = manager.cache<[id: number], number>('items');
  const load = async (): Promise<number> => 1;
  return {
    name,
    run: async (count) => {
      for (let index = 0; index < count; index++) await cache.getOrSet(index % KEYS, load);
    },
  };
}
