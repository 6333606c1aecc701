import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { CacheEvict } from '#internal/decorators/cache-evict.js';
import { CachePut } from '#internal/decorators/cache-put.js';
import { Caching } from '#internal/decorators/caching.js';
import { CacheTimeoutError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { SlowBackend } from '../../support/slow-backend.js';

const TIMEOUT_MS = 250;
/** What a call may cost beyond one timeout. */
const MORE_MS = 20;
/** How long the methods take; it is theirs. */
const METHOD_MS = 1000;

let runs = 0;

async function work(): Promise<string> {
  runs++;
  await new Promise((resolve) => setTimeout(resolve, METHOD_MS));
  return 'result';
}

class Service {
  @Cacheable({ cache: 'a' })
  async find(_id: number): Promise<string> {
    return work();
  }

  @Cacheable({ cache: ['a', 'b', 'c'] })
  async findInMany(_id: number): Promise<string> {
    return work();
  }

  @Cacheable({ cache: 'list', each: { arg: 0 } })
  async list(ids: readonly number[]): Promise<string[]> {
    await work();
    return ids.map(String);
  }

  @CachePut({ cache: 'a' })
  async put(_id: number): Promise<string> {
    return work();
  }

  @CachePut({ cache: ['a', 'b'], keyOf: (result: string) => result })
  async putByResult(_id: number): Promise<string> {
    return work();
  }

  @CacheEvict({ cache: 'a' })
  async evict(_id: number): Promise<string> {
    return work();
  }

  @CacheEvict({ cache: ['a', 'b'], beforeInvocation: true, tags: ['t'], pattern: 'x*' })
  async evictEarly(_id: number): Promise<string> {
    return work();
  }

  @Caching({
    cacheable: [{ cache: 'a' }, { cache: 'b' }],
    put: [{ cache: 'c' }, { cache: 'd', keyOf: (result: string) => result }],
    evict: [
      { cache: 'e', beforeInvocation: true },
      { cache: 'f', allEntries: true },
      { cache: 'g', tags: ['t'] },
    ],
  })
  async everything(_id: number): Promise<string> {
    return work();
  }

  @Cacheable({ cache: 'a' })
  @CacheEvict({ cache: 'b', beforeInvocation: true })
  @CacheEvict({ cache: 'c' })
  async stacked(_id: number): Promise<string> {
    return work();
  }
}

/** How long a store's answers take, call by call. */
const FAULTS: Readonly<Record<string, readonly number[]>> = {
  'does not answer at all': [Infinity],
  'answers the first step only': [0, Infinity],
  'answers the first two steps only': [0, 0, Infinity],
  'answers after 200 ms': [200],
  'answers the first step late, then not': [150, Infinity],
  'answers after 90 ms': [90],
};

describe('The time that a call spends on the store', () => {
  let timers: SinonFakeTimers;
  let backend: SlowBackend;
  let manager: CacheManager;
  let service: Service;

  /** Runs a call to its end; gives how long the caller waited beside the method itself. */
  const costOf = async (call: () => Promise<unknown>): Promise<number> => {
    const startedAt = performance.now();
    const runsBefore = runs;
    let endedAt: number | undefined;
    const done = call().finally(() => (endedAt = performance.now()));
    done.catch(() => undefined);
    while (endedAt === undefined) await timers.tickAsync(1);
    await done;
    return endedAt - startedAt - (runs - runsBefore) * METHOD_MS;
  };

  beforeEach(() => {
    timers = useFakeTimers();
    backend = new SlowBackend(TIMEOUT_MS);
    manager = new CacheManager({ backend, logger: silentLogger });
    service = Object.assign(new Service(), { cacheManager: manager });
  });

  afterEach(async () => {
    backend.latenciesMs = [0];
    await Promise.all([manager.close(), timers.tickAsync(10_000)]);
    timers.restore();
  });

  const CALLS: Readonly<Record<string, () => Promise<unknown>>> = {
    find: () => service.find(1),
    findInMany: () => service.findInMany(1),
    list: () => service.list([1, 2]),
    put: () => service.put(1),
    putByResult: () => service.putByResult(1),
    evict: () => service.evict(1),
    evictEarly: () => service.evictEarly(1),
    everything: () => service.everything(1),
    stacked: () => service.stacked(1),
    getOrSet: () => manager.cache('a').getOrSet(1, work),
    getOrSetMany: () =>
      manager.cache('a').getOrSetMany([1, 2], async () => new Map([[1, await work()]])),
    setMany: () =>
      manager.cache('a').setMany(
        [
          [1, null],
          [2, 2],
        ],
        { nullTtl: 0 },
      ),
    expire: () => manager.cache('a').expire(1, 1000),
    'expire, with an entry there': () => manager.cache('filled').expire(1, 1000),
    getEntry: () => manager.cache('a').getEntry(1),
    'getEntry of a timed cache': () => manager.cache('timed', { staleIfError: '1m' }).getEntry(1),
    keys: () => manager.cache('a').keys(),
    'warm, by a load': () => manager.cache('a').warm([[1, work]]),
    'warm, with a value': () => manager.cache('a').warm([[1, 'value']]),
    "getOrSet with sync: 'cluster'": () =>
      manager.cache('a').getOrSet(1, work, { sync: 'cluster' }),
    "getOrSet with sync: 'cluster', after two others": () => {
      backend.turnsOfOthers = 2;
      return manager.cache('a').getOrSet(1, work, { sync: 'cluster' });
    },
  };

  for (const [fault, latenciesMs] of Object.entries(FAULTS)) {
    for (const [name, call] of Object.entries(CALLS)) {
      it(`is one timeout at the most for ${name}, when the store ${fault}`, async () => {
        await manager.cache('filled').set(1, 'value');
        backend.calls.length = 0;
        backend.latenciesMs = latenciesMs;
        expect(await costOf(call)).to.be.at.most(TIMEOUT_MS + MORE_MS);
      });
    }
  }

  it('is shared by steps one after the other, not by steps side by side', async () => {
    backend.latenciesMs = [100];
    await costOf(() => service.findInMany(1));
    // Three lookups in turn; then begins of all three, which the third lookup left no time.
    const [first, second, third] = backend.calls;
    expect([first, second, third].map((each) => Math.round(each!.allowedMs))).to.deep.equal([
      250, 150, 50,
    ]);
    expect(backend.calls).to.have.length(3);
  });

  it('skips what the failure of an earlier step makes pointless, and reports it once', async () => {
    backend.latenciesMs = [Infinity];
    await costOf(() => service.find(1));
    expect(backend.calls.map(({ operation }) => operation)).to.deep.equal(['get']);
    expect(manager.statistics().errors).to.equal(1);
    expect(manager.statistics().misses).to.equal(1);
  });

  for (const [name, call] of Object.entries({
    getOrSet: () => manager.cache('a').getOrSet(1, work, { sync: 'cluster' }),
    getOrSetMany: () =>
      manager
        .cache('a')
        .getOrSetMany([1], async () => new Map([[1, await work()]]), { sync: 'cluster' }),
  })) {
    it(`is used up for ${name} by a wait for others that the store did not outlive`, async () => {
      const failure = new CacheTimeoutError('slow: a sign of life', TIMEOUT_MS);
      Object.assign(backend, { turnsOfOthers: 1, turnFailure: failure, latenciesMs: [0] });
      const before = runs;
      expect(await costOf(call)).to.be.at.most(MORE_MS);
      expect(runs).to.equal(before + 1);
      expect(backend.calls.at(-1)?.operation).to.equal('beginTurns');
      const strict = (): Promise<unknown> =>
        manager.cache('b', { onError: 'throw' }).getOrSet(1, work, { sync: 'cluster' });
      backend.turnsOfOthers = 1;
      const error = await costOf(strict).catch((reason: unknown) => reason);
      expect(error).to.equal(failure);
    });
  }

  it('does not keep an invalidation from being carried out later', async () => {
    await costOf(() => manager.cache('c').set(1, 'old'));
    const deferred: string[] = [];
    manager.on('deferred', ({ operation, cache }) => void deferred.push(`${operation} ${cache}`));
    backend.calls.length = 0;
    backend.latenciesMs = [0, Infinity, Infinity, 0];
    // The early evict works; the lookup hangs, so the late evict comes too late; its replay works.
    await costOf(() => service.stacked(1));
    await timers.tickAsync(1000);
    expect(deferred).to.deep.equal(['delete c']);
    expect(await manager.cache('c').get(1)).to.equal(undefined);
  });

  it('fails an operation that asks for errors with the failure of the earlier step', async () => {
    class Strict {
      @Caching({
        cacheable: [{ cache: 'a' }, { cache: 'b', onError: 'throw' }],
      })
      async find(_id: number): Promise<string> {
        return work();
      }
    }
    const strict = Object.assign(new Strict(), { cacheManager: manager });
    backend.latenciesMs = [Infinity];
    const before = runs;
    const error = await costOf(() => strict.find(1)).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(CacheTimeoutError);
    expect(runs).to.equal(before);
    expect(backend.calls).to.have.length(1);
  });

  it('is not limited by the time that the method took', async () => {
    await costOf(() => service.find(1));
    expect(
      backend.calls.map(({ operation, allowedMs }) => `${operation} ${allowedMs}`),
    ).to.deep.equal(['get 250', 'begin 250', 'store 250']);
    expect(await manager.cache('a').get(1)).to.equal('result');
  });
});
