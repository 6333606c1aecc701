import { expect } from 'chai';
import { CacheEvict, CacheManager, Cacheable, silentLogger, type CacheError } from 'cachewell';

interface User {
  readonly id: number;
  readonly name: string;
}

const user = (id: number): User => ({ id, name: `user ${id}` });

describe('@Cacheable with each', () => {
  let manager: CacheManager;
  let asked: unknown[];
  let errors: CacheError[];
  beforeEach(() => {
    manager = new CacheManager({ logger: silentLogger });
    asked = [];
    errors = [];
    manager.on('error', ({ error }) => errors.push(error));
  });
  afterEach(() => manager.close());

  class Service {
    readonly cacheManager = manager;

    @Cacheable({ cache: 'users', each: { arg: 0 } })
    async mapOf(ids: readonly number[]): Promise<Map<number, User | null>> {
      asked.push([...ids]);
      const known = ids.filter((id) => id < 100);
      return new Map(known.map((id) => [id, id === 13 ? null : user(id)]));
    }

    @Cacheable({
      cache: 'users',
      each: { arg: 0 },
      keyGenerator: ({ args }) => ['list', args[0] as number],
    })
    async listOf(ids: readonly number[]): Promise<(User | null | undefined)[]> {
      asked.push([...ids]);
      return ids.map((id) => (id >= 100 ? undefined : id === 13 ? null : user(id)));
    }

    @Cacheable({
      cache: 'users',
      each: { arg: 0, idOf: (item: User) => item.id },
      keyGenerator: ({ args }) => ['items', args[0] as number],
    })
    async itemsOf(ids: readonly number[]): Promise<User[]> {
      asked.push([...ids]);
      return ids
        .filter((id) => id < 100)
        .map(user)
        .reverse();
    }

    @Cacheable({
      cache: 'tenants',
      each: { arg: 1 },
      condition: (tenant: string) => tenant !== 'none',
    })
    async ofTenant(tenant: string, ids: readonly number[]): Promise<string[]> {
      asked.push([tenant, ...ids]);
      return ids.map((id) => `${tenant}/${id}`);
    }

    @CacheEvict({ cache: 'users', keys: (ids: readonly number[]) => ids })
    async evict(_ids: readonly number[]): Promise<void> {}
  }
  let service: Service;
  beforeEach(() => {
    service = new Service();
    Object.assign(service, { cacheManager: manager });
  });

  it('asks the method for the missing ids only, and puts the result together in the order of the ids', async () => {
    await service.mapOf([2, 3]);
    const result = await service.mapOf([1, 2, 3, 4]);
    expect([...result.keys()]).to.deep.equal([1, 2, 3, 4]);
    expect(result.get(4)).to.deep.equal(user(4));
    expect(asked).to.deep.equal([
      [2, 3],
      [1, 4],
    ]);
    const { hits, misses, sets, loads } = manager.statistics();
    expect({ hits, misses, sets, loads }).to.deep.equal({ hits: 2, misses: 4, sets: 4, loads: 2 });
  });

  it('leaves an absent id out of a Map, and does not cache it', async () => {
    expect([...(await service.mapOf([1, 100])).keys()]).to.deep.equal([1]);
    expect([...(await service.mapOf([1, 100])).keys()]).to.deep.equal([1]);
    expect(asked).to.deep.equal([[1, 100], [100]]);
  });

  it('caches null in a Map', async () => {
    await service.mapOf([13]);
    expect(await service.mapOf([13])).to.deep.equal(new Map([[13, null]]));
    expect(asked).to.have.length(1);
  });

  it('keeps the places of a list, absent ids as undefined', async () => {
    expect(await service.listOf([3, 100, 13])).to.deep.equal([user(3), undefined, null]);
    expect(await service.listOf([13, 3, 100])).to.deep.equal([null, user(3), undefined]);
    expect(asked).to.deep.equal([[3, 100, 13], [100]]);
  });

  it('takes items apart by idOf, in whichever order they come', async () => {
    expect(await service.itemsOf([1, 2, 100])).to.deep.equal([user(1), user(2)]);
    expect(await service.itemsOf([2, 100, 1])).to.deep.equal([user(2), user(1)]);
    expect(asked).to.deep.equal([[1, 2, 100], [100]]);
  });

  it('asks for an id that is given twice once', async () => {
    expect(await service.listOf([1, 1, 2])).to.deep.equal([user(1), user(1), user(2)]);
    expect(asked).to.deep.equal([[1, 2]]);
  });

  it('calls the method for an empty list, whose form nobody else knows', async () => {
    expect(await service.mapOf([])).to.deep.equal(new Map());
    expect(await service.listOf([])).to.deep.equal([]);
    expect(asked).to.deep.equal([[], []]);
  });

  it('takes the list from any place, and the other arguments into the key', async () => {
    await service.ofTenant('a', [1]);
    expect(await service.ofTenant('a', [1, 2])).to.deep.equal(['a/1', 'a/2']);
    expect(await service.ofTenant('b', [1])).to.deep.equal(['b/1']);
    expect(asked).to.deep.equal([
      ['a', 1],
      ['a', 2],
      ['b', 1],
    ]);
    expect(await manager.cache('tenants').get(['a', 2])).to.equal('a/2');
  });

  it('runs the method as it is, when the condition is false', async () => {
    await service.ofTenant('none', [1]);
    await service.ofTenant('none', [1]);
    expect(asked).to.have.length(2);
    expect(manager.statistics().sets).to.equal(0);
  });

  it('shares its entries with other operations of the cache', async () => {
    await service.mapOf([1, 2, 3]);
    await service.evict([1, 3]);
    await service.mapOf([1, 2, 3]);
    expect(asked).to.deep.equal([
      [1, 2, 3],
      [1, 3],
    ]);
    expect(await manager.cache('users').get(2)).to.deep.equal(user(2));
  });

  it('learns the form from one id, when all is cached before the method ever ran', async () => {
    class Fresh {
      readonly cacheManager = manager;
      @Cacheable({ cache: 'fresh', each: { arg: 0 } })
      async mapOf(ids: readonly number[]): Promise<Map<number, string>> {
        asked.push([...ids]);
        return new Map(ids.map((id) => [id, `loaded ${id}`]));
      }
    }
    await manager.cache('fresh').setMany([
      [1, 'one'],
      [2, 'two'],
    ]);
    const result = await new Fresh().mapOf([1, 2]);
    expect(result).to.deep.equal(
      new Map([
        [1, 'one'],
        [2, 'two'],
      ]),
    );
    expect(asked).to.deep.equal([[1]]);
    await new Fresh().mapOf([1, 2]);
    expect(asked).to.deep.equal([[1]]);
  });

  describe('with a result of another form', () => {
    const shapes: readonly (readonly [title: string, result: unknown])[] = [
      ['an object', { 1: 'one' }],
      ['a list of another length', ['one']],
      ['nothing', undefined],
      ['null', null],
    ];
    for (const [title, result] of shapes) {
      it(`gives ${title} as it is, reports it, and caches nothing`, async () => {
        class Wrong {
          readonly cacheManager = manager;
          @Cacheable({ cache: 'wrong', each: { arg: 0 } })
          async find(ids: readonly number[]): Promise<string[]> {
            asked.push([...ids]);
            return result as string[];
          }
        }
        expect(await new Wrong().find([1, 2])).to.equal(result);
        expect(asked).to.deep.equal([[1, 2]]);
        expect(errors).to.have.length(1);
        expect(errors[0]!.message)
          .to.match(/'find' gave .* for a list of ids/)
          .and.not.contain('one');
        expect(manager.statistics().sets).to.equal(0);
      });
    }

    it('calls the method for all ids once more, when some were cached', async () => {
      class Wrong {
        readonly cacheManager = manager;
        @Cacheable({ cache: 'wrong', each: { arg: 0 } })
        async find(ids: readonly number[]): Promise<string[]> {
          asked.push([...ids]);
          return 'a text' as unknown as string[];
        }
      }
      await manager.cache('wrong').set(1, 'one');
      expect(await new Wrong().find([1, 2])).to.equal('a text');
      expect(asked).to.deep.equal([[2], [1, 2]]);
    });

    it('gives the result, when idOf fails', async () => {
      class Wrong {
        readonly cacheManager = manager;
        @Cacheable({
          cache: 'wrong',
          each: { arg: 0, idOf: (item: { id: number }) => item.id.valueOf() },
        })
        async find(ids: readonly number[]): Promise<{ id: number }[]> {
          return ids.map(() => ({}) as { id: number });
        }
      }
      expect(await new Wrong().find([1, 2])).to.deep.equal([{}, {}]);
      expect(errors).to.have.length(1);
      expect(errors[0]!.cause).to.be.instanceOf(TypeError);
    });

    it('gives the result, when idOf gives what is no key', async () => {
      class Wrong {
        readonly cacheManager = manager;
        @Cacheable({
          cache: 'wrong',
          each: { arg: 0, idOf: (item: User) => (() => item) as never },
        })
        async find(ids: readonly number[]): Promise<User[]> {
          return ids.map(user);
        }
      }
      expect(await new Wrong().find([1])).to.deep.equal([user(1)]);
      expect(errors).to.have.length(1);
    });
  });

  it('runs the method as it is, and reports it, when the argument is no list', async () => {
    const result = await service
      .mapOf('12' as unknown as number[])
      .catch((error: unknown) => error);
    expect(result).to.be.instanceOf(TypeError);
    expect(asked).to.deep.equal([['1', '2']]);
    expect(errors.map(({ code }) => code)).to.deep.equal(['ERR_CACHE_KEY']);
  });

  it('runs the method as it is, and reports it, when an id is no key', async () => {
    const ids = [1, Symbol('two')] as unknown as number[];
    await service.listOf(ids).catch(() => undefined);
    expect(asked).to.have.length(1);
    expect(errors.map(({ code }) => code)).to.deep.equal(['ERR_CACHE_KEY']);
  });
});
