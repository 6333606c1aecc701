import { expect } from 'chai';
import { afterEach, beforeEach, describe, it } from 'mocha';
import { useFakeTimers, type SinonFakeTimers } from 'sinon';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { SeededChance } from '#internal/testing/consistency/seeded-chance.js';
import { SlowBackend } from '../../support/slow-backend.js';

const TIMEOUT_MS = 250;
/** What a call may cost beyond one timeout. */
const MORE_MS = 20;

/** A call that is made at a time. */
interface Caller {
  readonly at: number;
  readonly run: () => Promise<unknown>;
}

/** A load while it is under way. */
interface Load {
  readonly from: number;
  until: number;
}

describe('The time that a call spends on the store while it waits for the load of another', () => {
  let timers: SinonFakeTimers;
  let backend: SlowBackend;
  let manager: CacheManager;
  let service: Service;
  let loads: Load[];
  let loadMs: number;

  const load = async (): Promise<string> => {
    const under: Load = { from: performance.now(), until: Infinity };
    loads.push(under);
    await new Promise((resolve) => setTimeout(resolve, loadMs));
    under.until = performance.now();
    return `value ${loads.length}`;
  };

  class Service {
    @Cacheable({ cache: 'a', key: (id: number) => id })
    async find(_id: number): Promise<string> {
      return load();
    }

    @Cacheable({ cache: 'a', key: (id: number) => id, staleIfError: '1m' })
    async findTimed(_id: number): Promise<string> {
      return load();
    }

    @Cacheable({ cache: 'a', each: { arg: 0 } })
    async list(ids: readonly number[]): Promise<Map<number, string>> {
      const value = await load();
      return new Map(ids.map((id) => [id, value]));
    }
  }

  /** The time of a call, from its lookup on, in which no load was under way. */
  const storeTime = (from: number, until: number): number => {
    let covered = from;
    let waited = 0;
    for (const each of loads.toSorted((one, other) => one.from - other.from)) {
      if (each.until <= covered) continue;
      if (each.from >= until) break;
      waited += Math.max(0, each.from - covered);
      covered = Math.max(covered, Math.min(until, each.until));
    }
    return waited + Math.max(0, until - covered);
  };

  /** Makes the calls at their times; gives what each of them spent on the store. */
  const costsOf = async (callers: readonly Caller[]): Promise<readonly number[]> => {
    let open = callers.length;
    const costs = callers.map(
      ({ at, run }) =>
        new Promise<() => number>((resolve) => {
          setTimeout(() => {
            const from = performance.now();
            const known = backend.calls.length;
            const done = run();
            // A lookup is asked for at once, and counts whoever loads meanwhile.
            const lookup = backend.calls[known];
            const isLookup = lookup?.operation.startsWith('get') === true;
            const lookupMs = isLookup ? lookup.takesMs : 0;
            const end = (): void => {
              open--;
              const until = performance.now();
              resolve(() => lookupMs + storeTime(from + lookupMs, until));
            };
            done.then(end, end);
          }, at);
        }),
    );
    while (open > 0) await timers.nextAsync();
    return (await Promise.all(costs)).map((cost) => cost());
  };

  beforeEach(() => {
    timers = useFakeTimers();
    loads = [];
    loadMs = 300;
    backend = new SlowBackend(TIMEOUT_MS);
    manager = new CacheManager({ backend, logger: silentLogger });
    service = Object.assign(new Service(), { cacheManager: manager });
  });

  afterEach(async () => {
    backend.latencyOf = () => 0;
    await Promise.all([manager.close(), timers.tickAsync(10_000)]);
    timers.restore();
  });

  const loadMany = (keys: readonly number[]): Promise<unknown> =>
    manager.cache('a').getOrSetMany(keys, async (missing) => {
      const value = await load();
      return new Map(missing.map((key) => [key, value]));
    });
  const CALLS: Readonly<Record<string, () => Promise<unknown>>> = {
    getOrSet: () => manager.cache('a').getOrSet(1, load),
    'getOrSet that loads anew': () => manager.cache('a').getOrSet(1, load, { refresh: true }),
    getOrSetMany: () => loadMany([1]),
    'getOrSetMany with more keys': () => loadMany([2, 1]),
    'a method': () => service.find(1),
    'a method with stale answers': () => service.findTimed(1),
    'a method with a list': () => service.list([1]),
    'a method with a longer list': () => service.list([2, 1]),
  };

  for (const [name, call] of Object.entries(CALLS)) {
    it(`is one timeout for ${name}, when its lookup took long, and the other one's store takes as long`, async () => {
      // The first caller is fast until its value is stored; the second one's lookup ends right before that.
      let lookups = 0;
      backend.latencyOf = (operation) => {
        if (operation === 'store') return Infinity;
        if (operation === 'begin') return 0;
        return ++lookups === 1 ? 0 : 200;
      };
      const [first, second] = await costsOf([
        { at: 0, run: () => manager.cache('a').getOrSet(1, load) },
        { at: 90, run: call },
      ]);
      expect(first).to.be.at.most(TIMEOUT_MS + MORE_MS);
      expect(second).to.be.at.most(TIMEOUT_MS + MORE_MS);
    });

    it(`is one timeout for ${name}, when its lookup took long, and the other one's begin takes as long`, async () => {
      let lookups = 0;
      backend.latencyOf = (operation) => {
        if (operation === 'begin') return Infinity;
        return ++lookups === 1 ? 200 : 10;
      };
      const [first, second] = await costsOf([
        { at: 0, run: call },
        { at: 180, run: () => manager.cache('a').getOrSet(1, load) },
      ]);
      expect(Math.max(first!, second!)).to.be.at.most(TIMEOUT_MS + MORE_MS);
      expect(loads.length, 'loads').to.be.at.most(2);
    });
  }

  it('does not make them load one by one, when it is over', async () => {
    backend.latencyOf = (operation) => {
      if (operation === 'begin') return Infinity;
      return performance.now() < 200 ? 240 : 0;
    };
    const callers = Array.from({ length: 50 }, (_, index) => ({
      at: index === 0 ? 200 : index / 10,
      run: () => service.find(1),
    }));
    const costs = await costsOf(callers);
    expect(Math.max(...costs)).to.be.at.most(TIMEOUT_MS + MORE_MS);
    expect(loads).to.have.length(1);
  });

  it('leaves the value in the store, whose answer came too late for the one that joined', async () => {
    let lookups = 0;
    backend.latencyOf = (operation) => {
      if (operation === 'store') return 100;
      if (operation === 'begin') return 0;
      return ++lookups === 1 ? 0 : 230;
    };
    const sets: string[] = [];
    manager.on('set', ({ key }) => sets.push(key));
    const costs = await costsOf([
      { at: 0, run: () => service.find(1) },
      { at: 65, run: () => service.find(1) },
    ]);
    expect(Math.max(...costs)).to.be.at.most(TIMEOUT_MS + MORE_MS);
    await timers.tickAsync(TIMEOUT_MS);
    backend.latencyOf = () => 0;
    expect(await manager.cache('a').get(1)).to.equal('value 1');
    expect(sets).to.deep.equal(['1']);
  });

  it('gives back the token that came too late', async () => {
    let lookups = 0;
    backend.latencyOf = (operation) => {
      if (operation === 'begin') return 200;
      return ++lookups === 1 ? 240 : 0;
    };
    const released: string[] = [];
    const store = backend.open({ name: 'a', version: 'v1' });
    const open = backend.open.bind(backend);
    backend.open = (space) => ({
      ...open(space),
      release: (tokens) => {
        released.push(...tokens.map(({ key }) => key));
        store.release(tokens);
      },
    });
    await costsOf([
      { at: 0, run: () => service.find(1) },
      { at: 230, run: () => service.find(1) },
    ]);
    await timers.tickAsync(TIMEOUT_MS);
    expect(released).to.deep.equal(['1']);
  });

  it('is one timeout in whichever order calls and answers come', async () => {
    const chance = new SeededChance(20_261_121);
    const kinds = [...Object.values(CALLS), () => manager.transaction(() => service.find(1))];
    for (let round = 0; round < 300; round++) {
      loads = [];
      loadMs = chance.pick([0, 30, 300]);
      backend.latencyOf = () => chance.pick([0, 0, 20, 90, 150, 200, 240, Infinity]);
      const callers = Array.from({ length: 2 + chance.below(5) }, () => ({
        at: chance.below(500),
        run: chance.pick(kinds),
      }));
      const costs = await costsOf(callers);
      expect(Math.max(...costs), `round ${round}: ${costs.join(', ')}`).to.be.at.most(
        TIMEOUT_MS + MORE_MS,
      );
      backend.latencyOf = () => 0;
      await Promise.all([manager.clearAll(), timers.tickAsync(1000)]);
    }
  });
});

