/*
 * Question: how often is a cold key loaded when many callers in many processes want it at once (`sync: 'cluster'`)?
 *
 * Set-up: a redis-server of its own on loopback; 4 processes with 500 callers of `cache.getOrSet` each, all asking for the
 * same key, a new one in each trial; in Redis alone, and with `--tiered` in memory over Redis. Then the same with one caller
 * in each process, while the server tells every command (MONITOR). Then with the loading process killed at a random moment of
 * its load: another one has to take over.
 *
 * Goals: one load in every trial; a process that waits sends 3 commands and is done at most 15 ms (p99) after the one
 * that loads; after a kill exactly one further load, which starts within the lease and 200 ms, and right values for all.
 * Another number of loads, or a wrong value, is a failure: the program says so and ends with 1.
 */
import { Redis } from 'ioredis';
import { Caller } from './stampede/caller.js';
import type { CallerSetup } from './stampede/caller-messages.js';
import { describeEnvironment } from './support/environment.js';
import { seededRandom } from './support/random.js';
import { startRedis } from './support/redis-server.js';
import { publish } from './support/report.js';
import { median, percentile } from './support/statistics.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';

const COMMAND = 'npm run bench:stampede';
const LOAD_MS = 20;
const SLOW_LOAD_MS = 1000;
const LEASE_MS = 2000;
/** Cold keys with one caller in each process, for the count of commands. */
const COUNTED_TRIALS = 50;
const COUNTED: ReadonlySet<string> = new Set(['get', 'mget', 'pttl', 'evalsha', 'eval']);

const OPTIONS = {
  kills: { type: 'string', value: 'N', meaning: 'loaders to kill (20, quick: 2)' },
  processes: { type: 'string', value: 'N', meaning: 'processes (4)' },
  callers: { type: 'string', value: 'N', meaning: 'callers in each process (500)' },
  tiered: { type: 'boolean', meaning: 'memory over Redis in each process' },
  ...COMMON_OPTIONS,
  rounds: { type: 'string', value: 'N', meaning: 'cold keys (1000, quick: 100)' },
} as const;

interface Trial {
  readonly loads: number;
  readonly wrong: number;
  /** How much later than the loading process each of the others was done. */
  readonly lateMs: readonly number[];
}

/** What became of a loader that was killed. */
interface Takeover {
  /** From the kill to the begin of the next load, in milliseconds; `undefined` when there was none. */
  readonly afterMs: number | undefined;
  readonly furtherLoads: number;
  readonly wrong: number;
}

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const isTiered = options.tiered === true;
  const count = (name: 'rounds' | 'kills' | 'processes' | 'callers', absent: number): number =>
    wholeNumber(name, options[name], { absent, min: name === 'kills' ? 0 : 1 });
  const trials = count('rounds', isQuick ? 100 : 1000);
  const kills = count('kills', isQuick ? 2 : 20);
  const processes = count('processes', 4);
  const callers = count('callers', 500);

  const redis = await startRedis();
  const client = new Redis(redis.port, '127.0.0.1');
  const shared = { port: redis.port, prefix: 'b', lease: LEASE_MS, isTiered };
  const crowd = await startAll(processes, { ...shared, loadMs: LOAD_MS });
  const results: Trial[] = [];
  for (let trial = 0; trial < trials; trial++) {
    results.push(await stampede(crowd, `key ${trial}`, callers));
  }
  const commands = await countCommands(client, async () => {
    for (let trial = 0; trial < COUNTED_TRIALS; trial++) {
      results.push(await stampede(crowd, `counted ${trial}`, 1));
    }
  });
  await Promise.all(crowd.map((caller) => caller.kill()));

  const slow = { ...shared, loadMs: SLOW_LOAD_MS };
  const takeovers = await killLoaders(kills, processes, callers, slow);
  client.disconnect();
  await redis.stop();

  const lateMs = results
    .slice(0, trials)
    .flatMap((trial) => trial.lateMs)
    .sort((a, b) => a - b);
  const loads = results.map((trial) => trial.loads);
  const takeoversMs = takeovers.flatMap(({ afterMs }) => (afterMs === undefined ? [] : [afterMs]));
  const figures = {
    options: { trials, kills, processes, callers, isTiered, loadMs: LOAD_MS, leaseMs: LEASE_MS },
    trialsWithOneLoad: loads.filter((each) => each === 1).length,
    mostLoads: Math.max(...loads),
    wrongValues: [...results, ...takeovers].reduce((sum, { wrong }) => sum + wrong, 0),
    // The loading process looks, asks, begins, stores, and ends its lease.
    commandsPerWaitingProcess:
      processes === 1 ? 0 : (commands / COUNTED_TRIALS - 5) / (processes - 1),
    waitersLateMs: { p50: percentile(lateMs, 0.5), p99: percentile(lateMs, 0.99) },
    killsWithOneFurtherLoad: takeovers.filter(({ furtherLoads }) => furtherLoads === 1).length,
    takeoverMs: {
      median: takeoversMs.length === 0 ? 0 : median(takeoversMs),
      max: Math.max(0, ...takeoversMs),
    },
  };
  await publish(
    {
      name: isTiered ? 'stampede-tiered' : 'stampede',
      title: isTiered ? 'Stampede on a cold key, in two tiers' : 'Stampede on a cold key',
      command: isTiered ? `${COMMAND} -- --tiered` : COMMAND,
      environment: describeEnvironment(['ioredis']),
      method: `${processes} processes with ${callers} callers of getOrSet each; a load takes ${LOAD_MS} ms. ${isTiered ? 'Memory over Redis' : 'Redis'} ${redis.version} on loopback. Commands: of ${COUNTED_TRIALS} further keys, with one caller in each process.`,
      sections: [
        {
          title: `${trials} cold keys`,
          table: {
            columns: [
              { title: 'trials with one load' },
              { title: 'most loads' },
              { title: 'wrong values' },
              { title: 'commands of a waiting process' },
              { title: 'later than the loader, p50 ms' },
              { title: 'p99 ms' },
            ],
            rows: [
              [
                `${figures.trialsWithOneLoad} of ${results.length}`,
                String(figures.mostLoads),
                String(figures.wrongValues),
                figures.commandsPerWaitingProcess.toFixed(2),
                figures.waitersLateMs.p50.toFixed(1),
                figures.waitersLateMs.p99.toFixed(1),
              ],
            ],
          },
        },
        {
          title: `${kills} loaders killed during a load of ${SLOW_LOAD_MS} ms, with a lease of ${LEASE_MS} ms`,
          table: {
            columns: [
              { title: 'with one further load' },
              { title: 'until the next load, median ms' },
              { title: 'max ms' },
            ],
            rows: [
              [
                `${figures.killsWithOneFurtherLoad} of ${kills}`,
                figures.takeoverMs.median.toFixed(0),
                figures.takeoverMs.max.toFixed(0),
              ],
            ],
          },
        },
      ],
      figures,
    },
    options,
  );
  const isRight =
    figures.trialsWithOneLoad === results.length &&
    figures.killsWithOneFurtherLoad === kills &&
    figures.wrongValues === 0;
  if (!isRight) {
    console.error('FAILED: not one load for each cold key and each kill, or wrong values.');
    process.exitCode = 1;
  }
});

