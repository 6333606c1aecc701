import { expect } from 'chai';
import {
  BUILT_IN_DEFAULTS,
  normalizeTags,
  overlay,
  resolveCacheSettings,
} from '#internal/cache/cache-settings.js';
import { defineCache } from '#internal/cache/define-cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { GzipCompressor } from '#internal/codecs/gzip-compressor.js';
import { InvalidOptionError, UnknownCacheError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';

describe('resolveCacheSettings', () => {
  it('fills in the defaults', () => {
    expect(resolveCacheSettings('a', {}, BUILT_IN_DEFAULTS)).to.deep.equal({
      name: 'a',
      ...BUILT_IN_DEFAULTS,
    });
  });

  it('takes undefined as left out', () => {
    const definition = { ttl: undefined, tags: undefined, sync: undefined, onError: undefined };
    expect(resolveCacheSettings('a', definition, BUILT_IN_DEFAULTS)).to.include({
      ttlMs: 3_600_000,
      sync: 'local',
    });
  });

  it('lays the closer over the farther', () => {
    const manager = overlay('m', { ttl: '1m', nullTtl: '1s', jitter: 0.1 }, BUILT_IN_DEFAULTS);
    const cache = resolveCacheSettings('a', { ttl: '2m' }, manager);
    expect(cache).to.include({ ttlMs: 120_000, nullTtlMs: 1_000, jitter: 0.1 });
  });

  const WRONG: readonly (readonly [object, string])[] = [
    [{ tll: 1 }, "cache 'a'.tll: there is no such option; did you mean 'ttl'?"],
    [{ ttl: -1 }, "cache 'a'.ttl: expected a duration"],
    [{ nullTtl: 'x' }, "cache 'a'.nullTtl: expected a duration"],
    [{ maxTtl: NaN }, "cache 'a'.maxTtl: expected a duration"],
    [{ jitter: 1.5 }, "cache 'a'.jitter: expected a number from 0 to 1"],
    [{ version: '' }, "cache 'a'.version: expected a text"],
    [{ tags: 'x' }, "cache 'a'.tags: expected a list of tags"],
    [{ tags: [''] }, "cache 'a'.tags: expected a text"],
    [{ model: {} }, "cache 'a'.model: expected a function"],
    [{ codec: {} }, "cache 'a'.codec: expected a CacheCodec"],
    [{ compress: 'gzip' }, "cache 'a'.compress: expected a CacheCompressor"],
    [{ sync: true }, "cache 'a'.sync: expected"],
    [{ onError: 'log' }, "cache 'a'.onError: expected"],
  ];
  for (const [definition, message] of WRONG) {
    it(`refuses ${JSON.stringify(definition)}`, () => {
      expect(() => resolveCacheSettings('a', definition, BUILT_IN_DEFAULTS)).to.throw(
        InvalidOptionError,
        message,
      );
    });
  }

  it('takes codecs and compressors', () => {
    const definition = { codec: new JsonCodec(), compress: new GzipCompressor() };
    expect(resolveCacheSettings('a', definition, BUILT_IN_DEFAULTS)).to.include(definition);
  });

  it('refuses a name that is none', () => {
    expect(() => resolveCacheSettings('', {}, BUILT_IN_DEFAULTS)).to.throw(InvalidOptionError);
  });
});

describe('normalizeTags', () => {
  it('sorts, and drops doubles', () => {
    expect(normalizeTags(['b', 'a', 'b'], 'tags')).to.deep.equal(['a', 'b']);
  });

  it('keeps no list that belongs to somebody else', () => {
    const tags = ['a'];
    const kept = normalizeTags(tags, 'tags');
    tags.push('b');
    expect(kept).to.deep.equal(['a']);
  });
});

describe('A definition', () => {
  it('is checked by defineCache at once', () => {
    expect(() => defineCache('a', { ttl: -1 })).to.throw(InvalidOptionError);
    expect(Object.isFrozen(defineCache('a').definition)).to.equal(true);
  });

  it('holds for the cache, however it is reached', async () => {
    await using manager = new CacheManager({ logger: silentLogger, caches: { b: { ttl: '3s' } } });
    const handle = defineCache<[id: number], string>('a', { ttl: '2s' });
    await manager.cache(handle).set(1, 'one');
    expect(await manager.cache('a').ttl(1)).to.be.within(1_000, 2_000);
    await manager.cache('b').set(1, 'one');
    expect(await manager.cache('b').ttl(1)).to.be.within(2_000, 3_000);
    expect(manager.cache(handle)).to.equal(manager.cache('a'));
  });

  it('cannot be contradicted later', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    manager.cache('a', { ttl: '2s', tags: ['t'] });
    manager.cache('a', { ttl: '2s', tags: ['t'] });
    manager.cache('a', {});
    expect(() => manager.cache('a', { ttl: '3s' })).to.throw(
      InvalidOptionError,
      "cache 'a'.ttl: the cache exists",
    );
    manager.cache('plain');
    expect(() => manager.cache('plain', { ttl: '3s' })).to.throw(InvalidOptionError);
  });

  it('is needed under strictCaches', async () => {
    await using manager = new CacheManager({
      logger: silentLogger,
      strictCaches: true,
      caches: { known: {} },
    });
    manager.cache('known');
    manager.cache(defineCache('handle'));
    expect(() => manager.cache('unknown')).to.throw(UnknownCacheError, 'declared: known');
    expect(() => manager.cache('__proto__')).to.throw(UnknownCacheError);
  });

  it('of another version sees none of the entries', async () => {
    await using one = new CacheManager({ logger: silentLogger });
    await one.cache('a', { version: 'v1' }).set(1, 'one');
    expect(() => one.cache('a', { version: 'v2' })).to.throw(InvalidOptionError);
  });
});