describe('The time that calls of several steps beside loads spend on the store', () => {
  let timers: SinonFakeTimers;
  let backend: SlowBackend;
  let manager: CacheManager;

  beforeEach(() => {
    timers = useFakeTimers();
    backend = new SlowBackend(TIMEOUT_MS);
    manager = new CacheManager({ backend, logger: silentLogger });
  });

  afterEach(async () => {
    backend.latencyOf = () => 0;
    await Promise.all([manager.close(), timers.tickAsync(10_000)]);
    timers.restore();
  });

  const CALLS: Readonly<Record<string, () => Promise<unknown>>> = {
    expire: () => manager.cache('a').expire(1, '1m'),
    'a page of the entries': async () => {
      for await (const entry of manager.cache('a')) expect(entry).to.deep.equal(['1', 'value']);
    },
    warm: () => manager.cache('a').warm([[1, async () => 'value']]),
    'a transaction that did not wait for its set': () =>
      manager.transaction(async () => {
        void manager.cache('a').set(1, 'value');
        await manager.invalidateTags('t');
      }),
    'a transaction that clears all': () =>
      manager.transaction(async () => {
        void manager.cache('a').set(1, 'value');
        await manager.clearAll();
      }),
  };

  for (const [name, call] of Object.entries(CALLS)) {
    for (const latencies of [[Infinity], [200], [0, Infinity], [150, Infinity]]) {
      it(`is one timeout for ${name}, when answers take ${latencies.join(', then ')} ms`, async () => {
        await Promise.all([manager.cache('a').set(1, 'value'), timers.tickAsync(1)]);
        backend.latenciesMs = [...backend.calls.map(() => 0), ...latencies];
        const from = performance.now();
        let until: number | undefined;
        const done = call().finally(() => (until = performance.now()));
        while (until === undefined) await timers.tickAsync(1);
        await done;
        expect(until - from).to.be.at.most(TIMEOUT_MS + MORE_MS);
      });
    }
  }
});