function startAll(processes: number, setup: CallerSetup): Promise<Caller[]> {
  return Promise.all(Array.from({ length: processes }, () => Caller.start(setup)));
}

async function stampede(crowd: readonly Caller[], key: string, callers: number): Promise<Trial> {
  const done = await Promise.all(crowd.map((caller) => caller.run({ key, callers })));
  const loader = done.find(({ loads }) => loads > 0);
  return {
    loads: done.reduce((sum, { loads }) => sum + loads, 0),
    wrong: done.reduce((sum, { wrong }) => sum + wrong, 0),
    lateMs: done
      .filter((each) => each !== loader)
      .map(({ tookMs }) => Math.max(0, tookMs - (loader?.tookMs ?? 0))),
  };
}

/** Kills the loading process, again and again, and tells what the others make of it. */
async function killLoaders(
  kills: number,
  processes: number,
  callers: number,
  setup: CallerSetup,
): Promise<readonly Takeover[]> {
  const random = seededRandom(7);
  const takeovers: Takeover[] = [];
  let crowd = await startAll(processes, setup);
  for (let attempt = 0; takeovers.length < kills; attempt++) {
    const order = { key: `killed ${attempt}`, callers };
    const loading = Promise.race(crowd.map((caller) => caller.loading().then(() => caller)));
    const running = crowd.map((caller) => [caller, caller.run(order)] as const);
    const victim = await loading;
    const survivors = crowd.filter((caller) => caller !== victim);
    await new Promise((resolve) => setTimeout(resolve, random.integer(0, SLOW_LOAD_MS - 200)));
    let nextAt: number | undefined;
    for (const survivor of survivors) {
      void survivor.loading().then(() => (nextAt ??= performance.now()));
    }
    const killedAt = performance.now();
    await victim.kill();
    const done = await Promise.all(
      running.filter(([caller]) => caller !== victim).map(([, each]) => each),
    );
    const furtherLoads = done.reduce((sum, { loads }) => sum + loads, 0);
    const wrong = done.reduce((sum, { wrong: each }) => sum + each, 0);
    // On a busy machine the kill may come when the value was stored already.
    const wasTooLate = furtherLoads === 0 && wrong === 0;
    const afterMs = nextAt === undefined ? undefined : nextAt - killedAt;
    if (!wasTooLate) takeovers.push({ afterMs, furtherLoads, wrong });
    crowd = [...survivors, await Caller.start(setup)];
  }
  await Promise.all(crowd.map((caller) => caller.kill()));
  return takeovers;
}

/** Commands that the processes send meanwhile; neither what scripts execute inside, nor questions for a sign of life. */
async function countCommands(client: Redis, body: () => Promise<void>): Promise<number> {
  const monitor = await client.monitor();
  let commands = 0;
  let isOver = false;
  const END = 'end of the count';
  const ended = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, [name = '', text]: string[], source: string) => {
      if (text === END) resolve();
      if (!isOver && source !== 'lua' && COUNTED.has(name.toLowerCase())) commands++;
    });
  });
  await body();
  // The last holder ends its lease behind its answer.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await client.echo(END);
  await ended;
  isOver = true;
  monitor.disconnect();
  return commands;
}
