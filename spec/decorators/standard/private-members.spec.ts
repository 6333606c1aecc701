import { expect } from 'chai';
import { CacheManager, Cacheable, CacheConfig, DecoratorUsageError, silentLogger } from 'cachewell';

describe('Private members', () => {
  let manager: CacheManager;
  let runs: number;
  beforeEach(() => {
    manager = new CacheManager({ logger: silentLogger });
    runs = 0;
  });
  afterEach(() => manager.close());

  it('are cached', async () => {
    class Service {
      readonly cacheManager = manager;
      find(id: number): Promise<string> {
        return this.#find(id);
      }
      @Cacheable({ cache: 'private' })
      async #find(id: number): Promise<string> {
        runs++;
        return `value ${id}`;
      }
    }
    const service = new Service();
    expect(await service.find(1)).to.equal('value 1');
    expect(await service.find(1)).to.equal('value 1');
    expect(runs).to.equal(1);
  });

  it('take the cache of the class', async () => {
    @CacheConfig({ cache: 'of-the-class' })
    class Service {
      readonly cacheManager = manager;
      find(id: number): Promise<string> {
        return this.#find(id);
      }
      @Cacheable()
      async #find(id: number): Promise<string> {
        return `value ${id}`;
      }
    }
    await new Service().find(1);
    expect(manager.caches()).to.deep.equal(['of-the-class']);
  });

  it('need a `cache`, for their class cannot be found', async () => {
    class Service {
      readonly cacheManager = manager;
      find(id: number): Promise<string> {
        return this.#find(id);
      }
      @Cacheable()
      async #find(id: number): Promise<string> {
        return `value ${id}`;
      }
    }
    const error = await new Service().find(1).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(DecoratorUsageError);
    expect((error as Error).message)
      .to.contain('#find')
      .and.to.contain("add 'cache'");
  });

  it('can be static', async () => {
    class Service {
      static find(id: number): Promise<string> {
        return this.#find(id);
      }
      @Cacheable({ cache: 'static-private', manager: () => manager })
      static async #find(id: number): Promise<string> {
        runs++;
        return `value ${id}`;
      }
    }
    await Service.find(1);
    await Service.find(1);
    expect(runs).to.equal(1);
  });

  it('leave the metadata of the context alone', async () => {
    let metadata: unknown;
    const Look = (method: unknown, context: ClassMethodDecoratorContext): void => {
      metadata = Reflect.ownKeys((context.metadata as object | undefined) ?? {});
      expect(method).to.be.a('function');
    };
    class Service {
      readonly cacheManager = manager;
      @Look
      @Cacheable({ cache: 'metadata' })
      async find(id: number): Promise<number> {
        return id;
      }
    }
    await new Service().find(1);
    expect(metadata).to.deep.equal([]);
  });
});
