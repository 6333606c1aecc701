/*
 * Question: how often is a cold key loaded when many callers in many processes want it at once (`sync: 'cluster'`)?
 *
 * Set-up: a redis-server of its own on loopback; 4 processes with 500 callers each, all asking for the same key, a new
 * one in each trial. Callers of one process share one fetch; the processes share the key's lease. Then the same with
 * the loading process killed at a random moment of its load: another one has to take over.
 *
 * Goals: one load in every trial; a process that waits sends 3 commands and is done at most 15 ms (p99) after the one
 * that loads; after a kill the next load starts within the lease and 200 ms.
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

const OPTIONS = {
  kills: { type: 'string', value: 'N', meaning: 'loaders to kill (20, quick: 2)' },
  processes: { type: 'string', value: 'N', meaning: 'processes (4)' },
  callers: { type: 'string', value: 'N', meaning: 'callers in each process (500)' },
  ...COMMON_OPTIONS,
  rounds: { type: 'string', value: 'N', meaning: 'cold keys (1000, quick: 100)' },
} as const;

interface Trial {
  readonly loads: number;
  readonly wrong: number;
  /** How much later than the loading process each of the others was done. */
  readonly lateMs: readonly number[];
}

await runMain(COMMAND, OPTIONS, async (options) => {
  const isQuick = options.quick === true;
  const count = (name: 'rounds' | 'kills' | 'processes' | 'callers', absent: number): number =>
    wholeNumber(name, options[name], { absent, min: name === 'kills' ? 0 : 1 });
  const trials = count('rounds', isQuick ? 100 : 1000);
  const kills = count('kills', isQuick ? 2 : 20);
  const processes = count('processes', 4);
  const callers = count('callers', 500);

  const redis = await startRedis();
  const client = new Redis(redis.port, '127.0.0.1');
  const setup: CallerSetup = { port: redis.port, prefix: 'b', lease: LEASE_MS, loadMs: LOAD_MS };
  const crowd = await startAll(processes, setup);
  await client.config('RESETSTAT');
  const results: Trial[] = [];
  for (let trial = 0; trial < trials; trial++) {
    results.push(await stampede(crowd, `key ${trial}`, callers));
  }
  const commands = (await commandsOf(client)) / trials;
  await Promise.all(crowd.map((caller) => caller.kill()));

  const slow = { ...setup, loadMs: SLOW_LOAD_MS };
  const takeoversMs = await killLoaders(kills, processes, callers, slow);
  client.disconnect();
  await redis.stop();

  const lateMs = results.flatMap((trial) => trial.lateMs).sort((a, b) => a - b);
  const loads = results.map((trial) => trial.loads);
  const figures = {
    options: { trials, kills, processes, callers, loadMs: LOAD_MS, leaseMs: LEASE_MS },
    trialsWithOneLoad: loads.filter((each) => each === 1).length,
    mostLoads: Math.max(...loads),
    wrongValues: results.reduce((sum, { wrong }) => sum + wrong, 0),
    commandsPerTrial: commands,
    // The loading process looks, asks, begins, stores, and ends its lease.
    commandsPerWaitingProcess: processes === 1 ? 0 : (commands - 5) / (processes - 1),
    waitersLateMs: { p50: percentile(lateMs, 0.5), p99: percentile(lateMs, 0.99) },
    takeoverMs: {
      median: takeoversMs.length === 0 ? 0 : median(takeoversMs),
      max: Math.max(0, ...takeoversMs),
    },
  };
  await publish(
    {
      name: 'stampede',
      title: 'Stampede on a cold key',
      command: COMMAND,
      environment: describeEnvironment(['ioredis']),
      method: `${processes} processes with ${callers} callers each; a load takes ${LOAD_MS} ms. Redis ${redis.version} on loopback.`,
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
                `${figures.trialsWithOneLoad} of ${trials}`,
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
            columns: [{ title: 'until the next load, median ms' }, { title: 'max ms' }],
            rows: [[figures.takeoverMs.median.toFixed(0), figures.takeoverMs.max.toFixed(0)]],
          },
        },
      ],
      figures,
    },
    options,
  );
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

/** The times from each kill to the begin of the next load. */
async function killLoaders(
  kills: number,
  processes: number,
  callers: number,
  setup: CallerSetup,
): Promise<readonly number[]> {
  const random = seededRandom(7);
  const timesMs: number[] = [];
  let crowd = await startAll(processes, setup);
  for (let kill = 0; kill < kills; kill++) {
    const order = { key: `killed ${kill}`, callers };
    const loading = Promise.race(crowd.map((caller) => caller.loading().then(() => caller)));
    const running = crowd.map((caller) => [caller, caller.run(order)] as const);
    const victim = await loading;
    const survivors = crowd.filter((caller) => caller !== victim);
    await new Promise((resolve) => setTimeout(resolve, random.integer(0, SLOW_LOAD_MS - 200)));
    const next = Promise.race(survivors.map((caller) => caller.loading()));
    const killedAt = performance.now();
    await victim.kill();
    await next;
    timesMs.push(performance.now() - killedAt);
    await Promise.all(running.filter(([caller]) => caller !== victim).map(([, done]) => done));
    crowd = [...survivors, await Caller.start(setup)];
  }
  await Promise.all(crowd.map((caller) => caller.kill()));
  return timesMs;
}

/** Commands that the processes sent; what scripts execute inside is not counted. */
async function commandsOf(client: Redis): Promise<number> {
  const text = await client.info('commandstats');
  return [...text.matchAll(/cmdstat_(mget|evalsha|eval):calls=(\d+)/g)].reduce(
    (sum, [, , calls]) => sum + Number(calls),
    0,
  );
}
