/*
 * Question: how much of the raw Redis client's speed is left for a decorated method?
 *
 * Set-up: a redis-server of its own on loopback; 1,000 warm keys, JSON values of about 1 kB that are cheap to parse, so
 * that what the cache adds is not hidden behind the parser. Hits one after the other and 64 in flight, 100 keys in one
 * call, and misses that load and store. Interleaved rounds in one process; each subject has a connection of its own.
 * Throughput is by the clock on the wall; beside it stands the processor time of the client's process.
 *
 * Peers: ioredis `getBuffer`, `mgetBuffer` and `set`, with `JSON.parse` and `JSON.stringify` by hand.
 * Goal: a decorated hit at least at 0.85 times the throughput of the raw client, one and 64 in flight.
 */
import { Cacheable, CacheManager } from 'cachewell';
import { RedisBackend } from 'cachewell/redis';
import { Redis } from 'ioredis';
import { describeEnvironment } from './support/environment.js';
import { seededRandom } from './support/random.js';
import { startRedis, type BenchmarkRedis } from './support/redis-server.js';
import { publish, type Section } from './support/report.js';
import { measureInRounds, type Subject, type Timing } from './support/rounds.js';
import { median, pairedRatio, spreadOf } from './support/statistics.js';
import { figure } from './support/table.js';
import { COMMON_OPTIONS, runMain, UsageError, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:redis';
const KEYS = 1000;
const BATCH = 100;
/** Misses leave their entries behind, so those expire soon. */
const MISS_TTL_MS = 2000;

const OPTIONS = {
  only: {
    type: 'string',
    value: 'TEXT',
    meaning: 'only sections whose title holds the text, such as for a profile',
  },
  subject: {
    type: 'string',
    value: 'TEXT',
    meaning: 'only subjects whose name holds the text',
  },
  ...COMMON_OPTIONS,
} as const;

interface User {
  readonly id: number;
  readonly name: string;
  readonly notes: string;
}

/** Subjects that answer one question, the raw client first. */
interface Group {
  readonly id: string;
  readonly title: string;
  /** What one piece of work is, for the table. */
  readonly unit: string;
  readonly subjects: readonly Subject[];
}

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const rounds = wholeNumber('rounds', options.rounds, {
    absent: isQuick ? 5 : 15,
    min: 1,
    max: 10_000,
  });
  const schedule = { rounds, turnMs: isQuick ? 80 : 250, warmUps: isQuick ? 2 : 3 };
  const server = await startRedis();
  const bench = await openBench(server);
  try {
    const sections: Section[] = [];
    const figures: Record<string, object> = {};
    for (const group of bench.groups) {
      if (typeof options.only === 'string' && !group.title.includes(options.only)) continue;
      const subjects = group.subjects.filter(
        ({ name }) => typeof options.subject !== 'string' || name.includes(options.subject),
      );
      if (subjects.length === 0) continue;
      const timings = await measureInRounds(subjects, schedule);
      sections.push(sectionOf({ ...group, subjects }, timings));
      figures[group.id] = timings.map((timing) => figuresOf(timing, timings[0]!));
    }
    if (sections.length === 0) {
      throw new UsageError('--only and --subject: nothing has these texts in its name');
    }
    const missed = bench.missedHits();
    if (missed > 0) {
      sections.push({
        title: 'Not hits',
        notes: [
          `${missed} of the hits missed or failed; on a machine this busy the figures say little.`,
        ],
      });
    }
    await publish(
      {
        name: 'redis-hit',
        title: 'Hits in Redis',
        command: COMMAND,
        environment: describeEnvironment(['ioredis']),
        method:
          `redis-server ${server.version} on loopback, ${KEYS} warm keys of about 1 kB of JSON, ${rounds} interleaved ` +
          `rounds of ${schedule.turnMs} ms a subject. Throughput by the clock on the wall, and processor time of the ` +
          "client's process; speed is the throughput as a multiple of the raw client's, the median of each round's " +
          'ratio. Goal: a decorated hit at least at ' +
          '0.85 times the raw client.',
        sections,
        figures: { options: { rounds, keys: KEYS, redis: server.version }, ...figures },
      },
      options,
    );
  } finally {
    await bench.close();
    await server.stop();
  }
});

