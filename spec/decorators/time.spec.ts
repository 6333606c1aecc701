import { expect } from 'chai';
import {
  bindCacheManager,
  Cacheable,
  CacheConfig,
  CacheEvict,
  CacheManager,
  CachePut,
  Caching,
  currentLoad,
  DecoratorUsageError,
  InvalidOptionError,
  LoadTimeoutError,
  MemoryBackend,
} from 'cachewell';
import { ManualClock } from 'cachewell/testing';
import { GatedSource, settle } from '../support/gated-source.js';

const silent = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

describe('Options of time on decorators', () => {
  let clock: ManualClock;
  let source: GatedSource;
  let manager: CacheManager;
  beforeEach(() => {
    clock = new ManualClock();
    source = new GatedSource();
    const backend = new MemoryBackend({ sweepInterval: Infinity });
    manager = new CacheManager({ backend, clock, logger: silent });
  });
  afterEach(() => manager.close());

  const bound = <Service extends object>(service: Service): Service => {
    bindCacheManager(service, manager);
    return service;
  };
  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      (value) => ({ value }),
      (error: unknown) => error,
    );
  const error = new RangeError('down');

  @CacheConfig({ cache: 'users', ttl: '10s', staleIfError: '1m' })
  class Users {
    @Cacheable({ key: (id: number) => id, tags: (id: number) => [`user:${id}`] })
    async find(id: number): Promise<string> {
      return source.load(id);
    }

    @Cacheable({ key: (id: number) => id, staleWhileRevalidate: '5s' })
    async findQuickly(id: number): Promise<string> {
      return source.load(id);
    }

    @Cacheable({ key: (id: number) => id, refreshAhead: 0.5, staleIfError: 0 })
    async findAhead(id: number): Promise<string> {
      return source.load(id);
    }

    @Cacheable({ key: (id: number) => id, staleIfError: 0, idleTtl: '2s' })
    async findIdle(id: number): Promise<string> {
      return source.load(id);
    }

    @Cacheable({ key: (id: number) => id, softTimeout: 0 })
    async findSoon(id: number): Promise<string> {
      return source.load(id);
    }

    @Cacheable({ key: (id: number) => id, staleIfError: 0, hardTimeout: 5 })
    async findInTime(id: number): Promise<string> {
      return source.load(id);
    }

    @Cacheable({ key: (id: number) => id, condition: (id: number) => id > 0 })
    async findSome(id: number): Promise<string> {
      return source.load(id);
    }

    @Cacheable({ cache: ['users', 'others'], key: (id: number) => id })
    async findInTwo(id: number): Promise<string> {
      return source.load(id);
    }

    @Cacheable({ each: { arg: 0 } })
    async findAll(ids: readonly number[]): Promise<string[]> {
      return source.load(ids);
    }

    @CachePut({ key: (id: number) => id })
    async save(_id: number, value: string): Promise<string> {
      return value;
    }

    @CacheEvict({ key: (id: number) => id })
    async remove(id: number): Promise<void> {
      void id;
    }

    @Caching({ cacheable: { key: (id: number) => id }, put: { key: (id: number) => id } })
    async renew(id: number): Promise<string> {
      return source.load(id);
    }
  }

  it('serve what has expired when the method fails, and what a put has stored as well', async () => {
    const users = bound(new Users());
    await users.save(1, 'old');
    clock.advance('30s');
    const reading = users.find(1);
    await source.started(1);
    source.fail(1, error);
    expect(await reading).to.equal('old');
    expect(await users.find(1), 'throttled').to.equal('old');
    await users.remove(1);
    const gone = failure(users.find(1));
    await source.started(2);
    source.fail(2, error);
    expect(await gone).to.equal(error);
  });

  it('serve what is stale at once, and run the method behind it', async () => {
    const users = bound(new Users());
    await users.save(1, 'old');
    clock.advance('14s');
    expect(await users.findQuickly(1)).to.equal('old');
    await source.started(1);
    expect(source.arguments).to.deep.equal([[1]]);
    source.finish(1, 'new');
    await settle();
    expect(await users.find(1)).to.equal('new');
  });

  it('run the method ahead of expiry', async () => {
    const users = bound(new Users());
    await users.save(1, 'old');
    clock.advance('5s');
    expect(await users.findAhead(1)).to.equal('old');
    await source.started(1);
    source.finish(1, 'new');
    await settle();
    expect(await users.findAhead(1)).to.equal('new');
    expect(source.count).to.equal(1);
  });

  it('keep what is read', async () => {
    const users = bound(new Users());
    const first = users.findIdle(1);
    await source.started(1);
    source.finish(1, 'value');
    await first;
    for (let second = 0; second < 9; second++) {
      clock.advance('1s');
      expect(await users.findIdle(1)).to.equal('value');
    }
    clock.advance('2s');
    const again = users.findIdle(1);
    await source.started(2);
    source.finish(2, 'again');
    expect(await again).to.equal('again');
  });

  it('bound how long a call waits for the method', async () => {
    const users = bound(new Users());
    await users.save(1, 'old');
    clock.advance('10s');
    expect(await users.findSoon(1)).to.equal('old');
    await source.started(1);
    source.finish(1, 'new');
    await settle();
    expect(await users.find(1)).to.equal('new');
    const late = await failure(users.findInTime(2));
    expect(late).to.be.instanceOf(LoadTimeoutError);
  });

  it('hold beside a condition, for several caches, and for lists', async () => {
    const users = bound(new Users());
    // What form a list has, only the method can tell.
    const learnt = users.findAll([9]);
    await source.started(1);
    source.finish(1, ['nine']);
    await learnt;
    await users.save(1, 'old');
    await users.save(2, 'two');
    clock.advance('10s');
    for (const [index, call] of [
      () => users.findSome(1),
      () => users.findInTwo(1),
      () => users.findAll([1, 2]),
    ].entries()) {
      clock.advance('15s');
      const reading = call();
      // The throttle of the first failure is over at the third.
      if (index !== 1) {
        await source.started(index === 0 ? 2 : 3);
        source.fail(index === 0 ? 2 : 3, error);
      }
      expect(await reading).to.deep.equal(index === 2 ? ['old', 'two'] : 'old');
    }
    expect(source.count).to.equal(3);
  });

  it('serve nothing stale where a put applies: the method must run', async () => {
    const users = bound(new Users());
    await users.save(1, 'old');
    clock.advance('10s');
    const renewing = failure(users.renew(1));
    await source.started(1);
    source.fail(1, error);
    expect(await renewing).to.equal(error);
  });

  it('let a method see what is stale, and say that it still holds', async () => {
    class Rates {
      @Cacheable({ cache: 'rates', ttl: '10s', staleIfError: '1h', key: (name: string) => name })
      async find(_name: string): Promise<number> {
        const load = currentLoad()!;
        expect(load.signal.aborted).to.equal(false);
        if (load.stale === undefined) return 1;
        expect(load.stale.ageMs).to.equal(20_000);
        return load.notModified<number>();
      }
    }
    const rates = bound(new Rates());
    expect(await rates.find('EUR')).to.equal(1);
    clock.advance('20s');
    expect(await rates.find('EUR')).to.equal(1);
    expect(await manager.cache('rates').ttl('EUR')).to.equal(10_000);
  });

  it("take sync: 'cluster' for 'local' on a store that nobody shares", async () => {
    class Local {
      @Cacheable({ cache: 'local', sync: 'cluster' })
      async find(id: number): Promise<string> {
        return source.load(id);
      }
    }
    const local = bound(new Local());
    const readings = [local.find(1), local.find(1)];
    await source.started(1);
    source.finish(1, 'value');
    expect(await Promise.all(readings)).to.deep.equal(['value', 'value']);
    expect(source.count).to.equal(1);
  });

  it('are refused where the class is defined', () => {
    const refused = (options: object): unknown => {
      try {
        class Wrong {
          @Cacheable(options)
          async find(id: number): Promise<number> {
            return id;
          }
        }
        return Wrong;
      } catch (reason) {
        return reason;
      }
    };
    for (const [options, text] of [
      [{ staleIfError: 'long' }, 'staleIfError: expected a duration'],
      [{ hardTimeout: 0 }, 'hardTimeout: expected a duration above 0'],
      [{ refreshAhead: 2 }, 'refreshAhead: expected a fraction'],
      [{ idleTtl: 1, refreshAhead: 'xfetch' }, 'idleTtl: what nobody reads is to go'],
      [{ sync: 'global' }, "sync: expected 'local' or 'cluster' or false"],
    ] as const) {
      const reason = refused(options);
      expect(reason).to.be.instanceOf(InvalidOptionError);
      expect(reason).not.to.be.instanceOf(DecoratorUsageError);
      expect((reason as Error).message).to.include(`@Cacheable on 'find'.${text}`);
    }
  });
});
