/*
 * Question: what do a clear and the invalidation of a tag cost when there are very many entries?
 *
 * Set-up: a redis-server of its own on loopback with one million entries of a few hundred bytes, 100,000 of them under one tag,
 * and 100,000 foreign keys beside them. The tag is invalidated, and the cache cleared, again and again; between the rounds some entries
 * are stored, so that there is something to hit. Commands are those that the server counted (`INFO commandstats`).
 *
 * Goal: at most 3 commands, p99 at most 5 ms, nothing in `SLOWLOG` at 5 ms, and every foreign key still there.
 */
import { CacheManager } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { Redis } from 'ioredis';
import { describeEnvironment } from './support/environment.js';
import { startRedis } from './support/redis-server.js';
import { publish } from './support/report.js';
import { figure } from './support/table.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';
import { percentile } from './support/statistics.js';

const COMMAND = 'npm run bench:invalidation';
const TAGGED_SHARE = 10;
const BATCH = 1000;
const SLOW_MS = 5;
const OPTIONS = {
  keys: { type: 'string', value: 'N', meaning: 'entries; a tenth of them carries the tag' },
  ...COMMON_OPTIONS,
} as const;

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const keys = wholeNumber('keys', options.keys, {
    absent: isQuick ? 50_000 : 1_000_000,
    min: BATCH,
  });
  const rounds = wholeNumber('rounds', options.rounds, { absent: isQuick ? 50 : 200, min: 2 });
  const server = await startRedis();
  const redis = new Redis({ port: server.port });
  await using manager = new CacheManager({
    backend: new RedisBackend({ url: `redis://127.0.0.1:${server.port}`, commandTimeout: '10s' }),
  });
  try {
    const cache = manager.cache<[id: number], object>('items');
    await seedForeign(redis, keys / TAGGED_SHARE);
    const value = { name: 'an entry', text: 'x'.repeat(200) };
    for (let from = 0; from < keys; from += BATCH) {
      const ids = Array.from({ length: BATCH }, (_, index) => from + index);
      const isTagged = from < keys / TAGGED_SHARE;
      await cache.setMany(
        ids.map((id) => [id, value] as const),
        isTagged ? { tags: ['blue'] } : {},
      );
    }
    const foreignBefore = await countForeign(redis);
    await redis.config('SET', 'slowlog-log-slower-than', String(SLOW_MS * 1000));
    await redis.slowlog('RESET');
    const refill = (): Promise<number> =>
      cache.setMany(
        Array.from({ length: 100 }, (_, id) => [id, value] as const),
        { tags: ['blue'] },
      );
    const rows = [
      await measure('invalidateTags', redis, rounds, refill, () => manager.invalidateTags('blue')),
      await measure('clear', redis, rounds, refill, () => cache.clear()),
    ];
    const slow = await slowCommands(redis);
    const foreignAfter = await countForeign(redis);
    await publish(
      {
        name: 'invalidation',
        title: 'Clears and tags over many entries',
        command: COMMAND,
        environment: describeEnvironment(['ioredis']),
        method: `${keys.toLocaleString('en-US')} entries, a tenth of them tagged, ${rounds} rounds of each call.`,
        sections: [
          {
            title: 'What one call costs',
            table: {
              columns: [
                { title: 'call', align: 'left' },
                { title: 'commands' },
                { title: 'p50 ms' },
                { title: 'p99 ms' },
                { title: 'max ms' },
              ],
              rows: rows.map(({ name, commands, p50Ms, p99Ms, maxMs }) => [
                name,
                figure(commands),
                figure(p50Ms),
                figure(p99Ms),
                figure(maxMs),
              ]),
            },
            notes: [
              `SLOWLOG at ${SLOW_MS} ms, of all that was sent meanwhile: ${slow.length === 0 ? 'nothing' : slow.join(', ')}`,
              `foreign keys before and after: ${foreignBefore.toLocaleString('en-US')}, ${foreignAfter.toLocaleString('en-US')}`,
            ],
          },
        ],
        figures: { keys, rounds, rows, slow, foreignBefore, foreignAfter },
      },
      options,
    );
  } finally {
    redis.disconnect();
    await manager.close();
    await server.stop();
  }
});

/** Their names, the keys they had at the most, and their milliseconds by the wall: what the host did to Redis counts. */
async function slowCommands(redis: Redis): Promise<readonly string[]> {
  const entries = (await redis.slowlog('GET', 100)) as readonly [
    id: number,
    at: number,
    us: number,
    words: readonly string[],
  ][];
  return entries.map(([, , us, words]) => {
    const [name = '', , keys] = words;
    const scope = /^eval/i.test(name) ? ` of ${keys} keys` : '';
    return `${name}${scope} (${(us / 1000).toFixed(1)} ms)`;
  });
}

interface Row {
  readonly name: string;
  readonly commands: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

async function measure(
  name: string,
  redis: Redis,
  rounds: number,
  refill: () => Promise<unknown>,
  call: () => Promise<void>,
): Promise<Row> {
  const times: number[] = [];
  let commands = 0;
  for (let round = 0; round < rounds; round++) {
    await refill();
    const before = await countCommands(redis);
    const startedAt = performance.now();
    await call();
    times.push(performance.now() - startedAt);
    // Later rounds would count what frees the entries of the clears before, too.
    if (round === 0) commands = (await countCommands(redis)) - before;
  }
  times.sort((a, b) => a - b);
  return {
    name,
    commands,
    p50Ms: percentile(times, 0.5),
    p99Ms: percentile(times, 0.99),
    maxMs: percentile(times, 1),
  };
}

/** Scripts that clients sent, which is what both calls consist of. What runs inside a script counts as that one. */
async function countCommands(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats');
  const counts = [...stats.matchAll(/cmdstat_(?:evalsha|eval):calls=(\d+)/g)];
  return counts.reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function seedForeign(redis: Redis, count: number): Promise<void> {
  for (let from = 0; from < count; from += BATCH) {
    const pairs = Array.from({ length: BATCH }, (_, index) => [`foreign:${from + index}`, '1']);
    await redis.mset(...pairs.flat());
  }
}

async function countForeign(redis: Redis): Promise<number> {
  let cursor = '0';
  let count = 0;
  do {
    const [next, names] = await redis.scan(cursor, 'MATCH', 'foreign:*', 'COUNT', 10_000);
    cursor = next;
    count += names.length;
  } while (cursor !== '0');
  return count;
}
