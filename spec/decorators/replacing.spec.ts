import {
  CacheManager,
  CachePut,
  Cacheable,
  CacheTimeoutError,
  MemoryBackend,
  silentLogger,
} from 'cachewell';
import { FaultyBackend } from 'cachewell/testing';
import { expect } from 'chai';

/** A put makes the old value untrue, also when the new one cannot take its place. */
describe('A @CachePut whose result is not stored', () => {
  let backend: FaultyBackend;
  let manager: CacheManager;
  let failing: boolean;

  class Service {
    readonly cacheManager = manager;
    stored: unknown = 'old';

    @Cacheable({ cache: 'a', key: (id: number) => id })
    async find(id: number): Promise<unknown> {
      return [id, this.stored];
    }

    @CachePut({ cache: 'a', key: (id: number) => id, tagsOf: () => tags() })
    async save(id: number, value: unknown): Promise<unknown> {
      this.stored = value;
      return [id, value];
    }

    @CachePut({ cache: 'a', key: (id: number) => id, unless: () => true })
    async keep(id: number, value: unknown): Promise<unknown> {
      return [id, value];
    }
  }

  function tags(): string[] {
    if (failing) throw new RangeError('no tags');
    return [];
  }

  beforeEach(() => {
    failing = false;
    backend = new FaultyBackend(new MemoryBackend({ isolation: 'copy' }));
    manager = new CacheManager({ backend, logger: silentLogger });
  });

  afterEach(() => manager.close());

  it('leaves nothing, when the value cannot be kept', async () => {
    const service = new Service();
    await service.find(1);
    const result = (await service.save(1, () => undefined)) as unknown[];
    expect(result[1]).to.be.a('function');
    expect(await manager.cache('a').get(1)).to.equal(undefined);
  });

  it('leaves nothing, when a function of its options fails', async () => {
    const service = new Service();
    await service.find(1);
    failing = true;
    expect(await service.save(1, 'new')).to.deep.equal([1, 'new']);
    expect(await manager.cache('a').get(1)).to.equal(undefined);
  });

  it('leaves nothing, when its token could not be taken', async () => {
    const service = new Service();
    await service.find(1);
    backend.fail('begin', { error: new CacheTimeoutError('begin', 250), times: 1 });
    await service.save(1, 'new');
    expect(await manager.cache('a').get(1)).to.equal(undefined);
  });

  it('leaves nothing, while the manager is switched off', async () => {
    const service = new Service();
    await service.find(1);
    await manager.cache('a').set(2, 'old');
    manager.enabled = false;
    await service.save(1, 'new');
    expect(await manager.cache('a').set(2, 'new')).to.equal(false);
    manager.enabled = true;
    expect([...(await manager.cache('a').getMany([1, 2])).keys()]).to.deep.equal([]);
  });

  it('leaves what is there, when it is vetoed', async () => {
    const service = new Service();
    await service.find(1);
    await service.keep(1, 'new');
    expect(await manager.cache('a').get(1)).to.deep.equal([1, 'old']);
  });
});

describe('A list that is cached as a whole before its form is known', () => {
  it('is learnt by one run, however many ask', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const calls: number[][] = [];
    class Service {
      readonly cacheManager = manager;
      @Cacheable({ cache: 'a', each: { arg: 0 } })
      async findMany(ids: number[]): Promise<string[]> {
        calls.push(ids);
        await Promise.resolve();
        return ids.map((id) => `value ${id}`);
      }
    }
    await manager.cache('a').setMany([
      [1, 'value 1'],
      [2, 'value 2'],
    ]);
    const service = new Service();
    const lists = await Promise.all(Array.from({ length: 20 }, () => service.findMany([1, 2])));
    for (const list of lists) expect(list).to.deep.equal(['value 1', 'value 2']);
    expect(calls).to.deep.equal([[1]]);
  });
});
