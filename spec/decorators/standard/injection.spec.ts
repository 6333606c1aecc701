import 'reflect-metadata';
import { expect } from 'chai';
import { CacheBackend, CacheManager, Cacheable, MemoryBackend, resetCaching } from 'cachewell';
import { container, instanceCachingFactory, singleton } from 'tsyringe';

describe('tsyringe under TC39 decorators', () => {
  beforeEach(async () => {
    container.reset();
    await resetCaching();
  });
  after(async () => {
    container.reset();
    await resetCaching();
  });

  it('takes classes with parameterless constructors as they are', async () => {
    @singleton()
    class Clockwork {
      runs = 0;
      @Cacheable({ cache: 'clockwork' })
      async find(id: number): Promise<number> {
        return ++this.runs + id;
      }
    }
    const service = container.resolve(Clockwork);
    expect(await service.find(1)).to.equal(await container.resolve(Clockwork).find(1));
    expect(service.runs).to.equal(1);
  });

  it('takes others by a factory', async () => {
    class Users {
      constructor(readonly cacheManager: CacheManager) {}
      @Cacheable({ cache: 'users' })
      async find(id: number): Promise<string> {
        return `value ${id}`;
      }
    }
    container.register(CacheBackend, MemoryBackend);
    container.register(Users, {
      useFactory: instanceCachingFactory((c) => new Users(c.resolve(CacheManager))),
    });
    await container.resolve(Users).find(1);
    await container.resolve(Users).find(1);
    expect(container.resolve(CacheManager).statistics().hits).to.equal(1);
  });
});
