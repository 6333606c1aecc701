import { inspect } from 'node:util';
import { expect } from 'chai';
import { CacheConnectionError, isCacheError, type CacheError } from '#internal/errors.js';
import type { CacheLogger } from '#internal/cache/cache-logger.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { CacheEvict } from '#internal/decorators/cache-evict.js';
import { CachePut } from '#internal/decorators/cache-put.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { FaultyBackend, type FaultyOperation } from '#internal/testing/faulty-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';

const SECRET = 'the-secret-value';

describe('A decorated method, when the store fails', () => {
  let backend: FaultyBackend;
  let logged: { level: keyof CacheLogger; message: string; details: unknown }[];
  let manager: CacheManager;
  let clock: ManualClock;
  let runs: number;
  let errors: CacheError[];

  const at =
    (level: keyof CacheLogger): CacheLogger['warn'] =>
    (message, details) =>
      void logged.push({ level, message, details });
  const logger: CacheLogger = {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };

  function start(onError: 'bypass' | 'throw'): void {
    manager = new CacheManager({ backend, logger, clock, onError });
    manager.on('error', ({ error }) => errors.push(error));
    Object.assign(service, { cacheManager: manager });
  }
  beforeEach(() => {
    backend = new FaultyBackend(new MemoryBackend());
    clock = new ManualClock();
    logged = [];
    errors = [];
    runs = 0;
    service = new Service();
  });
  afterEach(() => manager.close());

  class Service {
    declare readonly cacheManager: CacheManager;

    @Cacheable({ cache: 'a' })
    async find(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @Cacheable({ cache: 'a', condition: () => true })
    async findIf(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @Cacheable({ cache: 'lists', each: { arg: 0 } })
    async list(ids: readonly number[]): Promise<string[]> {
      runs++;
      return ids.map((id) => `${SECRET} ${id}`);
    }

    @CachePut({ cache: 'a' })
    async put(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @CachePut({ cache: 'a', keyOf: (result: string) => result.length })
    async putByResult(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @CacheEvict({ cache: 'a' })
    async evict(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @CacheEvict({ cache: 'a', beforeInvocation: true })
    async evictEarly(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @CacheEvict({ cache: 'a', allEntries: true })
    async clear(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @CacheEvict({ cache: 'a', pattern: '*' })
    async evictPattern(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @CacheEvict({ cache: 'a', tags: ['t'] })
    async evictTag(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }

    @CacheEvict({ cache: 'a', tags: ['t'], onError: 'throw' })
    async evictTagOrThrow(id: number): Promise<string> {
      runs++;
      return `${SECRET} ${id}`;
    }
  }
  let service: Service;

  type Call = Exclude<keyof Service, 'cacheManager' | 'list'>;
  const TABLE: readonly (readonly [
    method: Call,
    operation: FaultyOperation,
    runsWhenThrowing: number,
  ])[] = [
    ['find', 'get', 0],
    ['find', 'begin', 0],
    ['find', 'store', 1],
    ['findIf', 'get', 0],
    ['findIf', 'begin', 0],
    ['findIf', 'store', 1],
    ['put', 'begin', 0],
    ['put', 'store', 1],
    ['putByResult', 'watch', 0],
    ['putByResult', 'store', 1],
    ['evict', 'delete', 1],
    ['evictEarly', 'delete', 0],
    ['clear', 'clear', 1],
    ['evictPattern', 'deletePattern', 1],
    ['evictTag', 'invalidateTags', 1],
  ];
  for (const [method, operation, runsWhenThrowing] of TABLE) {
    for (const point of ['request', 'response'] as const) {
      it(`${method} runs and gives its result under bypass, when '${operation}' fails at the ${point}`, async () => {
        start('bypass');
        backend.fail(operation, { at: point });
        expect(await service[method](1)).to.equal(`${SECRET} 1`);
        expect(runs).to.equal(1);
        expect(errors.map(({ code }) => code)).to.deep.equal(['ERR_CACHE_CONNECTION']);
        expect(manager.statistics().errors).to.equal(1);
      });
    }

    it(`${method} rejects with the error under throw, when '${operation}' fails`, async () => {
      start('throw');
      const error = new CacheConnectionError('no server');
      backend.fail(operation, { error });
      expect(await service[method](1).catch((reason: unknown) => reason)).to.equal(error);
      expect(runs).to.equal(runsWhenThrowing);
      expect(manager.statistics().errors).to.equal(1);
    });
  }

  it('an operation that asks for errors gets them, whatever the manager says', async () => {
    start('bypass');
    backend.fail('invalidateTags');
    const error = await service.evictTagOrThrow(1).catch((reason: unknown) => reason);
    expect(isCacheError(error, 'ERR_CACHE_CONNECTION')).to.equal(true);
  });

  it('lists are loaded all the same', async () => {
    start('bypass');
    for (const operation of ['getMany', 'begin', 'store'] as const) backend.fail(operation);
    expect(await service.list([1, 2])).to.deep.equal([`${SECRET} 1`, `${SECRET} 2`]);
    expect(runs).to.equal(1);
  });

  it('a failed read counts as a miss and an error', async () => {
    for (const onError of ['bypass', 'throw'] as const) {
      backend = new FaultyBackend(new MemoryBackend());
      service = new Service();
      start(onError);
      backend.fail('get');
      await service.find(1).catch(() => undefined);
      const { misses, hits, errors: failures } = manager.statistics();
      expect({ misses, hits, failures }, onError).to.deep.equal({
        misses: 1,
        hits: 0,
        failures: 1,
      });
    }
  });

  it('concurrent callers share one run all the same', async () => {
    start('bypass');
    for (const operation of ['get', 'begin', 'store'] as const) backend.fail(operation);
    const results = await Promise.all(Array.from({ length: 100 }, () => service.find(1)));
    expect(new Set(results).size).to.equal(1);
    expect(runs).to.equal(1);
  });

  it('one warning is logged for an outage, however many calls and operations it hits', async () => {
    start('bypass');
    for (const operation of ['get', 'begin', 'store', 'delete'] as const) backend.fail(operation);
    for (let id = 0; id < 50; id++) {
      await service.find(id);
      await service.put(id);
      await service.evict(id);
    }
    expect(logged.map(({ level }) => level)).to.deep.equal(['warn']);
    clock.advance('61s');
    await service.find(1);
    expect(logged).to.have.length(2);
    expect(logged[1]!.details).to.have.property('suppressed').that.is.above(100);
  });

  it('a fault of another kind is another warning', async () => {
    start('bypass');
    backend.fail('get');
    await service.find(1);
    backend.fail('get', { error: new TypeError('a defect of the store') });
    await service.find(1);
    expect(logged).to.have.length(2);
    expect(errors[1]!.code).to.equal('ERR_CACHE_BACKEND');
    expect(errors[1]!.cause).to.be.instanceOf(TypeError);
  });

  it('no value is in logs, events or errors', async () => {
    start('bypass');
    for (const operation of ['begin', 'store', 'delete'] as const)
      backend.fail(operation, { times: 1 });
    await service.put(1);
    await service.find(1);
    await service.evict(1);
    const text = inspect([logged, errors, manager, service.cacheManager.cache('a')], {
      depth: 20,
      getters: true,
    });
    expect(JSON.stringify(errors)).to.not.contain(SECRET);
    expect(inspect([logged, errors], { depth: 20 })).to.not.contain(SECRET);
    expect(text).to.not.contain(SECRET);
  });

  it('works again, when the store does', async () => {
    start('bypass');
    backend.fail('get', { times: 2 });
    backend.fail('begin', { times: 2 });
    await service.find(1);
    await service.find(1);
    await service.find(1);
    await service.find(1);
    expect(runs).to.equal(3);
  });

  describe('or is switched off', () => {
    it('from the start: nothing is attached or opened, and methods run', async () => {
      manager = new CacheManager({ backend, logger, enabled: false });
      Object.assign(service, { cacheManager: manager });
      let touched = 0;
      backend.attach = () => void touched++;
      backend.open = () => {
        touched++;
        throw new Error('opened');
      };
      await service.find(1);
      await service.put(1);
      await service.evict(1);
      await service.evictTag(1);
      await manager.clearAll();
      expect(await manager.ping()).to.equal(false);
      expect(manager.health()).to.deep.equal({ status: 'disabled', backend: 'memory' });
      expect(await manager.info()).to.deep.equal({});
      expect(runs).to.equal(4);
      expect(touched).to.equal(0);
      expect(errors).to.deep.equal([]);
    });

    it('while it runs: no lookups and no stores, but invalidations', async () => {
      start('bypass');
      await service.find(1);
      await service.find(2);
      manager.enabled = false;
      await service.find(1);
      await service.put(3);
      await service.evict(2);
      manager.enabled = true;
      await service.find(1);
      await service.find(2);
      await service.find(3);
      expect(runs).to.equal(2 + 3 + 2);
      expect(manager.statistics().hits).to.equal(1);
    });
  });

  describe('or is closed', () => {
    it('goes on without it', async () => {
      start('bypass');
      await service.find(1);
      await manager.close();
      const closed = new Proxy(service, {});
      class Bound {
        @Cacheable({ cache: 'b', manager: () => manager })
        async find(): Promise<number> {
          return ++runs;
        }
        @CacheEvict({ cache: 'a', tags: ['t'], manager: () => manager })
        async evictTag(): Promise<number> {
          return ++runs;
        }
        @CacheEvict({ cache: 'a', manager: () => manager })
        async evict(): Promise<number> {
          return ++runs;
        }
      }
      const bound = new Bound();
      expect(await bound.find()).to.equal(2);
      expect(await bound.evictTag()).to.equal(3);
      expect(await bound.evict()).to.equal(4);
      expect(await closed.find(1)).to.equal(`${SECRET} 1`);
    });

    it('rejects under throw', async () => {
      start('throw');
      await manager.close();
      const error = await manager
        .cache('a')
        .get(1)
        .catch((reason: unknown) => reason);
      expect(isCacheError(error, 'ERR_CACHE_CLOSED')).to.equal(true);
      const other = await manager.clearAll().catch((reason: unknown) => reason);
      expect(isCacheError(other, 'ERR_CACHE_CLOSED')).to.equal(true);
    });
  });
});
