/*
 * Question: what do a clear and the invalidation of a tag cost when there are very many entries?
 *
 * Set-up: a redis-server of its own on loopback, or with `--cluster` three masters, with one million entries of a few
 * hundred bytes, 100,000 of them under one tag, and 100,000 foreign keys beside them. The tag is invalidated, and the cache
 * cleared, again and again; between the rounds some entries are stored, so that there is something to hit. First a number
 * of rounds is timed, then as many are counted: every command that reaches a server while the call is under way
 * (`MONITOR`), but for those that are sent when nothing is called, too. Behind each timed call, as many bare `GET`s are timed,
 * sent by a client of its own in the same steps: what the machine and the client leave of the goal.
 *
 * Goal: at most 3 commands, on a Cluster 3 for each of a cache's 16 buckets; p99 at most 5 ms, none of them in `SLOWLOG` at
 * 5 ms, and every foreign key still there.
 */
import { CacheManager, type Cache } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { Cluster, Redis } from 'ioredis';
import { CommandWatch } from './invalidation/command-watch.js';
import { countForeign, seedForeign } from './invalidation/foreign-keys.js';
import { resetSlowLog, slowCommands } from './invalidation/slow-log.js';
import { describeEnvironment } from './support/environment.js';
import { startRedisCluster } from './support/redis-cluster.js';
import { startRedis } from './support/redis-server.js';
import { publish } from './support/report.js';
import { figure } from './support/table.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';
import { percentile } from './support/statistics.js';

const COMMAND = 'npm run bench:invalidation';
const TAGGED_SHARE = 10;
const BATCH = 1000;
const SLOW_MS = 5;
const BUCKETS = 16;
const MOST_COMMANDS = 3;
/** Longer than ioredis waits from one look at the Cluster's slots to the next. */
const IDLE_MS = 6000;
const VALUE = { name: 'an entry', text: 'x'.repeat(200) };
const OPTIONS = {
  cluster: { type: 'boolean', meaning: 'on a Redis Cluster of three masters' },
  keys: { type: 'string', value: 'N', meaning: 'entries; a tenth of them carries the tag' },
  ...COMMON_OPTIONS,
} as const;

type Items = Cache<[id: number], object>;

/** A call, and how many commands it sends in each of its steps. */
interface Invalidation {
  readonly steps: readonly number[];
  readonly run: () => Promise<void>;
}

interface Row {
  readonly name: string;
  /** Of a round, the median. */
  readonly commands: number;
  /** In the round with the most. */
  readonly mostCommands: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** As many bare commands, in the same steps. */
  readonly bareP50Ms: number;
  readonly bareP99Ms: number;
  /** Of the call's own commands, those in the slow log. */
  readonly slow: number;
  /** Those that fill the cache between the rounds, and free what was cleared. */
  readonly otherSlow: number;
}

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const isCluster = options.cluster === true;
  const keys = wholeNumber('keys', options.keys, {
    absent: isQuick ? 50_000 : 1_000_000,
    min: BATCH,
  });
  const rounds = wholeNumber('rounds', options.rounds, { absent: isQuick ? 50 : 200, min: 2 });
  const servers = await startServers(isCluster);
  const { ports } = servers;
  const nodes = ports.map((port) => new Redis({ port }));
  const bare = isCluster
    ? new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })))
    : nodes[0]!;
  const commandTimeout = '10s';
  await using manager = new CacheManager({
    backend: new RedisBackend(
      isCluster
        ? { cluster: { nodes: ports.map((port) => `127.0.0.1:${port}`) }, commandTimeout }
        : { url: `redis://127.0.0.1:${ports[0]}`, commandTimeout },
    ),
  });
  try {
    const background = await learnBackground(nodes, manager);
    const cache: Items = manager.cache('items');
    await seedForeign(nodes, keys / TAGGED_SHARE);
    await seed(cache, keys);
    const foreignBefore = await countForeign(nodes);
    const calls: Readonly<Record<string, Invalidation>> = {
      invalidateTags: {
        steps: isCluster ? [1, 1] : [1],
        run: () => manager.invalidateTags('blue'),
      },
      clear: { steps: isCluster ? [1, BUCKETS] : [1], run: () => cache.clear() },
    };
    const rows: Row[] = [];
    for (const [name, { steps, run }] of Object.entries(calls)) {
      await resetSlowLog(nodes, SLOW_MS);
      const { times, bareTimes } = await timeRounds(rounds, cache, run, () => ask(bare, steps));
      const slow = await slowCommands(nodes);
      const { counts, sent } = await countRounds(rounds, cache, run, nodes, background);
      rows.push({
        name,
        commands: percentile(counts, 0.5),
        mostCommands: percentile(counts, 1),
        p50Ms: percentile(times, 0.5),
        p99Ms: percentile(times, 0.99),
        maxMs: percentile(times, 1),
        bareP50Ms: percentile(bareTimes, 0.5),
        bareP99Ms: percentile(bareTimes, 0.99),
        slow: slow.filter(({ id }) => sent.has(id)).length,
        otherSlow: slow.filter(({ id }) => !sent.has(id)).length,
      });
    }
    const foreignAfter = await countForeign(nodes);
    await publish(
      {
        name: isCluster ? 'invalidation-cluster' : 'invalidation',
        title: `Clears and tags over many entries${isCluster ? ', on a Cluster' : ''}`,
        command: isCluster ? `${COMMAND} -- --cluster` : COMMAND,
        environment: describeEnvironment(['ioredis']),
        method: `${keys.toLocaleString('en-US')} entries, a tenth of them tagged${isCluster ? ', on three masters' : ''}; of each call ${rounds} rounds that were timed, and ${rounds} in which every command was counted that a client sent meanwhile.`,
        sections: [
          {
            title: 'What one call costs',
            table: {
              columns: [
                { title: 'call', align: 'left' },
                { title: 'commands, median' },
                { title: 'at most' },
                { title: 'p50 ms' },
                { title: 'p99 ms' },
                { title: 'max ms' },
                { title: 'bare p50' },
                { title: 'bare p99' },
                { title: `in SLOWLOG at ${SLOW_MS} ms` },
                { title: 'others there' },
              ],
              rows: rows.map((row) => [
                row.name,
                ...[row.commands, row.mostCommands].map(String),
                ...[row.p50Ms, row.p99Ms, row.maxMs, row.bareP50Ms, row.bareP99Ms].map(figure),
                ...[row.slow, row.otherSlow].map(String),
              ]),
            },
            notes: [
              isCluster
                ? `goal: at most ${MOST_COMMANDS} commands for each of the ${BUCKETS} buckets of a cache, ${MOST_COMMANDS * BUCKETS} in all`
                : `goal: at most ${MOST_COMMANDS} commands`,
              'bare: as many GETs by a client of its own, sent in the same steps',
              'others: what fills the cache between the rounds, 100 entries in one command, and frees what was cleared',
              `foreign keys before and after: ${foreignBefore.toLocaleString('en-US')}, ${foreignAfter.toLocaleString('en-US')}`,
            ],
          },
        ],
        figures: { keys, rounds, rows, foreignBefore, foreignAfter },
      },
      options,
    );
    if (foreignAfter !== foreignBefore) process.exitCode = 1;
  } finally {
    bare.disconnect();
    for (const node of nodes) node.disconnect();
    await manager.close();
    await servers.stop();
  }
});

