import { CacheEvict, CacheManager, CachePut, bindCacheManager, silentLogger } from 'cachewell';
import { IsString } from 'class-validator';
import { expect } from 'chai';

describe('Decorators without options', () => {
  it('take all arguments as the key, and the class and the method as the cache', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    class Service {
      @CachePut()
      async save(id: number): Promise<string> {
        return `value ${id}`;
      }
      @CacheEvict()
      async remove(id: number): Promise<number> {
        return id;
      }
    }
    const service = new Service();
    bindCacheManager(service, manager);
    expect(await service.save(1)).to.equal('value 1');
    expect(await manager.cache('Service.save').get(1)).to.equal('value 1');
    expect(await service.remove(1)).to.equal(1);
    expect(manager.caches()).to.include('Service.remove');
  });
});

describe('A cache with a model', () => {
  it('is taken by a manager whose backend keeps values', async () => {
    class User {
      name = 'Ada';
    }
    IsString()(User.prototype, 'name');
    await using manager = new CacheManager({ logger: silentLogger });
    const users = manager.cache<[id: number], User>('users', { model: User });
    const user = new User();
    await users.set(1, user);
    expect(await users.get(1)).to.equal(user);
  });
});
