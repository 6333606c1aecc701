import { expect } from 'chai';
import { defineCache } from '#internal/cache/define-cache.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { CacheEvict } from '#internal/decorators/cache-evict.js';
import { InvalidOptionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';

describe('defineCache', () => {
  it('checks the definition at once', () => {
    expect(() => defineCache('a', { ttl: -1 })).to.throw(InvalidOptionError, "cache 'a'.ttl");
    expect(() => defineCache('a', { tll: 1 } as never)).to.throw("did you mean 'ttl'");
    expect(() => defineCache('')).to.throw(InvalidOptionError);
  });

  it('gives a frozen handle that later changes do not reach', () => {
    const definition = { ttl: '1m' as const };
    const handle = defineCache('a', definition);
    Object.assign(definition, { ttl: '2m' });
    expect(handle.definition).to.deep.equal({ ttl: '1m' });
    expect(Object.isFrozen(handle) && Object.isFrozen(handle.definition)).to.equal(true);
  });

  it('serves decorators and managers alike', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const users = defineCache<[id: number], string>('users', { ttl: '10s', tags: ['users'] });
    const names = defineCache<[id: number], string>('names');
    class Service {
      readonly cacheManager = manager;
      @Cacheable({ cache: users })
      async find(id: number): Promise<string> {
        return `user ${id}`;
      }
      @CacheEvict({ cache: [users, names] })
      async remove(_id: number): Promise<void> {}
    }
    const service = new Service();
    await service.find(1);
    const cache = manager.cache(users);
    expect((await cache.getEntry(1)).tags).to.deep.equal(['users']);
    expect(await cache.ttl(1)).to.be.within(9_000, 10_000);
    await service.remove(1);
    expect(await cache.has(1)).to.equal(false);
    expect(manager.caches()).to.deep.equal(['users', 'names']);
  });
});
