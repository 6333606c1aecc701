import { expect } from 'chai';
import {
  bindCacheManager,
  CacheConfig,
  CacheEvict,
  CacheManager,
  CachePut,
  Cacheable,
  DecoratorUsageError,
  InvalidOptionError,
  silentLogger,
  Transactional,
  type Cache,
} from 'cachewell';
import { BACKENDS_UNDER_TEST, type BackendPlace } from '../support/backends-under-test.js';
import { GatedSource } from '../support/gated-source.js';

/** A table, with one write that others see when it is committed. */
class Accounts {
  readonly source = new GatedSource();
  late: Promise<string> | undefined;
  committed = new Map([
    [1, 'old 1'],
    [2, 'old 2'],
  ]);

  constructor(readonly cacheManager: CacheManager) {}

  @Cacheable({ cache: 'accounts', key: (id: number) => id })
  async find(id: number): Promise<string> {
    return this.committed.get(id) ?? 'none';
  }

  @Cacheable({ cache: 'accounts', each: { arg: 0 } })
  async findAll(ids: readonly number[]): Promise<string[]> {
    return ids.map((id) => this.committed.get(id) ?? 'none');
  }

  @CachePut({ cache: 'accounts', key: (id: number) => id })
  async put(_id: number, value: string): Promise<string> {
    return value;
  }

  @CachePut({ cache: 'accounts', keyOf: (value: string) => Number(value.split(' ')[1]) })
  async putByResult(value: string): Promise<string> {
    return value;
  }

  @CachePut({ cache: 'accounts', key: (id: number) => id })
  async putLate(id: number): Promise<string> {
    return this.source.load(id);
  }

  @CacheEvict({ cache: 'accounts', key: (id: number) => id })
  async evict(_id: number): Promise<void> {}

  @CacheEvict({ cache: 'accounts', allEntries: true })
  async evictAll(): Promise<void> {}

  /** Runs steps in a transaction that goes on until the spec ends it. */
  @Transactional()
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  @Transactional({ propagation: 'join' })
  async joined(work: () => Promise<void>): Promise<void> {
    await work();
  }

  @Transactional()
  @CacheEvict({ cache: 'accounts', key: (id: number) => id })
  async change(id: number, value: string, isCommitted: boolean): Promise<void> {
    await this.find(id);
    if (isCommitted) this.committed.set(id, value);
    else throw new Error('rolled back');
  }

  @Transactional()
  static async inClass(this: typeof Accounts, work: () => Promise<void>): Promise<void> {
    await work();
  }
}

async function errorOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

