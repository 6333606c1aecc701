/*
 * Question: how long after an eviction is the entry gone from the memory of another process?
 *
 * Set-up: three processes, each with a tiered backend (memory over one Redis) and a bus, on one redis-server on loopback.
 * Together they evict 2,000 keys a second, one call each. Every process notes, for the evictions of the others, the
 * time from the call to the moment at which its own tier has dropped the key, on the clock that the host's processes share.
 *
 * Goal: p99 at most 10 ms. No messages for values that were loaded and stored.
 */
import { describeEnvironment } from './support/environment.js';
import { startRedis } from './support/redis-server.js';
import { publish } from './support/report.js';
import { figure } from './support/table.js';
import { COMMON_OPTIONS, runMain, wholeNumber } from './support/usage.js';
import { percentile } from './support/statistics.js';
import { startWorkers } from './support/workers.js';

const COMMAND = 'npm run bench:coherence';
const PROCESSES = 3;
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
    const evictions = await Promise.all(
      nodes.map((node) => node.run<number>('evict', { perSecond: rate / PROCESSES, seconds })),
    );
    const delays = (await Promise.all(nodes.map((node) => node.run<number[]>('delays'))))
      .flat()
      .sort((a, b) => a - b);
    const sent = evictions.reduce((sum, each) => sum + each, 0);
    const inMs = (share: number): number => percentile(delays, share) / 1000;
    const figures = {
      evictions: sent,
      observations: delays.length,
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
        method: `${PROCESSES} processes, ${rate} evictions a second for ${seconds} s, one key a call. Every process sees its own messages, too: their way through Redis is as long.`,
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
                  sent.toLocaleString('en-US'),
                  delays.length.toLocaleString('en-US'),
                  figure(figures.p50Ms),
                  figure(figures.p90Ms),
                  figure(figures.p99Ms),
                  figure(figures.maxMs),
                ],
              ],
            },
          },
        ],
        figures,
      },
      options,
    );
  } finally {
    for (const node of nodes) node.kill();
    await redis.stop();
  }
});
