import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import { temporaryFolder } from './temporary-folder.js';

/** How a server of a spec differs from a plain one on loopback without persistence. */
export interface RedisServerOptions {
  readonly password?: string;
  /** Lines of an ACL file, such as `user app on >secret ~* &* +@all`. */
  readonly acl?: readonly string[];
  readonly tls?: TlsFiles;
  /** The port of the master that it replicates. */
  readonly replicaOf?: number;
  /** Further directives, such as `['--maxmemory', '1mb']`. */
  readonly args?: readonly string[];
  /** The port to listen on. @defaultValue a free one */
  readonly port?: number;
}

/** Files of a certificate authority of our own, and of a server's certificate for localhost. */
export interface TlsFiles {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

const START_LIMIT_MS = 10_000;
const running = new Set<ChildProcess>();
let binary: string | undefined;

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A real redis-server, started by a spec and killed at the latest when the process ends. */
export class RedisServer {
  readonly port: number;
  readonly #options: RedisServerOptions;
  #child: ChildProcess | undefined;

  private constructor(port: number, options: RedisServerOptions) {
    this.port = port;
    this.#options = options;
  }

  static async start(options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(options.port ?? (await freePort()), options);
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it again on the same port, empty. */
  async start(): Promise<void> {
    const { password, acl, tls, replicaOf, args = [] } = this.#options;
    const folder = temporaryFolder('redis');
    const aclFile = join(folder, 'users.acl');
    if (acl !== undefined) writeFileSync(aclFile, `${acl.join('\n')}\n`);
    const port = String(this.port);
    const child = spawn(
      redisServerBinary(),
      [
        ...['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
        ...(tls === undefined
          ? ['--port', port]
          : [
              ...['--port', '0', '--tls-port', port, '--tls-auth-clients', 'no'],
              ...['--tls-cert-file', tls.cert, '--tls-key-file', tls.key],
              ...['--tls-ca-cert-file', tls.ca],
            ]),
        ...(password === undefined ? [] : ['--requirepass', password]),
        ...(acl === undefined ? [] : ['--aclfile', aclFile]),
        ...(replicaOf === undefined ? [] : ['--replicaof', '127.0.0.1', String(replicaOf)]),
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#child = child;
    running.add(child);
    await new Promise<void>((resolve, reject) => {
      let log = '';
      const timer = setTimeout(
        () => reject(new Error(`redis-server on port ${port} did not start:\n${log}`)),
        START_LIMIT_MS,
      );
      child.stdout!.on('data', (chunk: Buffer) => {
        log = (log + chunk.toString()).slice(-10_000);
        if (!log.includes('Ready to accept connections')) return;
        clearTimeout(timer);
        resolve();
      });
      child.once('exit', () => {
        running.delete(child);
        clearTimeout(timer);
        reject(new Error(`redis-server on port ${port} ended:\n${log}`));
      });
    });
  }

  /** Kills it at once, as a crash would. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  }

  /** Stops it from running without closing anything: connections open, answers never come. */
  freeze(): void {
    this.#child!.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child!.kill('SIGCONT');
  }

  /** A client for the spec itself, with the patience that ioredis has by default. */
  client(): Redis {
    const { password, tls } = this.#options;
    return new Redis({
      host: '127.0.0.1',
      port: this.port,
      ...(password !== undefined && { password }),
      ...(tls !== undefined && { tls: { rejectUnauthorized: false } }),
    });
  }
}

/** Starts a redis-server; see {@link RedisServer.start}. */
export function startRedisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
  return RedisServer.start(options);
}

/**
 * A port on loopback that nobody listens on. It lies below those that systems give to the client's end of connections, so that none
 * of them takes it before the server does.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const isListening = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (isListening) await new Promise((resolve) => server.close(resolve));
  return isListening;
}

/** Makes an authority, and with it a certificate for `localhost` and 127.0.0.1, by the command `openssl`. */
export function makeTlsFiles(): TlsFiles {
  const folder = temporaryFolder('redis');
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { stdio: 'pipe' });
  };
  const newKey = ['-newkey', 'rsa:2048', '-nodes'];
  openssl(
    ...['req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Spec Authority'],
    ...['-keyout', path('ca.key'), '-out', path('ca.pem')],
  );
  openssl(
    ...['req', ...newKey, '-subj', '/CN=localhost'],
    ...['-keyout', path('server.key'), '-out', path('server.csr')],
  );
  writeFileSync(path('names'), 'subjectAltName=DNS:localhost,IP:127.0.0.1\n');
  openssl(
    ...['x509', '-req', '-in', path('server.csr'), '-days', '2', '-extfile', path('names')],
    ...['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial'],
    ...['-out', path('server.pem')],
  );
  return { ca: path('ca.pem'), cert: path('server.pem'), key: path('server.key') };
}

/** `REDIS_SERVER_BIN`, the one on the path, or on Debian, as root, the one of the package. */
export function redisServerBinary(): string {
  binary ??= findBinary() ?? installBinary();
  return binary;
}

function findBinary(): string | undefined {
  const named = process.env['REDIS_SERVER_BIN'];
  if (named !== undefined && named !== '') return named;
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => existsSync(path));
}

function installBinary(): string {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    execFileSync('apt-get', ['update'], { stdio: 'ignore' });
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', 'redis-server'], {
      stdio: 'ignore',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    });
    const found = findBinary();
    if (found !== undefined) return found;
  }
  throw new Error(
    'These specs need redis-server: install the package redis-server (or redis), or name the binary in REDIS_SERVER_BIN.',
  );
}
