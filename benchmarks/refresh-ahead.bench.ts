/*
 * Question: does a hot key ever make its callers wait for a load, and what does that cost in loads?
 *
 * Set-up: three processes call one key at 1,000 calls a second together, on one redis-server on loopback. An entry lives for
 * 1 s, its load takes 100 ms, and refreshes are decided by XFetch. With the lease (`sync: 'cluster'`) and without, on Redis alone
 * and with a tier of memory. Counting begins after two lifetimes. A lifetime is the time from one store to the next one.
 *
 * Goal: no caller waits, and at most 1.2 loads per lifetime with the lease.
 */
import { describeEnvironment } from './support/environment.js';
import { startRedis } from './support/redis-server.js';
import { publish } from './support/report.js';
import { figure } from './support/table.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';
import { startWorkers } from './support/workers.js';

const COMMAND = 'npm run bench:refresh';
const PROCESSES = 3;
const TTL_MS = 1000;
const LOAD_MS = 100;
const OPTIONS = {
  rate: { type: 'string', value: 'N', meaning: 'calls a second, all processes together' },
  lifetimes: { type: 'string', value: 'N', meaning: 'lifetimes of an entry that are counted' },
  ...COMMON_OPTIONS,
} as const;

interface Counted {
  readonly calls: number;
  readonly loads: readonly (readonly [begin: number, end: number])[];
  readonly misses: number;
}

await runMain(COMMAND, OPTIONS, async (options) => {
  const rate = wholeNumber('rate', options.rate, { absent: 1000, min: PROCESSES });
  const lifetimes = wholeNumber('lifetimes', options.lifetimes, {
    absent: options.quick === true ? 10 : 100,
    min: 3,
  });
  const redis = await startRedis();
  const nodes = startWorkers(PROCESSES, new URL('./distributed/refresh-node.js', import.meta.url), [
    `redis://127.0.0.1:${redis.port}`,
  ]);
  try {
    const rows: {
      name: string;
      calls: number;
      misses: number;
      loads: number;
      lifetimes: number;
    }[] = [];
    for (const isTiered of [false, true]) {
      for (const sync of ['cluster', 'local'] as const) {
        const input = {
          ttlMs: TTL_MS,
          loadMs: LOAD_MS,
          perSecond: rate / PROCESSES,
          seconds: ((lifetimes + 2) * TTL_MS) / 1000,
          sync,
          isTiered,
        };
        const counted = await Promise.all(nodes.map((node) => node.run<Counted>('run', input)));
        const sum = (of: (each: Counted) => number): number =>
          counted.reduce((total, each) => total + of(each), 0);
        rows.push({
          name: `${isTiered ? 'tiered' : 'Redis'}, sync '${sync}'`,
          calls: sum(({ calls }) => calls),
          misses: sum(({ misses }) => misses),
          loads: sum(({ loads }) => loads.length),
          lifetimes: countLifetimes(counted.flatMap(({ loads }) => loads)),
        });
      }
    }
    await publish(
      {
        name: 'refresh-ahead',
        title: 'A hot key, refreshed ahead of its expiry',
        command: COMMAND,
        environment: describeEnvironment(['ioredis']),
        method: `${PROCESSES} processes, ${rate} calls a second, ttl ${TTL_MS} ms, loads of ${LOAD_MS} ms, ${lifetimes} s counted.`,
        sections: [
          {
            title: 'What callers and the origin saw',
            table: {
              columns: [
                { title: 'subject', align: 'left' },
                { title: 'calls' },
                { title: 'misses' },
                { title: 'loads' },
                { title: 'lifetimes' },
                { title: 'loads per lifetime' },
              ],
              rows: rows.map(({ name, calls, misses, loads, lifetimes: lived }) => [
                name,
                calls.toLocaleString('en-US'),
                misses.toLocaleString('en-US'),
                loads.toLocaleString('en-US'),
                lived.toLocaleString('en-US'),
                figure(loads / lived),
              ]),
            },
          },
        ],
        figures: { rows },
      },
      options,
    );
  } finally {
    for (const node of nodes) node.kill();
    await redis.stop();
  }
});

/** Loads that overlap belong to one lifetime's end: one of them would have been enough. */
function countLifetimes(loads: readonly (readonly [begin: number, end: number])[]): number {
  let count = 0;
  let endsAt = -Infinity;
  for (const [begin, end] of [...loads].sort(([a], [b]) => a - b)) {
    if (begin < endsAt) continue;
    count++;
    endsAt = end;
  }
  return count;
}
