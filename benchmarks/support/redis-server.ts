import { spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { UsageError } from './usage.js';

const START_LIMIT_MS = 10_000;

/** A redis-server on loopback, without persistence, for one benchmark. */
export interface BenchmarkRedis {
  readonly port: number;
  /** Such as `7.0.15`. */
  readonly version: string;
  /** Stops it from running without closing anything: connections open, answers never come. */
  freeze(): void;
  thaw(): void;
  stop(): Promise<void>;
}

/**
 * Starts the server of `REDIS_SERVER_BIN`, else the one on the path, on a free port. It ends at the latest with this
 * process.
 *
 * @param directives - further ones, such as `['--maxmemory', '1gb']`
 * @param onPort - the port, for a server that comes back where another one was
 * @throws {@link UsageError} when there is none
 */
export async function startRedis(
  directives: readonly string[] = [],
  onPort?: number,
): Promise<BenchmarkRedis> {
  const port = onPort ?? (await freePort());
  const folder = mkdtempSync(join(tmpdir(), 'cachewell-bench-'));
  const child = spawn(
    findBinary(),
    [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
      ...directives,
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const end = (): void => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  };
  process.once('exit', end);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const version = await new Promise<string>((resolve, reject) => {
    let log = '';
    const fail = (why: string): void => reject(new UsageError(`redis-server ${why}:\n${log}`));
    const timer = setTimeout(() => fail('did not start in time'), START_LIMIT_MS);
    child.once('error', (error) => fail(`cannot be run (${error.message})`));
    child.once('exit', () => fail('ended at once'));
    child.stdout.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-4000);
      if (!log.includes('Ready to accept connections')) return;
      clearTimeout(timer);
      resolve(/version=([\d.]+)/i.exec(log)?.[1] ?? 'unknown');
    });
  });
  return {
    port,
    version,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    stop: async () => {
      process.off('exit', end);
      end();
      await ended;
    },
  };
}

function findBinary(): string {
  const { REDIS_SERVER_BIN = '', PATH = '' } = process.env;
  const candidates =
    REDIS_SERVER_BIN === ''
      ? PATH.split(delimiter).map((folder) => join(folder, 'redis-server'))
      : [REDIS_SERVER_BIN];
  const found = candidates.find(isExecutable);
  if (found !== undefined) return found;
  throw new UsageError(
    REDIS_SERVER_BIN === ''
      ? 'this benchmark needs redis-server: install the package redis-server (or redis), or name the binary in REDIS_SERVER_BIN'
      : `REDIS_SERVER_BIN names ${REDIS_SERVER_BIN}, which cannot be run`,
  );
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A port on loopback that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
