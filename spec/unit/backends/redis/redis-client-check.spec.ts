import { RedisBackend } from 'cachewell/redis';
import { expect } from 'chai';
import RedisMock from 'ioredis-mock';
import { InvalidOptionError } from '#internal/errors.js';

describe('expectUsableClient', () => {
  it('refuses ioredis-mock, which cannot run the scripts, and says what to use in tests', () => {
    const client = new RedisMock() as never;
    expect(() => new RedisBackend({ client }))
      .to.throw(InvalidOptionError, 'use a MemoryBackend in tests')
      .with.property('option', 'RedisBackend.client');
  });

  it('refuses what is no client', () => {
    expect(() => new RedisBackend({ client: 'redis://localhost' as never })).to.throw(
      InvalidOptionError,
      "RedisBackend.client: expected an ioredis client, got 'redis://localhost' (string)",
    );
  });
});