for (const { name, isShared, start } of BACKENDS_UNDER_TEST) {
  describe(`Transactional ${name}`, () => {
    let place: BackendPlace;
    let manager: CacheManager;
    let accounts: Accounts;
    let cache: Cache<readonly [number], string>;
    before(async () => {
      place = await start();
    });
    after(() => place.stop());
    beforeEach(() => {
      manager = new CacheManager({ backend: place.backend(), logger: silentLogger });
      accounts = new Accounts(manager);
      cache = manager.cache('accounts');
    });
    afterEach(() => manager.close());

    it('keeps puts and evicts until the method has succeeded', async () => {
      await cache.set(1, 'old 1');
      await cache.set(2, 'old 2');
      await accounts.run(async () => {
        await accounts.put(1, 'new 1');
        await accounts.putByResult('new 3');
        await accounts.evict(2);
        expect(await accounts.find(1)).to.equal('new 1');
        expect(await accounts.find(3)).to.equal('new 3');
        expect(await manager.transaction(() => cache.getMany([1, 2, 3]))).to.deep.equal(
          new Map([
            [1, 'old 1'],
            [2, 'old 2'],
          ]),
        );
      });
      expect(await cache.getMany([1, 2, 3])).to.deep.equal(
        new Map([
          [1, 'new 1'],
          [3, 'new 3'],
        ]),
      );
    });

    it('keeps nothing that it loads', async () => {
      await accounts.run(async () => {
        accounts.committed.set(1, 'uncommitted');
        expect(await accounts.find(1)).to.equal('uncommitted');
        expect(await accounts.findAll([1, 2])).to.deep.equal(['uncommitted', 'old 2']);
        expect(await accounts.findAll([1, 2])).to.deep.equal(['uncommitted', 'old 2']);
        expect(await accounts.find(1)).to.equal('uncommitted');
      });
      expect(await cache.getMany([1, 2])).to.deep.equal(new Map());
    });

    it('runs a method once for what it loaded and nobody has touched', async () => {
      await accounts.run(async () => {
        expect(await accounts.find(1)).to.equal('old 1');
        accounts.committed.set(1, 'changed behind our back');
        expect(await accounts.find(1)).to.equal('old 1');
        await accounts.evict(1);
        expect(await accounts.find(1)).to.equal('changed behind our back');
      });
    });

    it('drops puts and evicts all the same when the method throws', async () => {
      await cache.set(1, 'old 1');
      await cache.set(2, 'old 2');
      await cache.set(3, 'old 3');
      const error = new Error('rolled back');
      const over = accounts.run(async () => {
        await accounts.put(1, 'new 1');
        await accounts.evict(2);
        throw error;
      });
      expect(await errorOf(over)).to.equal(error);
      expect(await cache.getMany([1, 2, 3])).to.deep.equal(new Map([[3, 'old 3']]));
    });

    it('holds around the caching decorators below it', async () => {
      expect(await accounts.find(1)).to.equal('old 1');
      await accounts.change(1, 'new 1', true);
      expect(await accounts.find(1)).to.equal('new 1');
      expect(await errorOf(accounts.change(1, 'newer', false))).to.be.instanceOf(Error);
      expect(await accounts.find(1)).to.equal('new 1');
    });

    it('drops a put, and voids its key, when the key was evicted outside meanwhile', async () => {
      let outside!: () => Promise<void>;
      const gate = new Promise<void>((resolve) => {
        outside = async () => {
          await cache.delete(1);
          resolve();
        };
      });
      const over = accounts.run(async () => {
        await accounts.put(1, 'older');
        put();
        await gate;
      });
      let put!: () => void;
      const isPut = new Promise<void>((resolve) => (put = resolve));
      await isPut;
      await outside();
      await over;
      expect(await cache.get(1)).to.equal(undefined);
    });

    it('stores a put that nobody awaited under its own token, when the method has succeeded', async () => {
      await cache.set(1, 'old 1');
      await accounts.run(async () => {
        accounts.late = accounts.putLate(1);
        await accounts.source.started(1);
      });
      expect(await cache.get(1)).to.equal('old 1');
      accounts.source.finish(1, 'late');
      await accounts.late;
      expect(await cache.get(1)).to.equal('late');
    });

    it('refuses such a put when its key was evicted since', async () => {
      await accounts.run(async () => {
        accounts.late = accounts.putLate(1);
        await accounts.source.started(1);
      });
      await cache.delete(1);
      accounts.source.finish(1, 'late');
      await accounts.late;
      expect(await cache.get(1)).to.equal(undefined);
    });

    it('voids the key of such a put when the method has failed', async () => {
      await cache.set(1, 'old 1');
      const failing = accounts.run(async () => {
        accounts.late = accounts.putLate(1);
        await accounts.source.started(1);
        throw new Error('rolled back');
      });
      expect(await errorOf(failing)).to.be.instanceOf(Error);
      accounts.source.finish(1, 'late');
      expect(await accounts.late).to.equal('late');
      expect(await cache.get(1)).to.equal(undefined);
    });

    it('refuses a put that an evict inside has overtaken', async () => {
      await accounts.run(async () => {
        accounts.late = accounts.putLate(1);
        await accounts.source.started(1);
        await accounts.evict(1);
        accounts.source.finish(1, 'older');
        await accounts.late;
        expect(await cache.get(1)).to.equal(undefined);
      });
      expect(await cache.get(1)).to.equal(undefined);
    });

    it('stores a put behind an evict of the whole cache, where nobody can have come between', async () => {
      await cache.set(2, 'old 2');
      await accounts.run(async () => {
        await accounts.evictAll();
        await accounts.put(1, 'new 1');
      });
      expect(await cache.get(1)).to.equal(isShared ? undefined : 'new 1');
      expect(await cache.get(2)).to.equal(undefined);
    });

    it('joins the transaction around it when it is to', async () => {
      await cache.set(1, 'old 1');
      await accounts.run(async () => {
        await accounts.joined(() => accounts.evict(1));
        expect(await manager.transaction(() => cache.get(1))).to.equal('old 1');
        await accounts.run(() => accounts.put(2, 'new 2'));
        expect(await manager.transaction(() => cache.get(2))).to.equal('new 2');
      });
      expect(await cache.get(1)).to.equal(undefined);
    });
  });
}

