import { spawn, type ChildProcess } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createServer, connect, type AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A Redis for the demo: the one of `REDIS_URL`, or a private one that ends with the demo. */
export interface DemoRedis {
  readonly url: string;
  readonly origin: string;
  stop(): Promise<void>;
}

/** Finds a Redis; `undefined` when there is none. */
export async function findRedis(): Promise<DemoRedis | undefined> {
  const { REDIS_URL } = process.env;
  if (REDIS_URL !== undefined && REDIS_URL !== '') {
    return { url: REDIS_URL, origin: 'REDIS_URL', stop: async () => undefined };
  }
  const binary = findBinary();
  if (binary === undefined) return undefined;
  const port = await freePort();
  const child = spawn(
    binary,
    ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    {
      stdio: 'ignore',
    },
  );
  await untilListening(port, child);
  return {
    url: `redis://127.0.0.1:${port}`,
    origin: 'a local redis-server',
    stop: () => stopChild(child),
  };
}

function findBinary(): string | undefined {
  const { REDIS_SERVER_BIN, PATH = '' } = process.env;
  const candidates = [
    ...(REDIS_SERVER_BIN === undefined ? [] : [REDIS_SERVER_BIN]),
    ...PATH.split(delimiter).map((folder) => join(folder, 'redis-server')),
  ];
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200 && child.exitCode === null; attempt++) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (isOpen) return;
    await delay(25);
  }
  throw new Error('redis-server was found but did not start');
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
