import { expect } from 'chai';
import type { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { CacheEvict } from '#internal/decorators/cache-evict.js';
import { CachePut } from '#internal/decorators/cache-put.js';
import { Caching } from '#internal/decorators/caching.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { BlackHole } from '../../support/black-hole.js';
import { FAULTS, SETUPS } from '../../support/redis-faults.js';
import { RedisServer } from '../../support/redis-server.js';
import { until } from '../../support/until.js';

const TIMEOUT_MS = 250;
/** What a busy machine may add. Two timeouts one after the other would still be seen. */
const SLACK_MS = 200;

/** An application: an origin that counts up, and methods that are cached. */
class Service {
  readonly cacheManager: CacheManager;
  readonly origin: { version: number };

  constructor(cacheManager: CacheManager, origin: { version: number }) {
    this.cacheManager = cacheManager;
    this.origin = origin;
  }

  @Cacheable({ cache: 'a', tags: ['t'] })
  async find(_id: number): Promise<number> {
    return this.origin.version;
  }

  @Cacheable({ cache: ['g', 'h'] })
  async findInBoth(_id: number): Promise<number> {
    return this.origin.version;
  }

  @Cacheable({ cache: 'list', each: { arg: 0 } })
  async list(ids: readonly number[]): Promise<number[]> {
    return ids.map(() => this.origin.version);
  }

  @CachePut({ cache: 'a', key: (id: number) => id })
  async put(_id: number): Promise<number> {
    return ++this.origin.version;
  }

  @CachePut({ cache: 'b', keyOf: (result: number) => result })
  async putByResult(_id: number): Promise<number> {
    return ++this.origin.version;
  }

  @CacheEvict({ cache: 'a' })
  async evict(_id: number): Promise<number> {
    return ++this.origin.version;
  }

  @CacheEvict({ cache: 'a', beforeInvocation: true, tags: ['t'] })
  async evictEarly(_id: number): Promise<number> {
    return ++this.origin.version;
  }

  @Caching({
    cacheable: [{ cache: 'i' }, { cache: 'j' }],
    put: [{ cache: 'c' }, { cache: 'd', keyOf: (result: number) => result }],
    evict: [
      { cache: 'e', beforeInvocation: true },
      { cache: 'f', allEntries: true },
    ],
  })
  async everything(_id: number): Promise<number> {
    return this.origin.version;
  }
}

const CALLS: readonly ((service: Service) => Promise<unknown>)[] = [
  (service) => service.find(2),
  (service) => service.findInBoth(2),
  (service) => service.list([1, 2]),
  (service) => service.put(2),
  (service) => service.putByResult(2),
  (service) => service.evict(2),
  (service) => service.evictEarly(2),
  (service) => service.everything(2),
  ({ cacheManager }) => cacheManager.cache('a').expire(2, '1h'),
  ({ cacheManager }) => cacheManager.cache('a').getEntry(2),
  ({ cacheManager }) => cacheManager.cache('a').keys(),
  ({ cacheManager, origin }) => cacheManager.cache('w').warm([[2, async () => origin.version]]),
  ({ cacheManager, origin }) =>
    cacheManager.cache('l').getOrSet(2, async () => origin.version, { sync: 'cluster' }),
];

const CASES = Object.entries(SETUPS).flatMap(([setup, backendAt]) =>
  FAULTS.map((fault) => ({ setup, backendAt, fault })),
);

for (const { setup, backendAt, fault } of CASES) {
  describe(`A cache in ${setup}, when Redis ${fault.name}`, () => {
    let server: RedisServer;
    let hole: BlackHole;
    /** Whether a process may still be told that another one loads. */
    const givesLeases = !fault.isOutOfReach && fault.refusesLeases !== true;
    const managers: CacheManager[] = [];
    const unhandled: unknown[] = [];
    const noteUnhandled = (error: unknown): void => void unhandled.push(error);
    const origin = { version: 1 };

    /** A process of the application, connected and with every script known to the server. */
    const startService = async (url: string): Promise<Service> => {
      const manager = new CacheManager({ backend: backendAt(url), logger: silentLogger });
      managers.push(manager);
      const service = new Service(manager, origin);
      for (const call of CALLS) await call(service);
      await service.evict(2);
      return service;
    };
    const throughHole = (): Promise<Service> => startService(`redis://127.0.0.1:${hole.port}`);

    beforeEach(async () => {
      process.on('unhandledRejection', noteUnhandled);
      server = await RedisServer.start();
      hole = await BlackHole.before(server.port);
    });

    afterEach(async () => {
      await Promise.all(managers.splice(0).map((manager) => manager.close({ timeout: 500 })));
      await hole.close();
      await server.stop();
      process.off('unhandledRejection', noteUnhandled);
      expect(unhandled.splice(0)).to.deep.equal([]);
    });

    it('the first call of each kind costs one timeout at the most', async () => {
      const services = await Promise.all(CALLS.map(throughHole));
      await fault.begin(server, hole);
      const costs = await Promise.all(
        CALLS.map(async (call, index) => {
          const startedAt = performance.now();
          await call(services[index]!);
          return performance.now() - startedAt;
        }),
      );
      expect(Math.max(...costs), String(costs)).to.be.below(TIMEOUT_MS + SLACK_MS);
      await fault.end(server, hole);
    });

    it('an eviction holds here at once, and for others when Redis is back', async () => {
      const service = await throughHole();
      const other = await startService(server.url);
      const deferred: string[] = [];
      service.cacheManager.on('deferred', ({ operation }) => void deferred.push(operation));
      await service.evict(1);
      const before = await service.find(1);
      expect(await other.find(1)).to.equal(before);
      await fault.begin(server, hole);
      const now = await service.evict(1);
      expect(await service.find(1)).to.equal(now);
      if (!fault.takesEvictions) expect(deferred).to.include('delete');
      const ended = fault.end(server, hole);
      // Whatever state the connection is in, this process never sees the old value again.
      let isDone = false;
      void ended.then(() => (isDone = true));
      while (!isDone) {
        expect(await service.find(1)).to.equal(now);
        // Calls that are refused take no turn of the event loop.
        await new Promise((resolve) => setImmediate(resolve));
      }
      await ended;
      await until('the other process sees it', async () => {
        expect(await service.find(1)).to.equal(now);
        return (await other.find(1)) === now;
      });
      await until('all is well', () => service.cacheManager.health().status === 'healthy');
      expect(await service.find(1)).to.equal(now);
    });

    if (fault.isOutOfReach) {
      it('whoever loads for all processes, and whoever waits for that, goes on', async () => {
        const [loader, waiter] = [await throughHole(), await throughHole()];
        let endLoad = (): void => undefined;
        const gate = new Promise<void>((resolve) => (endLoad = resolve));
        const loading = once(loader, async () => {
          await gate;
          return 'of the loader';
        });
        const observer = server.client();
        await until('one loads', async () => (await waitersOf(observer)).length === 1);
        let ownLoadAt = Infinity;
        const waiting = once(waiter, async () => {
          ownLoadAt = performance.now();
          return 'of the waiter';
        });
        await until('the other one waits', async () => (await waitersOf(observer))[0] === 1);
        observer.disconnect();
        const brokenAt = performance.now();
        await fault.begin(server, hole);
        expect(await waiting).to.equal('of the waiter');
        // Half a timeout until it is asked for a sign of life, and a timeout for the answer; its timers take 2 s.
        expect(ownLoadAt - brokenAt).to.be.below(1.5 * TIMEOUT_MS + SLACK_MS);
        const loadedAt = performance.now();
        endLoad();
        expect(await loading).to.equal('of the loader');
        expect(performance.now() - loadedAt).to.be.below(TIMEOUT_MS + SLACK_MS);
        await fault.end(server, hole);
      });
    }

    it(`${givesLeases ? 'no' : 'each'} process loads ${givesLeases ? 'twice' : 'once'} what only one was to load, and no call fails`, async () => {
      const services = [await throughHole(), await throughHole()];
      await fault.begin(server, hole);
      for (const key of ['first', 'second']) {
        const loads = services.map(() => 0);
        const values = await Promise.all(
          services.flatMap((service, index) =>
            Array.from({ length: 20 }, () =>
              once(
                service,
                async () => {
                  loads[index]!++;
                  // So that all who come at the same time find it under way.
                  await new Promise((resolve) => setTimeout(resolve, 50));
                  return 'loaded';
                },
                key,
              ),
            ),
          ),
        );
        expect(new Set(values)).to.deep.equal(new Set(['loaded']));
        if (givesLeases)
          expect(loads).to.satisfy((all: number[]) => all.every((each) => each <= 1));
        else expect(loads).to.deep.equal([1, 1]);
      }
      await fault.end(server, hole);
    });

    it('invalidations one after the other cost two timeouts at the most', async () => {
      const { cacheManager } = await throughHole();
      await fault.begin(server, hole);
      const cache = cacheManager.cache('a');
      const costs: number[] = [];
      for (const invalidate of [
        () => cache.clear(),
        () => cache.deletePattern('x*'),
        () => cacheManager.invalidateTags('t'),
        () => cacheManager.clearAll(),
        () => cache.set(2, 'value'),
        () => cache.delete(2),
      ]) {
        const startedAt = performance.now();
        await invalidate();
        costs.push(performance.now() - startedAt);
      }
      expect(Math.max(...costs), String(costs)).to.be.below(TIMEOUT_MS + SLACK_MS);
      if (fault.isOutOfReach) {
        const total = costs.reduce((sum, cost) => sum + cost, 0);
        expect(total, String(costs)).to.be.below(2 * TIMEOUT_MS + SLACK_MS);
      }
      await fault.end(server, hole);
      await until('all is well', () => cacheManager.health().status === 'healthy');
    });

    it('nothing piles up, and calls cost next to nothing once that is known', async () => {
      const service = await throughHole();
      await fault.begin(server, hole);
      await Promise.all(CALLS.map((call) => call(service)));
      await Promise.all(CALLS.map((call) => call(service)));
      if (fault.isOutOfReach) {
        const startedAt = performance.now();
        for (let round = 0; round < 200; round++) {
          for (const call of CALLS) await call(service);
        }
        // A single timeout in ten calls would be seen.
        expect((performance.now() - startedAt) / 200 / CALLS.length).to.be.below(TIMEOUT_MS / 10);
      }
      await fault.end(server, hole);
      await until('values are stored again', async () => {
        await service.find(3);
        return (await service.cacheManager.cache('a').get(3)) !== undefined;
      });
      await until('all is well', () => service.cacheManager.health().status === 'healthy');
    });
  });
}

/** Loads a key that only one process is to load. */
function once(
  { cacheManager }: Service,
  load: () => Promise<string>,
  key: string = 'k',
): Promise<string> {
  return cacheManager.cache<[key: string], string>('once').getOrSet(key, load, { sync: 'cluster' });
}

/** By lease of the cache `once`: how many processes wait for its end. */
async function waitersOf(client: Redis): Promise<readonly number[]> {
  const names = await client.keys('*:once:*%~turn');
  const leases = await Promise.all(names.map((name) => client.get(name)));
  return leases.map((lease) => (lease ?? '').split(' ').slice(2).filter(Boolean).length);
}
