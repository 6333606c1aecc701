import { inspect } from 'node:util';
import { expect } from 'chai';
import { describe, it } from 'mocha';
import { redisError } from '#internal/backends/redis/redis-errors.js';
import { CacheTimeoutError } from '#internal/errors.js';

const reply = (message: string): Error =>
  Object.assign(new Error(message), {
    name: 'ReplyError',
    command: { name: 'auth', args: ['open-sesame-42'] },
  });

describe(redisError.name, () => {
  const TABLE: readonly (readonly [Error, string, string])[] = [
    [
      reply('WRONGPASS invalid username-password pair or user is disabled.'),
      'ERR_CACHE_CONNECTION',
      'Redis at h:1 refuses get (WRONGPASS): check user name, password, and what the access control list allows',
    ],
    [
      reply("NOPERM User app has no permissions to run the 'evalsha' command"),
      'ERR_CACHE_CONNECTION',
      'Redis at h:1 refuses get (NOPERM): check user name, password, and what the access control list allows',
    ],
    [
      new Error('Ready check failed: NOAUTH Authentication required.'),
      'ERR_CACHE_CONNECTION',
      'Redis at h:1 refuses get (NOAUTH): check user name, password, and what the access control list allows',
    ],
    [
      reply("OOM command not allowed when used memory > 'maxmemory'."),
      'ERR_CACHE_BACKEND',
      'Redis at h:1 answered get with OOM: its memory is full: raise maxmemory, or set maxmemory-policy to one that evicts',
    ],
    [
      reply('MISCONF Errors writing to the AOF file: No space left on device'),
      'ERR_CACHE_BACKEND',
      'Redis at h:1 answered get with MISCONF: it cannot write its snapshots, so it refuses writes: look at its log and disk',
    ],
    [reply('ERR something'), 'ERR_CACHE_BACKEND', 'Redis at h:1 answered get with ERR something'],
    [
      new Error('connect ECONNREFUSED 127.0.0.1:1'),
      'ERR_CACHE_CONNECTION',
      'Redis at h:1 cannot be reached for get: connect ECONNREFUSED 127.0.0.1:1',
    ],
  ];
  for (const [error, code, message] of TABLE) {
    it(`explains '${error.message}', and passes no argument of the command on`, () => {
      const explained = redisError(error, 'get', 'h:1');
      expect(explained).to.include({ code, message });
      expect(inspect(explained, { depth: 10 })).to.not.include('open-sesame-42');
    });
  }

  it('leaves an error of ours as it is', () => {
    const error = new CacheTimeoutError('get', 1);
    expect(redisError(error, 'get', 'h:1')).to.equal(error);
  });
});
