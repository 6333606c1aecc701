import { InvalidOptionError } from '../../errors.js';

/** Where a Redis server is, and how to log in. */
export interface RedisEndpoint {
  readonly host: string;
  readonly port: number;
  readonly db: number;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Absent: no TLS. */
  readonly tls?: RedisTlsOptions | undefined;
  /** Present: the Sentinels say where the master is, and `host` and `port` are not used. */
  readonly sentinel?: RedisSentinelOptions | undefined;
  /** Present: nodes of a Cluster, which know the others; `host`, `port` and `db` are not used. */
  readonly cluster?: readonly RedisNode[] | undefined;
}

/** Where a server listens. */
export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

/** Nodes of a Redis Cluster. */
export interface RedisClusterOptions {
  /** Some of the nodes, as `host:port`; the others are learned from them. */
  readonly nodes: readonly string[];
}

/** TLS of a connection to Redis; as in `tls.connect` of Node. */
export interface RedisTlsOptions {
  /** Certificates to trust instead of the system's, PEM. */
  readonly ca?: string | Buffer | readonly (string | Buffer)[] | undefined;
  /** The client's certificate, PEM, for servers that ask for one. */
  readonly cert?: string | Buffer | undefined;
  /** The private key of `cert`, PEM. */
  readonly key?: string | Buffer | undefined;
  readonly passphrase?: string | undefined;
  /** The name that the server's certificate must have. @defaultValue the host's name */
  readonly servername?: string | undefined;
  /** Whether a server with an untrusted certificate is refused; Node's own default is to refuse it. */
  readonly rejectUnauthorized?: boolean | undefined;
}

/** A master that Redis Sentinels watch. */
export interface RedisSentinelOptions {
  /** The name under which the Sentinels know the master. */
  readonly name: string;
  /** Some of the Sentinels; the others are learned from them. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  /** For Sentinels that ask for a login of their own. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Whether the Sentinels speak TLS too. @defaultValue false */
  readonly tls?: boolean | undefined;
}

/** The server that is used when nothing says otherwise. */
export const DEFAULT_REDIS_ENDPOINT: RedisEndpoint = Object.freeze({
  host: 'localhost',
  port: 6379,
  db: 0,
});

/** The parts that a URL can name; one that it does not name is absent. */
export type RedisUrlParts = Partial<RedisEndpoint>;

/**
 * Reads `redis://[[user]:password@]host[:port][/db]`; `rediss://` means TLS.
 *
 * @throws {@link InvalidOptionError} whose message and cause hold no part of the URL, for it may hold a password
 */
export function parseRedisUrl(option: string, text: unknown): RedisUrlParts {
  const refuse = (): never => {
    throw new InvalidOptionError(
      option,
      'expected redis://[[user]:password@]host[:port][/db], or rediss:// for TLS; the value is not shown, for it may hold a password',
    );
  };
  if (typeof text !== 'string') return refuse();
  let url: URL;
  let username: string;
  let password: string;
  try {
    url = new URL(text.trim());
    username = decodeURIComponent(url.username);
    password = decodeURIComponent(url.password);
  } catch {
    // The error of URL repeats its input, so it is not passed on.
    return refuse();
  }
  const path = /^\/?(\d{0,9})$/.exec(url.pathname);
  if ((url.protocol !== 'redis:' && url.protocol !== 'rediss:') || path === null) return refuse();
  if (url.hostname === '' || url.port === '0') return refuse();
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    ...(url.port !== '' && { port: Number(url.port) }),
    ...(path[1] !== '' && { db: Number(path[1]) }),
    ...(username !== '' && { username }),
    ...(password !== '' && { password }),
    ...(url.protocol === 'rediss:' && { tls: {} }),
  };
}

/** The endpoint as messages show it: never with a user or a password. */
export function describeEndpoint(endpoint: RedisEndpoint): string {
  const { sentinel, cluster } = endpoint;
  if (cluster !== undefined) {
    return `the Cluster of ${cluster.map(({ host, port }) => `${host}:${port}`).join(', ')}`;
  }
  if (sentinel === undefined) return `${endpoint.host}:${endpoint.port}`;
  const hosts = sentinel.hosts.map(({ host, port }) => `${host}:${port}`).join(', ');
  return `master '${sentinel.name}' of the Sentinels ${hosts}`;
}
