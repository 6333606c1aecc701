import { connect } from 'node:net';
import { percentile } from '../support/statistics.js';
import type { Turn, TurnResult } from './client.js';

/** Asks by HEAD. autocannon waits for the body that the answer announces and never has. */
export async function headLoad({
  port,
  headers,
  connections,
  seconds,
  amount,
}: Turn): Promise<TurnResult> {
  const fields = Object.entries({ host: `127.0.0.1:${port}`, ...headers });
  const head = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const request = Buffer.from(`HEAD /items HTTP/1.1\r\n${head}\r\n`);
  const startedAt = performance.now();
  const endsAt = amount === undefined ? startedAt + seconds * 1000 : Infinity;
  const most = amount ?? Infinity;
  const latencies: number[] = [];
  const statuses: Record<string, number> = {};
  let errors = 0;
  const connection = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1');
      let sentAt = 0;
      let text = '';
      const send = (): void => {
        sentAt = performance.now();
        socket.write(request);
      };
      socket.setEncoding('latin1');
      socket.on('connect', send);
      socket.on('error', () => errors++);
      socket.on('close', () => resolve());
      socket.on('data', (chunk: string) => {
        text += chunk;
        if (!text.endsWith('\r\n\r\n')) return;
        const status = text.slice(9, 12);
        statuses[status] = (statuses[status] ?? 0) + 1;
        text = '';
        const now = performance.now();
        latencies.push(now - sentAt);
        if (now < endsAt && latencies.length + connections <= most) send();
        else socket.destroy();
      });
    });
  await Promise.all(Array.from({ length: connections }, connection));
  latencies.sort((a, b) => a - b);
  return {
    requests: latencies.length,
    seconds: (performance.now() - startedAt) / 1000,
    p50Ms: percentile(latencies, 0.5),
    p99Ms: percentile(latencies, 0.99),
    statuses,
    errors,
  };
}
