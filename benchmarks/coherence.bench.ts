/*
 * Question: how long after an eviction is the entry gone from the memory of another process?
 *
 * Set-up: three processes, each with a tiered backend (memory over one Redis) and a bus, on one redis-server on loopback.
 * One process after the other reads all keys: each loads a third of them, and copies the others from Redis, so that in the
 * end the memory of every process holds every key. Then together they evict 2,000 of them a second, one call each, and
 * every process notes, for the evictions of the others, the time from the call to the moment at which its own memory has
 * dropped the key, on the clock that the host's processes share. What a process hears of itself does not count.
 *
 * Goal: p99 at most 10 ms. No messages for values that were loaded and stored, or copied.
 */
import { describeEnvironment } from './support/environment.js';
import { startRedis } from './support/redis-server.js';
import { publish } from './support/report.js';
import { figure } from './support/table.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';
import { percentile } from './support/statistics.js';
import { startWorkers, type Worker } from './support/workers.js';
import type { Arrivals, KeyTime } from './distributed/coherence-node.js';

const COMMAND = 'npm run bench:coherence';
const PROCESSES = 3;
const MOST_READS = 5;
const OPTIONS = {
  rate: { type: 'string', value: 'N', meaning: 'evictions a second, all processes together' },
  seconds: { type: 'string', value: 'N', meaning: 'how long' },
  ...COMMON_OPTIONS,
} as const;

await runMain(COMMAND, OPTIONS, async (options) => {
  const rate = wholeNumber('rate', options.rate, { absent: 2000, min: PROCESSES });
  const seconds = wholeNumber('seconds', options.seconds, {
    absent: options.quick === true ? 3 : 20,
    min: 1,
  });
  const redis = await startRedis();
  const nodes = startWorkers(
    PROCESSES,
    new URL('./distributed/coherence-node.js', import.meta.url),
    [`redis://127.0.0.1:${redis.port}`],
  );
  try {
    await Promise.all(nodes.map((node) => node.run('connect')));
    const own = nodes.map((_, node) =>
      Array.from(
        { length: Math.ceil((rate * seconds) / PROCESSES) },
        (_, index) => `key-${node}-${index}`,
      ),
    );
    const all = own.flat();
    const filled = await fill(nodes, own);
    const evicted = await Promise.all(
      nodes.map((node, index) =>
        node.run<readonly KeyTime[]>('evict', {
          keys: own[index]!,
          perSecond: rate / PROCESSES,
        }),
      ),
    );
    // The last messages are under way.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const arrivals = await arrivalsOf(nodes);
    const stillHeld = await sumOf(nodes, (node) => node.run<number>('stillHeld', all));
    const delays = delaysOf(evicted.flat(), arrivals);
    const sent = all.length;
    const inMs = (share: number): number => percentile(delays, share) / 1000;
    const figures = {
      ...filled,
      evictions: sent,
      observations: delays.length,
      messages: arrivals.reduce((sum, { messages }) => sum + messages, 0),
      stillHeld,
      p50Ms: inMs(0.5),
      p90Ms: inMs(0.9),
      p99Ms: inMs(0.99),
      maxMs: inMs(1),
    };
    await publish(
      {
        name: 'coherence',
        title: 'From an eviction to the other process',
        command: COMMAND,
        environment: describeEnvironment(['ioredis']),
        method: `${PROCESSES} processes, ${rate} evictions a second for ${seconds} s, one key a call. Every process holds every key in its memory before, and reports the evictions of the others.`,
        sections: [
          {
            title: 'Milliseconds from the call to the drop',
            table: {
              columns: [
                { title: 'evictions' },
                { title: 'observed' },
                { title: 'p50' },
                { title: 'p90' },
                { title: 'p99' },
                { title: 'max' },
              ],
              rows: [
                [
                  count(sent),
                  count(delays.length),
                  figure(figures.p50Ms),
                  figure(figures.p90Ms),
                  figure(figures.p99Ms),
                  figure(figures.maxMs),
                ],
              ],
            },
            notes: [
              `Held before the first eviction: ${count(figures.held)} of ${count(sent * PROCESSES)} copies, by the memory of all processes together; behind the last one: ${count(stillHeld)}.`,
              `Messages that the processes got while ${count(figures.loads)} values were loaded and stored, and copied to the others: ${count(figures.messagesOfLoads)}; for the evictions: ${count(figures.messages)}.`,
            ],
          },
        ],
        figures,
      },
      options,
    );
    // What is wrong whatever the time is.
    if (figures.messagesOfLoads + stillHeld > 0 || delays.length === 0) process.exitCode = 1;
  } finally {
    for (const node of nodes) node.kill();
    await redis.stop();
  }
});

interface Filled {
  /** Values that were loaded, by one process each. */
  readonly loads: number;
  /** Copies in the memories of all processes. */
  readonly held: number;
  readonly messagesOfLoads: number;
}

/** Makes every process hold all keys. */
async function fill(
  nodes: readonly Worker[],
  own: readonly (readonly string[])[],
): Promise<Filled> {
  await arrivalsOf(nodes);
  const all = own.flat();
  await Promise.all(nodes.map((node, index) => node.run('readAll', own[index]!)));
  let held = 0;
  // A read that a busy machine let time out has left no copy.
  for (let attempt = 0; attempt < MOST_READS && held < all.length * nodes.length; attempt++)
    held = await sumOf(nodes, (node) => node.run<number>('readAll', all));
  const arrivals = await arrivalsOf(nodes);
  const messagesOfLoads = arrivals.reduce((sum, { messages }) => sum + messages, 0);
  return { loads: all.length, held, messagesOfLoads };
}

function arrivalsOf(nodes: readonly Worker[]): Promise<readonly Arrivals[]> {
  return Promise.all(nodes.map((node) => node.run<Arrivals>('arrivals')));
}

async function sumOf(
  nodes: readonly Worker[],
  one: (node: Worker) => Promise<number>,
): Promise<number> {
  return (await Promise.all(nodes.map(one))).reduce((sum, each) => sum + each, 0);
}

/** Microseconds from each call to each drop of its key elsewhere, sorted. */
function delaysOf(evicted: readonly KeyTime[], arrivals: readonly Arrivals[]): readonly number[] {
  const issuedAt = new Map(evicted);
  return arrivals
    .flatMap(({ drops }) => drops.map(([key, at]) => at - issuedAt.get(key)!))
    .sort((a, b) => a - b);
}

function count(number: number): string {
  return number.toLocaleString('en-US');
}
