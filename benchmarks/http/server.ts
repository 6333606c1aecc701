/* One subject of `http.bench.ts`: serves it in a process of its own and says what that has cost. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serveTasks } from '../support/workers.js';
import { SUBJECTS } from './subjects.js';

/** Processor time of all threads so far, and memory, of a server's process. */
export interface ServerUsage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}

const [name] = process.argv.slice(2);

serveTasks({
  start: async () => {
    const server = createServer(SUBJECTS[name!]!.listener());
    // A stalled client is no reason to close its connections.
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  },
  usage: async (): Promise<ServerUsage> => {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    return { cpuMs: (user + system) / 1000, rssBytes: rss, heapBytes: heapUsed };
  },
});
