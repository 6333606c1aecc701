import { inspect } from 'node:util';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { InvalidOptionError } from '#internal/errors.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import {
  resolveRedisBackendOptions,
  type RedisBackendOptions,
} from '#internal/backends/redis/redis-options.js';

const client = (overrides: object = {}): RedisLike =>
  ({ callBuffer: () => undefined, options: {}, ...overrides }) as unknown as RedisLike;
const SECRET = 'open-sesame-42';

describe(resolveRedisBackendOptions.name, () => {
  it('leaves open what options do not say', () => {
    expect(resolveRedisBackendOptions({})).to.deep.equal({
      client: undefined,
      endpoint: undefined,
      prefix: 'cache',
      commandTimeoutMs: undefined,
      connectTimeoutMs: undefined,
      socketTimeoutMs: undefined,
      keepAliveMs: undefined,
      healthCheckIntervalMs: undefined,
      maxConnections: undefined,
      connect: 'lazy',
      fillTimeoutMs: 60_000,
      leaseMs: 2000,
      maxPayloadBytes: 16_777_216,
      wait: undefined,
    });
    const wait = { replicas: 2 };
    expect(resolveRedisBackendOptions({ wait }).wait).to.deep.equal({
      replicas: 2,
      timeoutMs: 100,
    });
  });

  it('reads the parts of a URL, and takes from options what it leaves open', () => {
    const options = {
      url: 'rediss://me:p%40ss@redis.example:7000/3',
      commandTimeout: '1s',
    } as const;
    const { endpoint, commandTimeoutMs } = resolveRedisBackendOptions(options);
    expect(endpoint).to.deep.equal({
      host: 'redis.example',
      port: 7000,
      db: 3,
      username: 'me',
      password: 'p@ss',
      tls: {},
    });
    expect(commandTimeoutMs).to.equal(1000);
    const byOptions = { url: 'redis://[::1]', password: 'p', db: 2, tls: { ca: 'pem' } };
    expect(resolveRedisBackendOptions(byOptions).endpoint).to.deep.equal({
      host: '::1',
      port: 6379,
      db: 2,
      password: 'p',
      tls: { ca: 'pem' },
    });
  });

  it('keeps the master of Sentinels', () => {
    const sentinel = { name: 'main', hosts: [{ host: 'a', port: 26379 }] };
    expect(resolveRedisBackendOptions({ sentinel }).endpoint?.sentinel).to.deep.equal(sentinel);
  });

  const WRONG: readonly (readonly [unknown, string])[] = [
    [null, 'RedisBackend'],
    [{ uri: 'redis://x' }, 'RedisBackend.uri'],
    [{ url: 'http://x' }, 'RedisBackend.url'],
    [{ url: `redis://:${SECRET}@` }, 'RedisBackend.url'],
    [{ url: `redis://:${SECRET}@host/notanumber` }, 'RedisBackend.url'],
    [{ url: `redis://:${SECRET}%ZZ@host` }, 'RedisBackend.url'],
    [{ url: 7 }, 'RedisBackend.url'],
    [{ url: 'redis://x', host: 'y' }, 'RedisBackend.host'],
    [{ url: 'redis://x/1', db: 2 }, 'RedisBackend.db'],
    [{ url: `redis://:${SECRET}@x`, password: 'other' }, 'RedisBackend.password'],
    [{ url: 'rediss://x', tls: false }, 'RedisBackend.tls'],
    [{ host: '' }, 'RedisBackend.host'],
    [{ port: 0 }, 'RedisBackend.port'],
    [{ db: -1 }, 'RedisBackend.db'],
    [{ password: '' }, 'RedisBackend.password'],
    [{ tls: { verify: true } }, 'RedisBackend.tls.verify'],
    [{ tls: { rejectUnauthorized: 'no' } }, 'RedisBackend.tls.rejectUnauthorized'],
    [{ sentinel: { name: 'm', hosts: [] } }, 'RedisBackend.sentinel.hosts'],
    [{ sentinel: { name: 'm', hosts: [{ host: 'a', port: 1 }] }, port: 2 }, 'RedisBackend.port'],
    [{ prefix: '' }, 'RedisBackend.prefix'],
    [{ cluster: {} }, 'RedisBackend.cluster.nodes'],
    [{ cluster: { nodes: ['redis-1'] } }, 'RedisBackend.cluster.nodes[0]'],
    [{ cluster: { nodes: ['a:1', 'b:0'] } }, 'RedisBackend.cluster.nodes[1]'],
    [{ cluster: { nodes: ['a:1'] }, db: 1 }, 'RedisBackend.db'],
    [{ cluster: { nodes: ['a:1'], slots: 3 } }, 'RedisBackend.cluster.slots'],
    [
      { client: client({ isCluster: true, options: { scaleReads: 'all' } }) },
      'RedisBackend.client',
    ],
    [{ commandTimeout: 0 }, 'RedisBackend.commandTimeout'],
    [{ commandTimeout: Infinity }, 'RedisBackend.commandTimeout'],
    [{ commandTimeout: '250' }, 'RedisBackend.commandTimeout'],
    [{ lease: '99ms' }, 'RedisBackend.lease'],
    [{ lease: '61s' }, 'RedisBackend.lease'],
    [{ connect: 'now' }, 'RedisBackend.connect'],
    [{ maxConnections: 0 }, 'RedisBackend.maxConnections'],
    [{ maxConnections: 1001 }, 'RedisBackend.maxConnections'],
    [{ maxPayloadBytes: 0 }, 'RedisBackend.maxPayloadBytes'],
    [{ wait: 1 }, 'RedisBackend.wait'],
    [{ wait: { replicas: 0 } }, 'RedisBackend.wait.replicas'],
    [{ wait: { replicas: 1, timeout: 0 } }, 'RedisBackend.wait.timeout'],
    [{ wait: { replicas: 1, timeout: Infinity } }, 'RedisBackend.wait.timeout'],
    [{ wait: { replica: 1 } }, 'RedisBackend.wait.replica'],
    [{ client: client(), url: 'redis://x' }, 'RedisBackend.url'],
    [{ client: {} }, 'RedisBackend.client'],
    [{ client: client({ options: { keyPrefix: 'p:' } }) }, 'RedisBackend.client'],
    [{ client: client({ options: { role: 'slave' } }) }, 'RedisBackend.client'],
    [{ client: client({ options: { readOnly: true } }) }, 'RedisBackend.client'],
  ];
  for (const [options, option] of WRONG) {
    it(`refuses ${inspect(options, { depth: 1 })}`, () => {
      const resolve = (): unknown => resolveRedisBackendOptions(options as RedisBackendOptions);
      expect(resolve).to.throw(InvalidOptionError).with.property('option', option);
      expect(resolve).to.throw(InvalidOptionError).and.not.match(new RegExp(SECRET));
    });
  }

  it('takes the nodes of a Cluster, and a Cluster client that reads from masters', () => {
    const nodes = ['redis-1:7000', '[::1]:7001'];
    expect(resolveRedisBackendOptions({ cluster: { nodes }, password: 'p' }).endpoint)
      .to.have.property('cluster')
      .that.deep.equals([
        { host: 'redis-1', port: 7000 },
        { host: '::1', port: 7001 },
      ]);
    const options = { scaleReads: 'master' };
    const given = client({ isCluster: true, options });
    expect(resolveRedisBackendOptions({ client: given }).client).to.equal(given);
  });
});
