import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import {
  CacheConfig,
  CacheEvict,
  CacheManager,
  Cacheable,
  DecoratorUsageError,
  cacheEvict,
  cachePut,
  cacheable,
  silentLogger,
} from 'cachewell';
import { settle } from '../support/gated-source.js';

/** The garbage collector, without a flag on the command line. */
function collector(): () => void {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}

describe('Decorated members', () => {
  let manager: CacheManager;
  let runs: string[];
  beforeEach(() => {
    manager = new CacheManager({ logger: silentLogger });
    runs = [];
  });
  afterEach(() => manager.close());

  const ran = <Value>(name: string, value: Value): Value => {
    runs.push(name);
    return value;
  };

  describe('without `cache`', () => {
    it('are named after the class that declares them, and the method', async () => {
      class Base {
        readonly cacheManager = manager;
        @Cacheable()
        async find(id: number): Promise<number> {
          return ran('find', id);
        }
      }
      class Derived extends Base {}
      await new Derived().find(1);
      await new Base().find(1);
      expect(manager.caches()).to.deep.equal(['Base.find']);
      expect(runs).to.deep.equal(['find']);
    });

    it('are named by symbols, too', async () => {
      const find = Symbol('find');
      class Service {
        readonly cacheManager = manager;
        @Cacheable()
        async [find](id: number): Promise<number> {
          return ran('find', id);
        }
      }
      await new Service()[find](1);
      await new Service()[find](1);
      expect(manager.caches()).to.deep.equal(['Service.Symbol(find)']);
      expect(runs).to.deep.equal(['find']);
    });

    it('are refused at the call, when two classes have one name', async () => {
      const make = (): { find(id: number): Promise<number> } => {
        class Service {
          readonly cacheManager = manager;
          @Cacheable()
          async find(id: number): Promise<number> {
            return ran('find', id);
          }
        }
        return new Service();
      };
      await make().find(1);
      const error = await make()
        .find(1)
        .catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DecoratorUsageError);
      expect((error as Error).message).to.match(/two classes.*'Service\.find'.*cache/);
      expect(runs).to.deep.equal(['find']);
    });

    it('are refused at the call, when the class has no name', async () => {
      class Service {
        readonly cacheManager = manager;
        @Cacheable()
        async find(id: number): Promise<number> {
          return ran('find', id);
        }
      }
      Object.defineProperty(Service, 'name', { value: '' });
      const error = await new Service().find(1).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DecoratorUsageError);
      expect((error as Error).message).to.contain("add 'cache'");
    });

    it('are refused at the call, when a decorator of others stands on top', async () => {
      class Service {
        readonly cacheManager = manager;
        @Cacheable()
        async find(id: number): Promise<number> {
          return ran('find', id);
        }
      }
      const { find } = Service.prototype;
      Service.prototype.find = function (id) {
        return find.call(this, id);
      };
      const error = await new Service().find(1).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DecoratorUsageError);
    });
  });

  describe('without `key`', () => {
    it('are refused, when two of them share a cache', async () => {
      @CacheConfig({ cache: 'shared' })
      class Service {
        readonly cacheManager = manager;
        @Cacheable()
        async find(id: number): Promise<number> {
          return id;
        }
        @Cacheable()
        async count(id: number): Promise<number> {
          return id;
        }
        @Cacheable({ key: (id: number) => ['keyed', id] })
        async keyed(id: number): Promise<number> {
          return id;
        }
        @CacheEvict()
        async remove(_id: number): Promise<void> {}
      }
      const service = new Service();
      await service.find(1);
      await service.keyed(1);
      await service.remove(1);
      const error = await service.count(1).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DecoratorUsageError);
      expect((error as Error).message)
        .to.contain("'shared'")
        .and.to.contain("'find'");
    });

    it('agree about a key across methods of one cache, as in Spring', async () => {
      @CacheConfig({ cache: 'users' })
      class Service {
        readonly cacheManager = manager;
        @Cacheable()
        async find(id: number): Promise<string> {
          return ran('find', `user ${id}`);
        }
        @CacheEvict()
        async remove(_id: number): Promise<void> {}
      }
      const service = new Service();
      await service.find(1);
      await service.remove(1);
      await service.find(1);
      expect(runs).to.deep.equal(['find', 'find']);
    });
  });

  describe('that are inherited', () => {
    class Base {
      declare readonly cacheManager: CacheManager;
      @Cacheable({ cache: 'inherited' })
      async find(id: number): Promise<string> {
        return ran('Base.find', `base ${id}`);
      }
    }

    const withManager = <Instance extends object>(instance: Instance): Instance =>
      Object.assign(instance, { cacheManager: manager });

    it('are not cached any more, when they are overridden without a decorator', async () => {
      class Derived extends Base {
        override async find(id: number): Promise<string> {
          return ran('Derived.find', `derived ${id}`);
        }
      }
      const derived = withManager(new Derived());
      await derived.find(1);
      await derived.find(1);
      expect(runs).to.deep.equal(['Derived.find', 'Derived.find']);
    });

    it('are still cached below, when an override calls super', async () => {
      class Derived extends Base {
        override async find(id: number): Promise<string> {
          return `derived from ${await super.find(id)}`;
        }
      }
      const derived = withManager(new Derived());
      expect(await derived.find(1)).to.equal('derived from base 1');
      expect(await derived.find(1)).to.equal('derived from base 1');
      expect(runs).to.deep.equal(['Base.find']);
    });

    it('do not wait for themselves, when a decorated override calls super on the same key', async () => {
      class Derived extends Base {
        @Cacheable({ cache: 'inherited' })
        override async find(id: number): Promise<string> {
          return `derived from ${await super.find(id)}`;
        }
      }
      const derived = withManager(new Derived());
      const both = await Promise.all([derived.find(1), derived.find(1)]);
      expect(both).to.deep.equal(['derived from base 1', 'derived from base 1']);
      expect(runs).to.deep.equal(['Base.find']);
      expect(await manager.cache('inherited').get(1)).to.equal('derived from base 1');
    });
  });

  describe('that call each other', () => {
    class Friends {
      declare readonly cacheManager: CacheManager;
      readonly friendOf: ReadonlyMap<number, number>;
      constructor(friends: readonly (readonly [number, number])[]) {
        this.friendOf = new Map(friends);
        Object.assign(this, { cacheManager: manager });
      }

      @Cacheable({ cache: 'friends' })
      async circle(id: number, depth: number): Promise<string> {
        runs.push(`circle ${id}`);
        const friend = this.friendOf.get(id);
        if (friend === undefined || depth === 0) return `${id}`;
        return `${id}-${await this.circle(friend, depth)}`;
      }

      @Cacheable({ cache: 'pairs', key: (id: number) => id })
      async pair(id: number, isInner = false): Promise<string> {
        runs.push(`pair ${id}`);
        if (isInner) return `inner ${id}`;
        return `${id}+${await this.pair(3 - id, true)}`;
      }

      @Cacheable({ cache: 'all', each: { arg: 0 } })
      async all(ids: readonly number[]): Promise<string[]> {
        runs.push(`all ${ids.join(',')}`);
        if (runs.length > 1) return ids.map((id) => `inner ${id}`);
        const inner = await this.all([ids[0]!, 77]);
        return ids.map((id) => `${id} by ${inner.join(' and ')}`);
      }
    }

    it('are cached on the way in, as other calls are', async () => {
      const friends = new Friends([
        [1, 2],
        [2, 3],
      ]);
      expect(await friends.circle(1, 1)).to.equal('1-2-3');
      expect(await friends.circle(2, 1)).to.equal('2-3');
      expect(runs).to.deep.equal(['circle 1', 'circle 2', 'circle 3']);
    });

    it('do not wait for each other in a circle', async () => {
      const friends = new Friends([]);
      const [one, two] = await Promise.all([friends.pair(1), friends.pair(2)]);
      expect(one).to.match(/^1\+/);
      expect(two).to.match(/^2\+/);
      expect(manager.core('pairs').flights.size).to.equal(0);
    });

    it('do not wait for themselves within a list', async () => {
      const friends = new Friends([]);
      expect(await friends.all([1, 2])).to.deep.equal([
        '1 by inner 1 and inner 77',
        '2 by inner 1 and inner 77',
      ]);
      expect(runs).to.deep.equal(['all 1,2', 'all 1,77']);
      expect(manager.core('all').flights.size).to.equal(0);
    });
  });

  describe('that are static', () => {
    it('are cached by the class that declares them', async () => {
      class Base {
        static readonly cacheManager = manager;
        @Cacheable()
        static async find(id: number): Promise<string> {
          return ran('find', `${this.name} ${id}`);
        }
      }
      class Derived extends Base {}
      expect(await Base.find(1)).to.equal('Base 1');
      expect(await Derived.find(1)).to.equal('Base 1');
      expect(manager.caches()).to.deep.equal(['Base.find']);
      expect(runs).to.deep.equal(['find']);
    });

    it('take the configuration of the class that they are called on', async () => {
      @CacheConfig({ cache: 'base', manager: () => manager })
      class Base {
        @Cacheable()
        static async find(id: number): Promise<number> {
          return ran(this.name, id);
        }
      }
      @CacheConfig({ cache: 'derived' })
      class Derived extends Base {}
      await Base.find(1);
      await Derived.find(1);
      expect(manager.caches()).to.deep.equal(['base', 'derived']);
    });
  });

  describe('that are generic', () => {
    it('are cached as others', async () => {
      class Box<Item> {
        readonly cacheManager = manager;
        readonly items: Item[] = [];
        @Cacheable({ cache: 'boxes' })
        async pick<Value extends number>(value: Value): Promise<Value> {
          return ran('pick', value);
        }
      }
      const box = new Box<string>();
      expect(await box.pick(1)).to.equal(1);
      expect(await box.pick(1)).to.equal(1);
      expect(runs).to.deep.equal(['pick']);
    });
  });

  describe('with @CacheConfig', () => {
    it('inherit it, option by option; the subclass wins, and the method over both', async () => {
      @CacheConfig({ cache: 'base', ttl: '1m', tags: ['base'] })
      class Base {
        readonly cacheManager = manager;
        @Cacheable({ key: (id: number) => ['find', id] })
        async find(id: number): Promise<number> {
          return id;
        }
        @Cacheable({ key: (id: number) => ['short', id], ttl: '1s' })
        async short(id: number): Promise<number> {
          return id;
        }
      }
      @CacheConfig({ ttl: '2m' })
      class Derived extends Base {}
      await new Base().find(1);
      await new Derived().find(2);
      await new Derived().short(3);
      const cache = manager.cache('base');
      expect(await cache.ttl(['find', 1])).to.be.within(59_000, 60_000);
      expect(await cache.ttl(['find', 2])).to.be.within(119_000, 120_000);
      expect(await cache.ttl(['short', 3])).to.be.within(1, 1_000);
      expect((await cache.getEntry(['find', 2])).tags).to.deep.equal(['base']);
    });
  });

  describe('of no class', () => {
    it('are cached by the name of the function', async () => {
      async function rateOf(currency: string): Promise<string> {
        return ran('rateOf', currency);
      }
      const cached = cacheable(rateOf, { manager });
      expect(cached.name).to.equal('rateOf');
      expect(cached.length).to.equal(1);
      expect(await cached('EUR')).to.equal('EUR');
      expect(await cached('EUR')).to.equal('EUR');
      expect(manager.caches()).to.deep.equal(['rateOf']);
      expect(runs).to.deep.equal(['rateOf']);
    });

    it('are refused without a name', async () => {
      const cached = cacheable(
        (
          () => async (id: number) =>
            id
        )(),
        { manager },
      );
      const error = await cached(1).catch((reason: unknown) => reason);
      expect(error).to.be.instanceOf(DecoratorUsageError);
    });

    it('can be evicted from and put', async () => {
      const find = cacheable(async (id: number) => ran('find', `user ${id}`), {
        cache: 'users',
        manager,
      });
      const remove = cacheEvict(async (_id: number) => undefined, { cache: 'users', manager });
      const save = cachePut(async (_id: number, name: string) => name, {
        cache: 'users',
        key: (id: number) => id,
        manager,
      });
      await find(1);
      await remove(1);
      expect(await find(1)).to.equal('user 1');
      await save(1, 'saved');
      expect(await find(1)).to.equal('saved');
      expect(runs).to.deep.equal(['find', 'find']);
    });

    it('do not change, when another form is made of them', async () => {
      const find = cacheable(async (id: number) => ran('find', id), { cache: 'users', manager });
      const findAndForget = cacheEvict(find, { cache: 'users', manager });
      await find(1);
      expect(await manager.cache('users').has(1)).to.equal(true);
      await findAndForget(1);
      expect(await manager.cache('users').has(1)).to.equal(false);
      await find(1);
      await find(1);
      expect(runs).to.deep.equal(['find', 'find']);
    });
  });

  it('of a thousand short-lived instances are not kept alive', async () => {
    class Transient {
      readonly cacheManager = manager;
      @Cacheable({ cache: 'transient' })
      async find(id: number): Promise<number> {
        return ran('find', id);
      }
    }
    const collect = collector();
    const used: WeakRef<Transient>[] = [];
    await Promise.all(
      Array.from({ length: 1000 }, () => {
        const service = new Transient();
        used.push(new WeakRef(service));
        return service.find(1);
      }),
    );
    expect(runs).to.deep.equal(['find']);
    await settle();
    collect();
    expect(used.filter((each) => each.deref() !== undefined).length, 'instances alive').to.be.below(
      10,
    );
  });
});