describe('Transactional', () => {
  const managers: CacheManager[] = [];
  const made = (): CacheManager => {
    const manager = new CacheManager({ logger: silentLogger });
    managers.push(manager);
    return manager;
  };
  afterEach(() => Promise.all(managers.splice(0).map((manager) => manager.close())));

  /** Whether puts into a manager are kept while the work runs. */
  async function isKept(manager: CacheManager): Promise<boolean> {
    await manager.cache('probe').set(1, 'kept');
    const counted = manager.cache('probe').statistics().sets;
    return counted === 0;
  }

  it('finds its manager as the other decorators do: own option, class, instance', async () => {
    const [own, ofClass, ofInstance] = [made(), made(), made()];

    @CacheConfig({ manager: ofClass })
    class Configured {
      @Transactional({ manager: () => own })
      async byOption(): Promise<boolean> {
        return isKept(own);
      }

      @Transactional()
      async byClass(): Promise<boolean> {
        return isKept(ofClass);
      }
    }

    class Bound {
      @Transactional()
      async byInstance(): Promise<boolean> {
        return isKept(ofInstance);
      }
    }

    const bound = new Bound();
    bindCacheManager(bound, ofInstance);
    expect(await new Configured().byOption()).to.equal(true);
    expect(await new Configured().byClass()).to.equal(true);
    expect(await bound.byInstance()).to.equal(true);
    expect(await isKept(made())).to.equal(false);
  });

  it('works on static methods', async () => {
    const manager = made();
    bindCacheManager(Accounts, manager);
    await Accounts.inClass(async () => {
      expect(await isKept(manager)).to.equal(true);
    });
  });

  it('keeps name, length and arguments of the method', async () => {
    class Sums {
      readonly cacheManager = made();

      @Transactional()
      async add(a: number, b: number): Promise<number> {
        return a + b;
      }
    }
    const sums = new Sums();
    expect(sums.add).to.include({ name: 'add', length: 2 });
    expect(await sums.add(1, 2)).to.equal(3);
  });

  it('lets a cache below it have the name of class and method', async () => {
    class Rates {
      readonly cacheManager = made();

      @Transactional()
      @Cacheable()
      async find(currency: string): Promise<string> {
        return currency;
      }
    }
    const rates = new Rates();
    await rates.find('EUR');
    expect(rates.cacheManager.caches()).to.deep.equal(['Rates.find']);
  });

  it('refuses options that do not exist', () => {
    for (const options of [{ propagate: 'join' }, { propagation: 'nested' }, { manager: 5 }, 5]) {
      expect(() => {
        class Wrong {
          @Transactional(options as never)
          async run(): Promise<void> {}
        }
        return Wrong;
      }).to.throw(InvalidOptionError, '@Transactional');
    }
  });

  it('rejects where the method throws at once or gives no promise, and evicts what it was to', async () => {
    const manager = made();
    const error = new Error('at once');
    class Wrong {
      readonly cacheManager = manager;

      @Transactional()
      throws(): Promise<void> {
        void manager.cache('probe').delete(1);
        throw error;
      }

      @Transactional()
      synchronous(): Promise<void> {
        void manager.cache('probe').delete(1);
        return 5 as never;
      }
    }
    await manager.cache('probe').set(1, 'old');
    expect(await errorOf(new Wrong().throws())).to.equal(error);
    expect(await manager.cache('probe').has(1)).to.equal(false);
    await manager.cache('probe').set(1, 'old');
    expect(await errorOf(new Wrong().synchronous())).to.be.instanceOf(DecoratorUsageError);
    expect(await manager.cache('probe').has(1)).to.equal(false);
  });
});
