import { expect } from 'chai';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { systemClock } from '#internal/clock.js';
import { InvalidOptionError } from '#internal/errors.js';
import {
  CACHE_OPTIONS,
  CACHE_STRATEGIES,
  resolveManagerOptions,
  type CacheManagerOptions,
} from '#internal/manager/manager-options.js';

describe('resolveManagerOptions', () => {
  it('fills in the defaults', () => {
    const resolved = resolveManagerOptions({});
    expect(resolved).to.include({
      backend: undefined,
      codec: undefined,
      compressor: undefined,
      clock: systemClock,
      compressionThreshold: 1024,
      maxDecompressedBytes: 67_108_864,
      isEnabled: true,
      isStrict: false,
      debug: false,
    });
    expect(resolved.defaults).to.include({
      ttlMs: 3_600_000,
      sync: 'local',
      onError: 'bypass',
      jitter: 0,
    });
    expect(Object.isFrozen(resolved)).to.equal(true);
  });

  it('takes undefined as left out', () => {
    const all = Object.fromEntries(
      [...CACHE_OPTIONS, ...CACHE_STRATEGIES].map((name) => [name, undefined]),
    );
    const { logger: _one, ...withUndefined } = resolveManagerOptions(all);
    const { logger: _other, ...without } = resolveManagerOptions({});
    expect(withUndefined).to.deep.equal(without);
  });

  const WRONG: readonly (readonly [object, RegExp])[] = [
    [{ backnd: 1 }, /CacheManager\.backnd: there is no such option; did you mean 'backend'/],
    [
      { backend: MemoryBackend },
      /CacheManager\.backend: expected a CacheBackend, got a function; pass an instance/,
    ],
    [{ backend: {} }, /expected a CacheBackend, got an object/],
    [{ codec: {} }, /CacheManager\.codec: expected a CacheCodec/],
    [{ compressor: {} }, /CacheManager\.compressor: expected a CacheCompressor/],
    [{ codecs: [{}] }, /CacheManager\.codecs: expected a CacheCodec/],
    [{ compressors: [{}] }, /CacheManager\.compressors: expected a CacheCompressor/],
    [{ logger: {} }, /CacheManager\.logger: expected a CacheLogger/],
    [{ clock: 1 }, /CacheManager\.clock: expected a CacheClock/],
    [{ random: 1 }, /CacheManager\.random: expected a function/],
    [{ ttl: -1 }, /CacheManager\.ttl: expected a duration/],
    [{ compressionThreshold: -1 }, /CacheManager\.compressionThreshold: expected a whole number/],
    [{ maxDecompressedBytes: 0 }, /CacheManager\.maxDecompressedBytes: expected a whole number/],
    [{ enabled: 'yes' }, /CacheManager\.enabled: expected true or false/],
    [{ strictCaches: 1 }, /CacheManager\.strictCaches: expected true or false/],
    [{ debug: 1 }, /CacheManager\.debug: expected true or false/],
    [{ caches: [] }, /CacheManager\.caches: expected an object of options/],
    [{ caches: { users: { ttl: -1 } } }, /cache 'users'\.ttl: expected a duration/],
    [{ caches: { users: { tll: 1 } } }, /cache 'users'\.tll: .*did you mean 'ttl'/],
    [{ caches: { users: null } }, /cache 'users': expected an object of options, got null/],
    [{ caches: { '': {} } }, /cache name: expected a text/],
    [{ backend: null }, /expected a CacheBackend, got null/],
    [{ codecs: {} }, /CacheManager\.codecs: expected a list, got an object/],
    [{ compressors: 'gzip' }, /CacheManager\.compressors: expected a list, got 'gzip' \(string\)/],
    [{ nullTtl: 'soon' }, /CacheManager\.nullTtl: expected a duration/],
    [{ maxTtl: '-1s' }, /CacheManager\.maxTtl: expected a duration/],
    [{ jitter: 1.5 }, /CacheManager\.jitter: expected a number from 0 to 1/],
    [{ sync: true }, /CacheManager\.sync: expected 'local' or 'cluster' or false/],
    [{ onError: 'ignore' }, /CacheManager\.onError: expected 'bypass' or 'throw'/],
    [{ compressionThreshold: 0.5 }, /CacheManager\.compressionThreshold: expected a whole number/],
    [{ maxDecompressedBytes: Infinity }, /CacheManager\.maxDecompressedBytes: expected a whole/],
  ];
  for (const [options, message] of WRONG) {
    it(`refuses ${Object.keys(options)[0]}: ${message.source}`, () => {
      expect(() => resolveManagerOptions(options as CacheManagerOptions)).to.throw(
        InvalidOptionError,
        message,
      );
    });
  }

  it('refuses what is no object', () => {
    expect(() => resolveManagerOptions(1 as never)).to.throw(
      InvalidOptionError,
      'expected an object of options',
    );
  });
});
