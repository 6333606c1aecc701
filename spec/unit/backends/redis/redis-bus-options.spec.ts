import { inspect } from 'node:util';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import {
  resolveRedisBusOptions,
  type RedisBusOptions,
} from '#internal/backends/redis/redis-bus-options.js';
import type { RedisLike } from '#internal/backends/redis/redis-like.js';
import { InvalidOptionError } from '#internal/errors.js';

const client = { callBuffer: () => undefined, options: {} } as unknown as RedisLike;

describe(resolveRedisBusOptions.name, () => {
  it('reads where Redis is, and leaves the rest to be found', () => {
    const { endpoint, commandTimeoutMs, connectTimeoutMs, keepAliveMs } = resolveRedisBusOptions({
      url: 'redis://me:secret@redis.example:7000/3',
      commandTimeout: '1s',
    });
    expect(endpoint).to.deep.include({ host: 'redis.example', port: 7000, db: 3 });
    expect([commandTimeoutMs, connectTimeoutMs, keepAliveMs]).to.deep.equal([
      1000,
      undefined,
      undefined,
    ]);
    expect(resolveRedisBusOptions({})).to.include({ client: undefined, endpoint: undefined });
    expect(resolveRedisBusOptions({ client }).client).to.equal(client);
  });

  it('takes the nodes of a Cluster', () => {
    const { endpoint } = resolveRedisBusOptions({ cluster: { nodes: ['a:1', 'b:2'] } });
    expect(endpoint?.cluster).to.deep.equal([
      { host: 'a', port: 1 },
      { host: 'b', port: 2 },
    ]);
  });

  const WRONG: readonly (readonly [unknown, string])[] = [
    [null, 'RedisBus'],
    [{ prefix: 'x' }, 'RedisBus.prefix'],
    [{ uri: 'redis://x' }, 'RedisBus.uri'],
    [{ url: 'http://x' }, 'RedisBus.url'],
    [{ url: 'redis://x', host: 'y' }, 'RedisBus.host'],
    [{ port: 0 }, 'RedisBus.port'],
    [{ tls: { verify: true } }, 'RedisBus.tls.verify'],
    [{ sentinel: { name: 'm', hosts: [] } }, 'RedisBus.sentinel.hosts'],
    [{ commandTimeout: 0 }, 'RedisBus.commandTimeout'],
    [{ connectTimeout: 'soon' }, 'RedisBus.connectTimeout'],
    [{ keepAlive: -1 }, 'RedisBus.keepAlive'],
    [{ client, url: 'redis://x' }, 'RedisBus.url'],
    [{ client, cluster: { nodes: ['a:1'] } }, 'RedisBus.cluster'],
    [{ cluster: { nodes: ['a:1'] }, db: 1 }, 'RedisBus.db'],
    [{ client: {} }, 'RedisBus.client'],
  ];
  for (const [options, option] of WRONG) {
    it(`refuses ${inspect(options, { depth: 1 })}`, () => {
      expect(() => resolveRedisBusOptions(options as RedisBusOptions))
        .to.throw(InvalidOptionError)
        .with.property('option', option);
    });
  }
});
