import 'reflect-metadata';
import { expect } from 'chai';
import { container as globalContainer, Lifecycle, type DependencyContainer } from 'tsyringe';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { NullBackend } from '#internal/backends/null-backend.js';
import type { BackendContext } from '#internal/cache/backend.js';
import { silentLogger, type CacheLogger as Logger } from '#internal/cache/cache-logger.js';
import { JsonCodec } from '#internal/codecs/json-codec.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { CacheConfigurationError, CacheConnectionError } from '#internal/errors.js';
import { configureCaching } from '#internal/injection/configure-caching.js';
import { resetCaching } from '#internal/injection/container-manager.js';
import {
  CacheBackend,
  CacheClock,
  CacheCodec,
  CacheCompressor,
  CacheLogger,
  CacheOptions,
} from '#internal/injection/tokens.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { errorOf } from '../../support/framing.js';

/** A store of one's own, as a user would register it: by its class. */
class CountedBackend extends NullBackend {
  static made = 0;
  constructor() {
    super();
    CountedBackend.made++;
  }
}

describe('Managers in a tree of containers', () => {
  let runs: number;
  beforeEach(async () => {
    runs = 0;
    CountedBackend.made = 0;
    globalContainer.reset();
    await resetCaching();
    globalContainer.register(CacheLogger, { useFactory: () => silentLogger });
  });
  after(async () => {
    globalContainer.reset();
    await resetCaching();
  });

  class Service {
    @Cacheable({ cache: 'a' })
    async find(id: number): Promise<number> {
      return runs++ + id;
    }
  }
  const child = (): DependencyContainer => globalContainer.createChildContainer();

  it('take a backend that is registered in one line, by its class, and make it once', async () => {
    globalContainer.register(CacheBackend, CountedBackend);
    const manager = globalContainer.resolve(CacheManager);
    expect(manager.backend).to.be.instanceOf(CountedBackend);
    await new Service().find(1);
    await new Service().find(1);
    expect(child().resolve(CacheManager)).to.equal(manager);
    expect(runs).to.equal(2);
    expect(CountedBackend.made).to.equal(1);
  });

  it('take what is registered under every token, whatever the provider', async () => {
    const clock = new ManualClock();
    let context!: BackendContext;
    class AttachedBackend extends MemoryBackend {
      override attach(given: BackendContext): void {
        context = given;
        super.attach(given);
      }
    }
    globalContainer.register(CacheBackend, AttachedBackend);
    const encoded: unknown[] = [];
    class SpyCodec extends JsonCodec {
      override encode(value: unknown): ReturnType<JsonCodec['encode']> {
        encoded.push(value);
        return super.encode(value);
      }
    }
    const compressor = {
      id: 99,
      name: 'none',
      compress: () => undefined,
      decompress: () => undefined,
    };
    globalContainer.register(CacheCodec, SpyCodec, { lifecycle: Lifecycle.Singleton });
    globalContainer.register(CacheCompressor, { useValue: compressor as never });
    globalContainer.register('the clock', { useValue: clock });
    globalContainer.register(CacheClock, { useToken: 'the clock' });
    globalContainer.register(CacheOptions, {
      useFactory: () => ({ ttl: '5s', onError: 'throw' }) as const,
    });
    const cache = globalContainer.resolve(CacheManager).cache('a');
    await cache.set(1, 'one');
    expect(await cache.ttl(1)).to.equal(5_000);
    clock.advance('5s');
    expect(await cache.has(1)).to.equal(false);
    await context.framer.encodeValue({ value: 'framed', kind: 'value' });
    expect(encoded).to.deep.equal(['framed']);
    expect(context.clock).to.equal(clock);
    expect(context.logger).to.equal(silentLogger);
    expect(context.resolve?.('the clock')).to.equal(clock);
    expect(context.resolve?.('nothing')).to.equal(undefined);
    globalContainer.reset();
    await resetCaching();
    globalContainer.register(CacheOptions, { useValue: { tll: 1 } as never });
    expect(() => globalContainer.resolve(CacheManager)).to.throw(
      "CacheManager.tll: there is no such option; did you mean 'ttl'?",
    );
  });

  it('are one for a thousand requests, which cannot end it', async () => {
    const manager = configureCaching(globalContainer, { backend: MemoryBackend });
    for (let request = 0; request < 1000; request++) {
      const scope = child();
      expect(scope.resolve(CacheManager)).to.equal(manager);
      await scope.dispose();
    }
    expect(manager.isClosed).to.equal(false);
    expect('dispose' in manager).to.equal(false);
    await manager.close();
  });

  it('are an error where a backend is registered below, in the child or between', () => {
    const tenant = child();
    tenant.register(CacheBackend, MemoryBackend);
    const request = tenant.createChildContainer();
    for (const container of [tenant, request, request.createChildContainer()]) {
      expect(() => container.resolve(CacheManager)).to.throw(
        CacheConfigurationError,
        'Call configureCaching(child, { backend })',
      );
    }
    expect(child().resolve(CacheManager)).to.equal(globalContainer.resolve(CacheManager));
  });

  it('are shared by the children of a tenant that has its own', async () => {
    const tenant = child();
    const own = configureCaching(tenant, { backend: MemoryBackend });
    const request = tenant.createChildContainer();
    expect(request.resolve(CacheManager)).to.equal(own);
    expect(globalContainer.resolve(CacheManager)).to.not.equal(own);
    request.register(CacheBackend, MemoryBackend);
    expect(() => request.resolve(CacheManager)).to.throw(CacheConfigurationError);
    await own.close();
  });

  it('do not share entries, nor options, with a tenant that takes its backend from above', async () => {
    const manager = configureCaching(globalContainer, { backend: MemoryBackend, ttl: '5s' });
    const own = configureCaching(child(), {});
    expect(own.backend).to.be.instanceOf(MemoryBackend).and.not.equal(manager.backend);
    await own.cache('a').set(1, 'of the tenant', { ttl: Infinity });
    expect(await manager.cache('a').get(1)).to.equal(undefined);
    await own.cache('a').set(2, 'two');
    expect(await own.cache('a').ttl(2)).to.be.above(5_000);
    await Promise.all([manager.close(), own.close()]);
  });

  it('cannot share one instance of a backend', async () => {
    const manager = configureCaching(globalContainer, { backend: new MemoryBackend() });
    expect(() => configureCaching(child(), {})).to.throw(
      CacheConfigurationError,
      'already belongs to another',
    );
    await manager.close();
  });

  describe('with a backend that comes too late', () => {
    const warnings: unknown[] = [];
    beforeEach(() => {
      warnings.length = 0;
      const logger: Logger = { ...silentLogger, warn: (...given) => void warnings.push(given) };
      globalContainer.register(CacheLogger, { useFactory: () => logger });
    });

    it('warn once, and keep the one that they have', () => {
      const manager = globalContainer.resolve(CacheManager);
      globalContainer.register(CacheBackend, CountedBackend);
      for (let count = 0; count < 3; count++)
        expect(globalContainer.resolve(CacheManager)).to.equal(manager);
      expect(child().resolve(CacheManager)).to.equal(manager);
      expect(manager.backend).to.be.instanceOf(MemoryBackend);
      expect(CountedBackend.made).to.equal(0);
      expect(warnings).to.have.length(1);
    });

    it('take it once they are closed', async () => {
      await globalContainer.resolve(CacheManager).close();
      globalContainer.register(CacheBackend, CountedBackend);
      expect(globalContainer.resolve(CacheManager).backend).to.be.instanceOf(CountedBackend);
      globalContainer.resolve(CacheManager);
      expect(warnings).to.deep.equal([]);
    });
  });

  it('can be registered late, and be several', async () => {
    const service = new Service();
    await service.find(1);
    const [first, second] = [
      new CacheManager({ logger: silentLogger }),
      new CacheManager({ logger: silentLogger }),
    ];
    globalContainer.register('first', { useValue: first });
    globalContainer.register('second', { useValue: second });
    class Report {
      @Cacheable({ cache: 'a', manager: () => globalContainer.resolve<CacheManager>('first') })
      async find(id: number): Promise<number> {
        return id;
      }
      @Cacheable({ cache: 'a', manager: () => globalContainer.resolve<CacheManager>('second') })
      async list(id: number): Promise<number> {
        return id;
      }
    }
    const report = new Report();
    await report.find(1);
    await report.find(1);
    await report.list(1);
    const counts = [first, second, globalContainer.resolve(CacheManager)].map((manager) =>
      manager.statistics(),
    );
    expect(counts.map(({ loads, hits }) => [loads, hits])).to.deep.equal([
      [1, 1],
      [1, 0],
      [1, 0],
    ]);
    await Promise.all([first.close(), second.close()]);
  });

  describe('resetCaching', () => {
    it('closes what instances had found, and restores the default registration', async () => {
      const service = new Service();
      await service.find(1);
      const before = globalContainer.resolve(CacheManager);
      globalContainer.reset();
      expect(globalContainer.isRegistered(CacheManager)).to.equal(false);
      await resetCaching();
      expect(before.isClosed).to.equal(true);
      expect(globalContainer.isRegistered(CacheManager)).to.equal(true);
      expect(globalContainer.resolve(CacheManager)).to.equal(child().resolve(CacheManager));
      expect(globalContainer.resolve(CacheManager)).to.not.equal(before);
      await service.find(1);
      expect(runs).to.equal(2);
    });

    it('restores the default registration, even if a store cannot be closed', async () => {
      const broken = new FaultyBackend(new MemoryBackend());
      const error = new CacheConnectionError('the socket is gone');
      broken.fail('close', { error });
      configureCaching(globalContainer, { backend: broken });
      await new Service().find(1);
      globalContainer.reset();
      expect(await errorOf(resetCaching)).to.equal(error);
      expect(globalContainer.isRegistered(CacheManager)).to.equal(true);
      await new Service().find(1);
      expect(runs).to.equal(2);
    });

    it('leaves methods without a cache, when the backend was an instance, until there is another', async () => {
      configureCaching(globalContainer, { backend: new MemoryBackend() });
      const service = new Service();
      await service.find(1);
      globalContainer.clearInstances();
      await resetCaching();
      for (let count = 1; count <= 2; count++) expect(await service.find(1)).to.equal(count + 1);
      const idle = globalContainer.resolve(CacheManager);
      expect(globalContainer.resolve(CacheManager)).to.equal(idle);
      expect(idle.health().status).to.equal('unavailable');
      globalContainer.register(CacheBackend, MemoryBackend);
      for (let count = 0; count < 2; count++) expect(await service.find(1)).to.equal(4);
    });

    it('forgets instances given by clearInstances, and keeps what factories make', async () => {
      globalContainer.register(CacheBackend, { useValue: new NullBackend() });
      await new Service().find(1);
      expect(globalContainer.resolve(CacheManager).backend.name).to.equal('null');
      globalContainer.clearInstances();
      await resetCaching();
      expect(globalContainer.resolve(CacheManager).backend.name).to.equal('memory');
      configureCaching(globalContainer, { backend: () => new CountedBackend() });
      globalContainer.clearInstances();
      await resetCaching();
      expect(globalContainer.resolve(CacheManager).backend).to.be.instanceOf(CountedBackend);
    });
  });
});
