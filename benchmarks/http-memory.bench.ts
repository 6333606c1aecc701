/*
 * Question: how much memory do cached responses take, and does it stay within bounds whatever is asked for?
 *
 * Set-up: one server in a process of its own with the default bounds of the memory backend, a fast lane in front and
 * bodies of 5 kB, each URL another one. First 10,000 of them, the number of entries that is kept; then as many more as
 * there is time for, with ten looks at what the process holds after a collection.
 *
 * Goals: 10,000 responses in less than 100 MB; what is held does not grow with the URLs that were asked for.
 */
import type { Turn, TurnResult } from './http/client.js';
import type { MemoryUsage } from './http/memory-server.js';
import { describeEnvironment } from './support/environment.js';
import { publish } from './support/report.js';
import { COMMON_OPTIONS, runMain, UsageError, wholeNumber } from './support/usage.js';
import { startWorkers, type Worker } from './support/workers.js';

const COMMAND = 'npm run bench:http-memory';
const { rounds: _, ...common } = COMMON_OPTIONS;
const OPTIONS = {
  minutes: { type: 'string', value: 'N', meaning: 'how long unique URLs are asked for' },
  entries: { type: 'string', value: 'N', meaning: 'how many responses are stored at first' },
  bytes: { type: 'string', value: 'N', meaning: 'the size of a body' },
  ...common,
} as const;
const LOOKS = 10;
const MB = 1e6;

await runMain(COMMAND, OPTIONS, async (options) => {
  const seconds = secondsOf(options.minutes) ?? (options.quick === true ? 10 : 60);
  const entries = wholeNumber('entries', options.entries, { absent: 10_000, min: 1, max: 10_000 });
  const bytes = wholeNumber('bytes', options.bytes, { absent: 5_000, min: 1 });
  const [client] = startWorkers(1, new URL('./http/client.js', import.meta.url), []);
  const [server] = startWorkers(1, new URL('./http/memory-server.js', import.meta.url), [
    String(bytes),
  ]);
  try {
    const port = await server!.run<number>('start');
    const ask = (load: Pick<Turn, 'seconds' | 'amount'>): Promise<number> =>
      askUnique(client!, port, load);
    await ask({ seconds: 0, amount: 100 });
    const empty = await server!.run<MemoryUsage>('usage');
    await ask({ seconds: 0, amount: entries - 100 });
    const full = await server!.run<MemoryUsage>('usage');
    const looks: (MemoryUsage & { readonly requests: number })[] = [];
    let requests = entries;
    for (let look = 0; look < LOOKS; look++) {
      requests += await ask({ seconds: seconds / LOOKS });
      looks.push({ requests, ...(await server!.run<MemoryUsage>('usage')) });
    }
    const grownBytes = full.heldBytes - empty.heldBytes;
    const growth = growthOf(looks.map(({ heldBytes }) => heldBytes));
    const rssGrowth = growthOf(looks.map(({ rssBytes }) => rssBytes));
    await publish(
      {
        name: 'http-memory',
        title: 'Memory of cached responses',
        page: 'docs/PERFORMANCE.md',
        command:
          options.minutes === undefined ? COMMAND : `${COMMAND} -- --minutes ${options.minutes}`,
        environment: describeEnvironment(['express', 'autocannon']),
        method: `Bodies of ${bytes} bytes, each URL another one, ${seconds} s of unique URLs. Held = heap and buffers after a collection.`,
        sections: [
          {
            title: 'Stored responses',
            table: {
              columns: [
                { title: 'responses' },
                { title: 'held MB' },
                { title: 'bytes each' },
                { title: 'RSS MB' },
              ],
              rows: [
                [
                  full.entries.toLocaleString('en'),
                  (grownBytes / MB).toFixed(1),
                  Math.round(grownBytes / (full.entries - empty.entries)).toLocaleString('en'),
                  (full.rssBytes / MB).toFixed(0),
                ],
              ],
            },
          },
          {
            title: 'Unique URLs',
            table: {
              columns: [
                { title: 'requests' },
                { title: 'entries' },
                { title: 'held MB' },
                { title: 'RSS MB' },
              ],
              rows: looks.map((look) => [
                look.requests.toLocaleString('en'),
                look.entries.toLocaleString('en'),
                (look.heldBytes / MB).toFixed(1),
                (look.rssBytes / MB).toFixed(0),
              ]),
            },
            notes: [
              `Most held in the second half beside most held in the first: ${growth.toFixed(3)}. The same of RSS: ${rssGrowth.toFixed(3)}.`,
            ],
          },
        ],
        figures: { options: { seconds, entries, bytes }, empty, full, looks, growth, rssGrowth },
      },
      options,
    );
  } finally {
    client!.kill();
    server!.kill();
  }
});

function secondsOf(text: string | boolean | undefined): number | undefined {
  if (text === undefined) return undefined;
  const minutes = Number(text);
  if (minutes > 0 && minutes <= 600) return minutes * 60;
  throw new UsageError(
    `--minutes: expected a number above 0 and at most 600, got '${String(text)}'`,
  );
}

async function askUnique(
  client: Worker,
  port: number,
  load: Pick<Turn, 'seconds' | 'amount'>,
): Promise<number> {
  const { requests, statuses, errors } = await client.run<TurnResult>('run', {
    port,
    method: 'GET',
    headers: {},
    isUnique: true,
    prefix: '/items/',
    connections: 50,
    ...load,
  } satisfies Turn);
  if (errors > 0 || statuses['200'] === undefined) {
    throw new RangeError(`The server answered wrongly: ${JSON.stringify(statuses)}`);
  }
  return requests;
}

/** The most in the second half of the looks, as a multiple of the most in the first. */
function growthOf(bytes: readonly number[]): number {
  return Math.max(...bytes.slice(LOOKS / 2)) / Math.max(...bytes.slice(0, LOOKS / 2));
}
