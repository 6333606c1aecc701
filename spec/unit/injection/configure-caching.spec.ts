import 'reflect-metadata';
import { expect } from 'chai';
import { container as globalContainer, type DependencyContainer } from 'tsyringe';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { InvalidOptionError } from '#internal/errors.js';
import { configureCaching } from '#internal/injection/configure-caching.js';
import { CacheBackend, CacheOptions } from '#internal/injection/tokens.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

describe('configureCaching', () => {
  let container: DependencyContainer;
  beforeEach(() => (container = globalContainer.createChildContainer()));

  it('refuses unknown options', () => {
    expect(() => configureCaching(container, { backnd: MemoryBackend } as never)).to.throw(
      InvalidOptionError,
      'configureCaching.backnd: there is no such option',
    );
  });

  it('takes classes, factories and instances', async () => {
    const clock = new ManualClock();
    const manager = configureCaching(container, {
      backend: () => new MemoryBackend({ maxEntries: 1 }),
      codec: JsonCodec,
      clock,
      logger: silentLogger,
      ttl: '5s',
    });
    const cache = manager.cache('sized');
    await cache.setMany([
      [1, 'one'],
      [2, 'two'],
    ]);
    expect((await cache.keys()).keys).to.deep.equal(['2']);
    clock.advance('5s');
    expect(await cache.get(2)).to.equal(undefined);
  });

  it('registers what it is given, beside the manager', async () => {
    const manager = configureCaching(container, { backend: MemoryBackend, ttl: '3s' });
    expect(container.resolve(CacheManager)).to.equal(manager);
    expect(container.resolve(CacheBackend)).to.be.instanceOf(MemoryBackend);
    expect(container.resolve(CacheOptions)).to.deep.equal({ ttl: '3s' });
    await manager.close();
  });

  it('tells a wrong option at once', () => {
    expect(() => configureCaching(container, { ttl: -1 })).to.throw(
      InvalidOptionError,
      'CacheManager.ttl',
    );
    expect(() => configureCaching(container, { backend: {} as never })).to.throw(
      InvalidOptionError,
    );
  });
});