async function openBench({ port }: BenchmarkRedis): Promise<{
  readonly groups: readonly Group[];
  /** How many of what should have been hits were none. */
  missedHits(): number;
  close(): Promise<void>;
}> {
  const random = seededRandom(1);
  const users: readonly User[] = Array.from({ length: KEYS }, (_, id) => ({
    id,
    name: `User ${id}`,
    notes: random.bytes(480).toString('hex'),
  }));
  const raw = new Redis({ host: '127.0.0.1', port });
  const manager = new CacheManager({
    // On a busy machine a call may wait for long, and would then be measured as what a timeout costs.
    backend: new RedisBackend({ url: `redis://127.0.0.1:${port}`, commandTimeout: '10s' }),
  });
  const cache = manager.cache<[id: number], User>('users');

  class Users {
    @Cacheable({ cache: 'users', key: (id: number) => id, manager })
    async find(id: number): Promise<User> {
      return users[id]!;
    }

    @Cacheable({ cache: 'missing', key: (id: number) => id, ttl: MISS_TTL_MS, manager })
    async load(id: number): Promise<User> {
      return users[id % KEYS]!;
    }
  }
  const service = new Users();

  const names = users.map(({ id }) => `raw:users:${id}`);
  for (const user of users) {
    await raw.set(names[user.id]!, JSON.stringify(user));
    await service.find(user.id);
  }
  // Each store may learn from its first hits what it has to ask for.
  await Promise.all(users.map(({ id }) => service.find(id)));
  manager.resetStatistics();

  const rawGet = async (call: number): Promise<User> =>
    JSON.parse((await raw.getBuffer(names[call % KEYS]!)) as unknown as string) as User;
  const firstOf = (call: number): number => (call * BATCH) % KEYS;
  let rawMisses = 0;
  let misses = 0;
  const hits = (width: number): Group => ({
    id: width === 1 ? 'sequential' : `inFlight${width}`,
    title: width === 1 ? 'Hits, one after the other' : `Hits, ${width} in flight`,
    unit: 'hit',
    subjects: [
      inFlight('ioredis getBuffer + JSON.parse', width, rawGet),
      inFlight('cache.get', width, (call) => cache.get(call % KEYS)),
      inFlight('@Cacheable', width, (call) => service.find(call % KEYS)),
    ],
  });
  const groups: readonly Group[] = [
    hits(1),
    hits(64),
    {
      id: 'many',
      title: `${BATCH} keys in one call, one call after the other`,
      unit: 'call',
      subjects: [
        inFlight('ioredis mgetBuffer + JSON.parse', 1, async (call) => {
          const first = firstOf(call);
          const replies = await raw.mgetBuffer(...names.slice(first, first + BATCH));
          return replies.map((bytes) => JSON.parse(bytes as unknown as string) as User);
        }),
        inFlight('cache.getMany', 1, (call) => {
          const first = firstOf(call);
          return cache.getMany(users.slice(first, first + BATCH).map(({ id }) => id));
        }),
      ],
    },
    {
      id: 'miss',
      title: 'Misses that load at once and store, one after the other',
      unit: 'miss',
      subjects: [
        inFlight('ioredis get, then set, by hand', 1, async () => {
          const id = rawMisses++;
          const name = `raw:missing:${id}`;
          const bytes = await raw.getBuffer(name);
          if (bytes !== null) return JSON.parse(bytes as unknown as string) as User;
          const user = users[id % KEYS]!;
          await raw.set(name, JSON.stringify(user), 'PX', MISS_TTL_MS);
          return user;
        }),
        inFlight('@Cacheable', 1, () => service.load(misses++)),
      ],
    },
  ];
  return {
    groups,
    missedHits: () => {
      const { caches, errors } = manager.statistics();
      return caches['users']!.misses + errors;
    },
    close: async () => {
      await manager.close();
      raw.disconnect();
    },
  };
}

/** Keeps so many calls under way at any time. */
function inFlight(name: string, width: number, call: (index: number) => Promise<unknown>): Subject {
  return {
    name,
    run: async (count) => {
      let next = 0;
      const work = async (): Promise<void> => {
        while (next < count) await call(next++);
      };
      await Promise.all(Array.from({ length: width }, work));
    },
  };
}

function sectionOf({ title, unit, subjects }: Group, timings: readonly Timing[]): Section {
  const [base] = timings;
  return {
    title,
    table: {
      columns: [
        { title: 'subject', align: 'left' },
        { title: `${plural(unit)}/s` },
        { title: `µs per ${unit}` },
        { title: 'min..max' },
        { title: 'speed' },
        { title: 'CPU µs' },
        { title: 'CPU ratio' },
      ],
      rows: subjects.map(({ name }, index) => {
        const { wallNs, cpuNs } = timings[index]!;
        const wall = spreadOf(wallNs);
        return [
          name,
          Math.round(1e9 / wall.median).toLocaleString('en-US'),
          figure(wall.median / 1000),
          `${figure(wall.min / 1000)}..${figure(wall.max / 1000)}`,
          `${pairedRatio(base!.wallNs, wallNs).toFixed(2)} x`,
          figure(median(cpuNs) / 1000),
          pairedRatio(cpuNs, base!.cpuNs).toFixed(2),
        ];
      }),
    },
  };
}

function figuresOf({ name, wallNs, cpuNs }: Timing, base: Timing): object {
  return {
    name,
    perSecond: Math.round(1e9 / median(wallNs)),
    wallNs: spreadOf(wallNs),
    cpuNs: spreadOf(cpuNs),
    throughputRatio: pairedRatio(base.wallNs, wallNs),
    cpuRatio: pairedRatio(cpuNs, base.cpuNs),
    rounds: wallNs,
  };
}

function plural(unit: string): string {
  return unit.endsWith('s') ? `${unit}es` : `${unit}s`;
}
