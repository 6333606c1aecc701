import { expect } from 'chai';
import { describe, it } from 'mocha';
import {
  reconnectDelay,
  redisClientOptions,
} from '#internal/backends/redis/redis-client-factory.js';

const settings = {
  endpoint: { host: 'h', port: 1, db: 2, username: 'u', password: 'p' },
  connectTimeoutMs: 2000,
  keepAliveMs: 30_000,
  socketTimeoutMs: undefined,
};

describe(reconnectDelay.name, () => {
  it('doubles up to a second, between a half and the whole of it', () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 100].map((attempt) => reconnectDelay(attempt, () => 1));
    expect(longest).to.deep.equal([50, 100, 200, 400, 800, 1000, 1000, 1000]);
    expect(reconnectDelay(100, () => 0)).to.equal(500);
  });
});

describe(redisClientOptions.name, () => {
  it('fails fast, connects for ever, and verifies certificates', () => {
    const options = redisClientOptions({
      ...settings,
      endpoint: { ...settings.endpoint, tls: {} },
    });
    expect(options).to.include({
      host: 'h',
      port: 1,
      db: 2,
      username: 'u',
      password: 'p',
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      autoResendUnfulfilledCommands: false,
      lazyConnect: true,
      keepAlive: 30_000,
      connectTimeout: 2000,
      noDelay: true,
      connectionName: `cachewell:${process.pid}`,
    });
    expect(options['tls']).to.deep.equal({});
    expect(options).to.not.have.property('socketTimeout');
    expect(redisClientOptions(settings)).to.not.have.property('tls');
  });

  it('asks Sentinels instead of a host', () => {
    const sentinel = { name: 'main', hosts: [{ host: 'a', port: 26379 }], password: 's' };
    const options = redisClientOptions({
      ...settings,
      endpoint: { ...settings.endpoint, sentinel },
    });
    expect(options).to.not.have.property('host');
    expect(options).to.include({ name: 'main', sentinelPassword: 's' });
    expect(options['sentinels']).to.deep.equal([{ host: 'a', port: 26379 }]);
  });

  it('leaves a server that has become a replica, but not over and over', () => {
    const { reconnectOnError } = redisClientOptions(settings) as {
      reconnectOnError: (error: Error) => boolean;
    };
    const readonly = new Error("READONLY You can't write against a read only replica.");
    expect(reconnectOnError(new Error('ERR no'))).to.equal(false);
    expect(reconnectOnError(readonly)).to.equal(true);
    expect(reconnectOnError(readonly)).to.equal(false);
  });
});
