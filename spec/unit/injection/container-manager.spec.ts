import 'reflect-metadata';
import { expect } from 'chai';
import { container as globalContainer, type DependencyContainer } from 'tsyringe';
import { CacheConfigurationError, InvalidOptionError } from '#internal/errors.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { configureCaching } from '#internal/injection/configure-caching.js';
import { resetCaching } from '#internal/injection/container-manager.js';
import { CacheBackend, CacheClock, CacheLogger, CacheOptions } from '#internal/injection/tokens.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { bindCacheManager } from '#internal/manager/manager-locator.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

describe('The manager of a container', () => {
  let runs: number;
  beforeEach(async () => {
    runs = 0;
    globalContainer.reset();
    await resetCaching();
  });
  after(async () => {
    globalContainer.reset();
    await resetCaching();
  });

  class Service {
    @Cacheable({ cache: 'a' })
    async find(id: number): Promise<string> {
      runs++;
      return `value ${id}`;
    }
  }

  it('exists without any registration, in memory', async () => {
    const service = new Service();
    await service.find(1);
    await service.find(1);
    expect(runs).to.equal(1);
    const manager = globalContainer.resolve(CacheManager);
    expect(manager.backend).to.be.instanceOf(MemoryBackend);
    expect(manager.statistics().hits).to.equal(1);
  });

  it('takes what was registered after the classes were defined, up to the first call', async () => {
    const service = new Service();
    const clock = new ManualClock();
    globalContainer.register(CacheBackend, MemoryBackend);
    globalContainer.register(CacheClock, { useValue: clock });
    globalContainer.register(CacheLogger, { useValue: silentLogger });
    globalContainer.register(CacheOptions, { useValue: { ttl: '10s' } });
    await service.find(1);
    clock.advance('10s');
    await service.find(1);
    expect(runs).to.equal(2);
  });

  it('is one, however often it is resolved, and resolves the backend once', () => {
    let made = 0;
    globalContainer.register(CacheBackend, {
      useFactory: () => {
        made++;
        return new MemoryBackend();
      },
    });
    expect(globalContainer.resolve(CacheManager)).to.equal(globalContainer.resolve(CacheManager));
    expect(made).to.equal(1);
  });

  it('warns once, when a backend is registered too late', async () => {
    const warnings: string[] = [];
    globalContainer.register(CacheLogger, {
      useValue: { ...silentLogger, warn: (message: string) => void warnings.push(message) },
    });
    await new Service().find(1);
    globalContainer.register(CacheBackend, MemoryBackend);
    await new Service().find(1);
    await new Service().find(2);
    expect(warnings).to.have.length(1);
    expect(warnings[0]).to.contain('Register it before the first cached call');
  });

  it('is shared by child containers, and survives their end', async () => {
    const manager = globalContainer.resolve(CacheManager);
    for (let request = 0; request < 3; request++) {
      const child = globalContainer.createChildContainer();
      child.register('requestId', { useValue: request });
      expect(child.resolve(CacheManager)).to.equal(manager);
      expect(child.createChildContainer().resolve(CacheManager)).to.equal(manager);
      await child.dispose();
    }
    expect(manager.isClosed).to.equal(false);
    await new Service().find(1);
  });

  it('is an error in a child that has a backend and no manager of its own', () => {
    const child = globalContainer.createChildContainer();
    child.register(CacheBackend, MemoryBackend);
    expect(() => child.resolve(CacheManager)).to.throw(
      CacheConfigurationError,
      'configureCaching(child',
    );
  });

  it("can be a tenant's own, which its instances use when they carry it", async () => {
    const tenants = ['x', 'y'].map((name) => {
      const child: DependencyContainer = globalContainer.createChildContainer();
      return {
        name,
        manager: configureCaching(child, { backend: MemoryBackend, ttl: '1m' }),
        child,
      };
    });
    const [x, y] = tenants as [(typeof tenants)[0], (typeof tenants)[0]];
    expect(x.manager).to.not.equal(y.manager);
    expect(x.child.resolve(CacheManager)).to.equal(x.manager);
    const forX = new Service();
    const forY = Object.assign(new Service(), { cacheManager: y.manager });
    bindCacheManager(forX, x.manager);
    await forX.find(1);
    await forY.find(1);
    await new Service().find(1);
    expect(runs).to.equal(3);
    expect(x.manager.statistics().loads).to.equal(1);
    expect(y.manager.statistics().loads).to.equal(1);
    expect(globalContainer.resolve(CacheManager).statistics().loads).to.equal(1);
    bindCacheManager(forX, y.manager);
    await forX.find(1);
    expect(runs).to.equal(3);
    await Promise.all(tenants.map(({ manager }) => manager.close()));
  });

  it('refuses to be bound to what is no manager', () => {
    expect(() => bindCacheManager({}, {} as CacheManager)).to.throw(InvalidOptionError);
  });

  describe('after clearInstances', () => {
    it('is still there, with its strategies', async () => {
      const manager = configureCaching(globalContainer, {
        backend: new MemoryBackend(),
        ttl: '1m',
      });
      await new Service().find(1);
      globalContainer.clearInstances();
      await new Service().find(1);
      expect(runs).to.equal(1);
      expect(globalContainer.resolve(CacheManager)).to.equal(manager);
    });
  });

  describe('after resetCaching', () => {
    it('is another one, and the one before is closed', async () => {
      const service = new Service();
      await service.find(1);
      const before = globalContainer.resolve(CacheManager);
      globalContainer.reset();
      await resetCaching();
      await service.find(1);
      expect(runs).to.equal(2);
      expect(before.isClosed).to.equal(true);
      expect(globalContainer.resolve(CacheManager)).to.not.equal(before);
    });

    it('is made of the registered classes again, when the container was not reset', async () => {
      const service = new Service();
      configureCaching(globalContainer, {
        backend: MemoryBackend,
        codec: () => new JsonCodec(),
        ttl: '1m',
      });
      await service.find(1);
      globalContainer.clearInstances();
      await resetCaching();
      await service.find(1);
      await service.find(1);
      expect(runs).to.equal(2);
    });
  });

  describe('after reset', () => {
    it('is made anew by the next lookup', async () => {
      globalContainer.reset();
      await new Service().find(1);
      await new Service().find(1);
      expect(runs).to.equal(1);
    });
  });

  describe('after it was closed', () => {
    it('is looked up anew', async () => {
      const service = new Service();
      await service.find(1);
      await globalContainer.resolve(CacheManager).close();
      await service.find(1);
      await service.find(1);
      expect(runs).to.equal(2);
    });

    it('stays closed, when its backend was given as an instance: methods go on without a cache', async () => {
      const service = new Service();
      const manager = configureCaching(globalContainer, {
        backend: new MemoryBackend(),
        logger: silentLogger,
      });
      await service.find(1);
      await manager.close();
      expect(await service.find(1)).to.equal('value 1');
      expect(await service.find(1)).to.equal('value 1');
      expect(runs).to.equal(3);
    });
  });

  describe('configured again', () => {
    it('is used by instances that had found the one before', async () => {
      const service = new Service();
      await service.find(1);
      const manager = configureCaching(globalContainer, { backend: MemoryBackend });
      await service.find(1);
      expect(runs).to.equal(2);
      expect(manager.statistics().loads).to.equal(1);
      await manager.close();
    });
  });
});
