import { InvalidOptionError } from '../../errors.js';
import {
  describeValue,
  expectBoolean,
  expectInteger,
  expectOptions,
  expectText,
  rejectUnknown,
} from '../../options.js';
import {
  DEFAULT_REDIS_ENDPOINT,
  parseRedisUrl,
  type RedisClusterOptions,
  type RedisEndpoint,
  type RedisNode,
  type RedisSentinelOptions,
  type RedisTlsOptions,
} from './redis-endpoint.js';

/** The options that say where Redis is and how to log in. */
export interface RedisEndpointOptions {
  /** `redis://[[user]:password@]host[:port][/db]`; `rediss://` for TLS. */
  readonly url?: string | undefined;
  /** Host name or address. @defaultValue 'localhost' */
  readonly host?: string | undefined;
  /** TCP port. @defaultValue 6379 */
  readonly port?: number | undefined;
  /** Redis Sentinels to ask for the master. */
  readonly sentinel?: RedisSentinelOptions | undefined;
  /** A Redis Cluster. It has one database only. */
  readonly cluster?: RedisClusterOptions | undefined;
  /** User of the access control list; absent means Redis' user `default`. */
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Number of the database. @defaultValue 0 */
  readonly db?: number | undefined;
  /** `true` for TLS with the system's certificates, or its settings. @defaultValue false */
  readonly tls?: boolean | RedisTlsOptions | undefined;
}

/** An IPv6 address stands in brackets. */
const NODE = /^(?:\[([^\]]+)\]|([^:@/\s]+)):(\d{1,5})$/;

/**
 * The endpoint that options name; `undefined` when they name none.
 *
 * @param owner - whose options they are, for messages
 * @throws {@link InvalidOptionError} when a part is wrong, or two contradict each other
 */
export function endpointOf(
  options: RedisEndpointOptions,
  owner = 'RedisBackend',
): RedisEndpoint | undefined {
  const { url, sentinel, cluster } = options;
  if (cluster !== undefined) {
    refuseBeside(owner, options, 'cluster', ['url', 'host', 'port', 'sentinel', 'db']);
  }
  if (url !== undefined) refuseBeside(owner, options, 'url', ['host', 'port', 'sentinel']);
  if (sentinel !== undefined) refuseBeside(owner, options, 'sentinel', ['host', 'port']);
  const given = {
    host: optional(options.host, (host) => expectText(`${owner}.host`, host)),
    port: optional(options.port, (port) => expectInteger(`${owner}.port`, port, 1, 65_535)),
    db: optional(options.db, (db) => expectInteger(`${owner}.db`, db, 0, 999_999_999)),
    username: optional(options.username, (name) => expectText(`${owner}.username`, name)),
    password: optional(options.password, (password) => {
      if (typeof password === 'string' && password !== '') return password;
      throw new InvalidOptionError(`${owner}.password`, 'expected a text that is not empty');
    }),
    tls: optional(options.tls, (tls) => tlsOf(owner, tls)),
    sentinel: optional(sentinel, (given) => sentinelOf(owner, given)),
    cluster: optional(cluster, (given) => clusterOf(owner, given)),
  };
  if (url === undefined && Object.values(given).every((value) => value === undefined)) {
    return undefined;
  }
  const parts = url === undefined ? {} : parseRedisUrl(`${owner}.url`, url);
  for (const name of ['db', 'username', 'password'] as const) {
    if (given[name] === undefined || parts[name] === undefined) continue;
    if (given[name] === parts[name]) continue;
    throw new InvalidOptionError(`${owner}.${name}`, 'contradicts the url, which says otherwise');
  }
  if (parts.tls !== undefined && options.tls === false) {
    throw new InvalidOptionError(`${owner}.tls`, "is false, which contradicts the url's rediss://");
  }
  const chosen = Object.entries(given).filter(([, value]) => value !== undefined);
  return Object.freeze({ ...DEFAULT_REDIS_ENDPOINT, ...parts, ...Object.fromEntries(chosen) });
}

function optional<Value, Result>(
  value: Value | undefined,
  check: (value: Value) => Result,
): Result | undefined {
  return value === undefined ? undefined : check(value);
}

function refuseBeside(
  owner: string,
  options: RedisEndpointOptions,
  chosen: string,
  others: readonly (keyof RedisEndpointOptions)[],
): void {
  for (const name of others) {
    if (options[name] === undefined) continue;
    throw new InvalidOptionError(`${owner}.${name}`, `contradicts ${chosen}; give one of them`);
  }
}

function tlsOf(owner: string, tls: boolean | RedisTlsOptions): RedisTlsOptions | undefined {
  if (typeof tls === 'boolean') return tls ? {} : undefined;
  const option = `${owner}.tls`;
  expectOptions(option, tls);
  rejectUnknown(option, tls, [
    'ca',
    'cert',
    'key',
    'passphrase',
    'servername',
    'rejectUnauthorized',
  ]);
  if (tls.rejectUnauthorized !== undefined) {
    expectBoolean(`${option}.rejectUnauthorized`, tls.rejectUnauthorized);
  }
  return tls;
}

function clusterOf(owner: string, cluster: RedisClusterOptions): readonly RedisNode[] {
  const option = `${owner}.cluster`;
  expectOptions(option, cluster);
  rejectUnknown(option, cluster, ['nodes']);
  if (!Array.isArray(cluster.nodes) || cluster.nodes.length === 0) {
    throw new InvalidOptionError(`${option}.nodes`, "expected at least one 'host:port'");
  }
  return cluster.nodes.map((node: unknown, index) => {
    const match = typeof node === 'string' ? NODE.exec(node) : null;
    const port = Number(match?.[3]);
    if (match !== null && port >= 1 && port <= 65_535)
      return { host: (match[1] ?? match[2])!, port };
    throw new InvalidOptionError(
      `${option}.nodes[${index}]`,
      `expected 'host:port', got ${describeValue(node)}`,
    );
  });
}

function sentinelOf(owner: string, sentinel: RedisSentinelOptions): RedisSentinelOptions {
  const option = `${owner}.sentinel`;
  expectOptions(option, sentinel);
  rejectUnknown(option, sentinel, ['name', 'hosts', 'username', 'password', 'tls']);
  expectText(`${option}.name`, sentinel.name);
  if (!Array.isArray(sentinel.hosts) || sentinel.hosts.length === 0) {
    throw new InvalidOptionError(`${option}.hosts`, 'expected at least one { host, port }');
  }
  sentinel.hosts.forEach(({ host, port }, index) => {
    expectText(`${option}.hosts[${index}].host`, host);
    expectInteger(`${option}.hosts[${index}].port`, port, 1, 65_535);
  });
  return sentinel;
}
