import 'reflect-metadata';
import { expect } from 'chai';
import {
  CacheBackend,
  Cacheable,
  CacheConfig,
  CacheEvict,
  CacheManager,
  MemoryBackend,
  bindCacheManager,
  configureCaching,
  resetCaching,
} from 'cachewell';
import { container, injectable, instanceCachingFactory, Lifecycle, singleton } from 'tsyringe';

/* What holds under both dialects: classes whose constructors take nothing, and factories for the others. */
describe('Services in a container', () => {
  let loads: string[];
  beforeEach(async () => {
    loads = [];
    container.reset();
    await resetCaching();
    // `reset` forgets what the decorator registered, and other specs reset the same container.
    singleton()(Users);
  });
  after(async () => {
    container.reset();
    await resetCaching();
  });

  @singleton()
  @CacheConfig({ cache: 'users', ttl: '10m' })
  class Users {
    @Cacheable({ key: (id: number) => id })
    async find(id: number): Promise<string> {
      loads.push(`find ${id}`);
      return `user ${id}`;
    }
    @CacheEvict({ key: (id: number) => id })
    async remove(id: number): Promise<void> {
      loads.push(`remove ${id}`);
    }
  }

  @injectable()
  class Orders {
    @Cacheable({ cache: 'orders' })
    async find(id: number): Promise<string> {
      loads.push(`order ${id}`);
      return `order ${id}`;
    }
  }

  it('are cached without any registration', async () => {
    const users = container.resolve(Users);
    expect(container.resolve(Users)).to.equal(users);
    await users.find(1);
    expect(await users.find(1)).to.equal('user 1');
    await users.remove(1);
    await users.find(1);
    expect(loads).to.deep.equal(['find 1', 'remove 1', 'find 1']);
    expect(container.resolve(CacheManager).caches()).to.deep.equal(['users']);
  });

  it('share entries, when they are made anew for each resolution', async () => {
    const [first, second] = [container.resolve(Orders), container.resolve(Orders)];
    expect(first).to.not.equal(second);
    await first.find(1);
    await second.find(1);
    expect(loads).to.deep.equal(['order 1']);
  });

  it('share entries across the containers of requests, which end', async () => {
    for (let request = 0; request < 3; request++) {
      const child = container.createChildContainer();
      await child.resolve(Orders).find(1);
      await child.resolve(Users).find(1);
      await child.dispose();
    }
    expect(loads).to.deep.equal(['order 1', 'find 1']);
    expect(container.resolve(CacheManager).isClosed).to.equal(false);
  });

  it('are made by factories, when their constructors take something', async () => {
    class Report {
      constructor(
        readonly users: Users,
        readonly cacheManager: CacheManager,
        readonly title: string,
      ) {}
      @Cacheable({ cache: 'reports' })
      async render(id: number): Promise<string> {
        return `${this.title}: ${await this.users.find(id)}`;
      }
    }
    container.register(Report, {
      useFactory: instanceCachingFactory(
        (from) => new Report(from.resolve(Users), from.resolve(CacheManager), 'Report'),
      ),
    });
    const report = container.resolve(Report);
    expect(await report.render(1)).to.equal('Report: user 1');
    expect(await container.resolve(Report).render(1)).to.equal('Report: user 1');
    expect(loads).to.deep.equal(['find 1']);
    expect(report.cacheManager.statistics().caches['reports']).to.include({ hits: 1, loads: 1 });
  });

  it('of a tenant use its manager, when they carry it, and only then', async () => {
    const tenant = container.createChildContainer();
    const manager = configureCaching(tenant, { backend: MemoryBackend });
    class Carrying extends Orders {
      constructor(readonly cacheManager: CacheManager) {
        super();
      }
    }
    tenant.register(Carrying, {
      useFactory: (from) => new Carrying(from.resolve(CacheManager)),
    });
    const bound = tenant.resolve(Orders);
    bindCacheManager(bound, manager);
    await tenant.resolve(Carrying).find(1);
    await bound.find(1);
    await tenant.resolve(Orders).find(1);
    expect(loads).to.deep.equal(['order 1', 'order 1']);
    expect(manager.statistics()).to.include({ hits: 1, loads: 1 });
    await manager.close();
  });

  it('keep their manager, find a closed one anew, and take one that is configured late', async () => {
    const users = container.resolve(Users);
    await users.find(1);
    const first = container.resolve(CacheManager);
    await users.find(1);
    expect(first.statistics().hits).to.equal(1);
    await first.close();
    await users.find(1);
    expect(container.resolve(CacheManager)).to.not.equal(first);
    const late = configureCaching(container, { backend: MemoryBackend });
    await users.find(1);
    expect(late.statistics().loads).to.equal(1);
    expect(loads).to.have.length(3);
  });

  it('take a backend registered in one line, as a singleton too', async () => {
    for (const lifecycle of [Lifecycle.Transient, Lifecycle.Singleton] as const) {
      container.reset();
      await resetCaching();
      container.register(CacheBackend, { useClass: MemoryBackend }, { lifecycle });
      await container.resolve(Orders).find(1);
      await container.resolve(Orders).find(1);
      expect(container.resolve(CacheManager).statistics()).to.include({ hits: 1, loads: 1 });
    }
  });
});
