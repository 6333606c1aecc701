import 'reflect-metadata';
import { expect } from 'chai';
import {
  CacheBackend,
  CacheManager,
  Cacheable,
  CacheConfig,
  MemoryBackend,
  configureCaching,
  resetCaching,
} from 'cachewell';
import { container, inject, injectable, singleton } from 'tsyringe';

describe('tsyringe under experimentalDecorators', () => {
  beforeEach(async () => {
    container.reset();
    await resetCaching();
  });
  after(async () => {
    container.reset();
    await resetCaching();
  });

  /** Defined anew for each test: `@singleton` registers its class, and another spec may reset the container. */
  function defineUsers() {
    @singleton()
    class Repository {
      runs = 0;
      async load(id: number): Promise<string> {
        this.runs++;
        return `value ${id}`;
      }
    }

    @singleton()
    @CacheConfig({ cache: 'users' })
    class Users {
      constructor(
        readonly repository: Repository,
        @inject(CacheManager) readonly cacheManager: CacheManager,
        @inject('tenant') readonly tenant: string,
      ) {}

      @Cacheable({ key: (id: number) => id })
      async find(id: number): Promise<string> {
        return this.repository.load(id);
      }
    }
    return Users;
  }

  it('injects the manager, and what is injected is used', async () => {
    container.register('tenant', { useValue: 'x' });
    container.register(CacheBackend, MemoryBackend);
    const Users = defineUsers();
    const users = container.resolve(Users);
    expect(container.resolve(Users)).to.equal(users);
    expect(users.tenant).to.equal('x');
    await users.find(1);
    await users.find(1);
    expect(users.repository.runs).to.equal(1);
    expect(users.cacheManager).to.equal(container.resolve(CacheManager));
    expect(users.cacheManager.caches()).to.deep.equal(['users']);
  });

  it("injects a tenant's own manager in its child container", async () => {
    const child = container.createChildContainer();
    const manager = configureCaching(child, { backend: MemoryBackend });
    child.register('tenant', { useValue: 'y' });

    @injectable()
    class Scoped {
      constructor(@inject(CacheManager) readonly cacheManager: CacheManager) {}
      @Cacheable({ cache: 'scoped' })
      async find(id: number): Promise<number> {
        return id;
      }
    }
    await child.resolve(Scoped).find(1);
    expect(manager.statistics().loads).to.equal(1);
    await manager.close();
  });

  it('injects the backend by its token, which is a type as well', () => {
    @injectable()
    class Report {
      constructor(@inject(CacheBackend) readonly backend: CacheBackend) {}
    }
    container.register(CacheBackend, MemoryBackend);
    expect(container.resolve(Report).backend.name).to.equal('memory');
  });

  it('keeps the types of decorated methods for other decorators', () => {
    const Users = defineUsers();
    expect(Reflect.getMetadata('design:paramtypes', Users.prototype, 'find')).to.deep.equal([
      Number,
    ]);
    expect(Reflect.getMetadata('design:returntype', Users.prototype, 'find')).to.equal(Promise);
  });
});
