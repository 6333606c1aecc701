import { request, type IncomingHttpHeaders } from 'node:http';
import { startWorkers, type Worker } from '../support/workers.js';
import type { Turn, TurnResult } from './client.js';
import type { ServerUsage } from './server.js';
import { SUBJECTS, type HttpSubject } from './subjects.js';

/** How subjects are asked. */
export interface LoadOptions {
  readonly rounds: number;
  /** How often each subject is asked before the rounds. */
  readonly warmRequests: number;
  readonly seconds: number;
  readonly connections: number;
}

/** Requests at the beginning of each turn that do not count. */
const LEAD_IN = 5_000;

/** What the rounds gave. */
export interface HttpTiming {
  readonly name: string;
  /** Processor time of the server per request, in microseconds. */
  readonly cpuUs: readonly number[];
  readonly perSecond: readonly number[];
  readonly p50Ms: readonly number[];
  readonly p99Ms: readonly number[];
}

interface Running {
  readonly name: string;
  readonly subject: HttpSubject;
  readonly server: Worker;
  readonly port: number;
  readonly timing: {
    readonly name: string;
    readonly cpuUs: number[];
    readonly perSecond: number[];
    readonly p50Ms: number[];
    readonly p99Ms: number[];
  };
}

/** Measures subjects in turns: each round begins with another one. */
export async function measureHttp(
  names: readonly string[],
  { rounds, warmRequests, seconds, connections }: LoadOptions,
): Promise<readonly HttpTiming[]> {
  const [client] = startWorkers(1, new URL('./client.js', import.meta.url), []);
  const subjects: Running[] = [];
  try {
    for (const name of names) {
      const running = await start(name);
      subjects.push(running);
      // By number: what counts is that the compiler has seen them.
      await ask(running, client!, { seconds, connections, amount: warmRequests }, false);
    }
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < subjects.length; turn++) {
        const running = subjects[(turn + round) % subjects.length]!;
        // While the others had their turns V8 has made the young generation small, and it takes a while to grow again.
        await ask(running, client!, { seconds, connections, amount: LEAD_IN }, false);
        await ask(running, client!, { seconds, connections }, true);
      }
    }
  } finally {
    client!.kill();
    for (const { server } of subjects) server.kill();
  }
  return subjects.map(({ timing }) => timing);
}

async function start(name: string): Promise<Running> {
  const subject = SUBJECTS[name]!;
  const [server] = startWorkers(1, new URL('./server.js', import.meta.url), [name]);
  const port = await server!.run<number>('start');
  const timing = { name, cpuUs: [], perSecond: [], p50Ms: [], p99Ms: [] };
  const running = { name, subject, server: server!, port, timing };
  await warm(running);
  return running;
}

async function ask(
  { name, subject, server, port, timing }: Running,
  client: Worker,
  load: Pick<Turn, 'seconds' | 'connections' | 'amount'>,
  counts: boolean,
): Promise<void> {
  const turn: Turn = {
    ...load,
    port,
    method: subject.method ?? 'GET',
    headers: subject.headers ?? {},
    isUnique: subject.isUnique ?? false,
  };
  const before = await server.run<ServerUsage>('usage');
  const result = await client.run<TurnResult>('run', turn);
  const after = await server.run<ServerUsage>('usage');
  const right = result.statuses[String(subject.status ?? 200)] ?? 0;
  if (result.errors > 0 || right === 0 || right < result.requests) {
    throw new RangeError(`${name} was answered wrongly: ${JSON.stringify(result)}`);
  }
  if (!counts) return;
  timing.cpuUs.push(((after.cpuMs - before.cpuMs) * 1000) / result.requests);
  timing.perSecond.push(result.requests / result.seconds);
  timing.p50Ms.push(result.p50Ms);
  timing.p99Ms.push(result.p99Ms);
}

/** A subject that does not do what its name says would be measured as something else. */
async function warm({ name, subject, port }: Running): Promise<void> {
  const { method = 'GET', headers, status = 200, cache, isFront, field, isUnique } = subject;
  // A miss, what teaches the front, and what it has learned.
  let answer = await fetchOnce(
    port,
    isUnique === true ? '/items?warm=0' : '/items',
    method,
    headers,
  );
  if (method === 'HEAD') await fetchOnce(port, '/items', 'GET', {});
  for (let time = 1; time < 4; time++) {
    const path = isUnique === true ? `/items?warm=${time}` : '/items';
    answer = await fetchOnce(port, path, method, headers);
  }
  const isRight =
    answer.status === status &&
    (cache === undefined || answer.headers['x-cache'] === cache) &&
    // Express says so itself.
    (isFront !== true || answer.headers['x-powered-by'] === undefined) &&
    (field === undefined || answer.headers[field] !== undefined);
  if (!isRight) throw new RangeError(`${name} answers ${JSON.stringify(answer)}`);
}

function fetchOnce(
  port: number,
  path: string,
  method: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', path, method, headers, agent: false }, (res) => {
      res.resume();
      res.on('end', () => resolve({ status: res.statusCode!, headers: res.headers }));
    })
      .on('error', reject)
      .end();
  });
}
