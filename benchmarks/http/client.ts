/* The load of `http.bench.ts`, in a process of its own. */
import autocannon from 'autocannon';
import { serveTasks } from '../support/workers.js';
import { headLoad } from './head-load.js';

/** What a turn asks for. */
export interface Turn {
  readonly port: number;
  readonly method: 'GET' | 'HEAD';
  readonly headers: Readonly<Record<string, string>>;
  readonly isUnique: boolean;
  /** What stands before the number of a unique URL. @defaultValue '/items?n=' */
  readonly prefix?: string;
  readonly connections: number;
  readonly seconds: number;
  /** Ends the turn after so many requests, in place of `seconds`. */
  readonly amount?: number;
}

/** What a turn has given. */
export interface TurnResult {
  readonly requests: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly errors: number;
}

let counter = 0;

serveTasks({
  run: async (turn: Turn): Promise<TurnResult> => {
    const { port, method, headers, isUnique, connections, seconds, amount } = turn;
    const { prefix = '/items?n=' } = turn;
    if (method === 'HEAD') return headLoad(turn);
    const result = await autocannon({
      url: `http://127.0.0.1:${port}/items`,
      method,
      headers,
      connections,
      ...(amount === undefined ? { duration: seconds } : { amount }),
      ...(isUnique && {
        requests: [{ setupRequest: (request) => ({ ...request, path: `${prefix}${counter++}` }) }],
      }),
    });
    const statuses: Record<string, number> = {};
    for (const [status, { count }] of Object.entries(result.statusCodeStats ?? {})) {
      statuses[status] = count ?? 0;
    }
    return {
      requests: result.requests.total,
      seconds: result.duration,
      p50Ms: result.latency.p50,
      p99Ms: result.latency.p99,
      statuses,
      errors: result.errors,
    };
  },
});