interface Servers {
  readonly ports: readonly number[];
  stop(): Promise<void>;
}

async function startServers(isCluster: boolean): Promise<Servers> {
  if (!isCluster) {
    const server = await startRedis();
    return { ports: [server.port], stop: () => server.stop() };
  }
  const cluster = await startRedisCluster();
  return { ports: cluster.masters.map(({ port }) => port), stop: () => cluster.stop() };
}

/** What is sent while nobody asks for anything: signs of life, and what frees the entries that a clear has made void. */
async function learnBackground(
  nodes: readonly Redis[],
  manager: CacheManager,
): Promise<ReadonlySet<string>> {
  const aside: Items = manager.cache('aside');
  await seed(aside, 2 * BATCH);
  await aside.clear();
  const watch = await CommandWatch.start(nodes);
  try {
    const idle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    return new Set(await watch.sentDuring(idle));
  } finally {
    watch.stop();
  }
}

async function seed(cache: Items, keys: number): Promise<void> {
  for (let from = 0; from < keys; from += BATCH) {
    const isTagged = from < keys / TAGGED_SHARE;
    await cache.setMany(
      Array.from({ length: BATCH }, (_, index) => [from + index, VALUE] as const),
      isTagged ? { tags: ['blue'] } : {},
    );
  }
}

/** Something to hit. */
async function refill(cache: Items): Promise<void> {
  await cache.setMany(
    Array.from({ length: 100 }, (_, id) => [id, VALUE] as const),
    { tags: ['blue'] },
  );
}

/** Bare commands, the next step when the one before is answered. */
async function ask(client: Redis | Cluster, steps: readonly number[]): Promise<void> {
  for (const commands of steps) {
    await Promise.all(Array.from({ length: commands }, (_, index) => client.get(`bare:${index}`)));
  }
}

/** The milliseconds of each round, sorted. */
async function timeRounds(
  rounds: number,
  cache: Items,
  call: () => Promise<void>,
  bareCall: () => Promise<void>,
): Promise<{ readonly times: readonly number[]; readonly bareTimes: readonly number[] }> {
  const times: number[] = [];
  const bareTimes: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await refill(cache);
    times.push(await timeOf(call));
    bareTimes.push(await timeOf(bareCall));
  }
  const ascending = (a: number, b: number): number => a - b;
  return { times: times.sort(ascending), bareTimes: bareTimes.sort(ascending) };
}

async function timeOf(call: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await call();
  return performance.now() - startedAt;
}

/** How many commands each round took, sorted, and which. Rounds of their own, because being watched costs a server time. */
async function countRounds(
  rounds: number,
  cache: Items,
  call: () => Promise<void>,
  nodes: readonly Redis[],
  background: ReadonlySet<string>,
): Promise<{ readonly counts: readonly number[]; readonly sent: ReadonlySet<string> }> {
  const watch = await CommandWatch.start(nodes);
  try {
    const counts: number[] = [];
    const sent = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      await refill(cache);
      const own = (await watch.sentDuring(call)).filter((command) => !background.has(command));
      counts.push(own.length);
      for (const command of own) sent.add(command);
    }
    return { counts: counts.sort((a, b) => a - b), sent };
  } finally {
    watch.stop();
  }
}
