import { expect } from 'chai';
import {
  CacheEvict,
  CacheManager,
  CachePut,
  Cacheable,
  Caching,
  silentLogger,
  type Cache,
} from 'cachewell';
import { BACKENDS_UNDER_TEST, type BackendPlace } from '../support/backends-under-test.js';
import { GatedSource, settle } from '../support/gated-source.js';

/** One process: a manager, and a service on a source that the spec controls. */
class Process {
  readonly source = new GatedSource();
  readonly users: Users;

  constructor(readonly manager: CacheManager) {
    this.users = new Users(manager, this.source);
  }

  get cache(): Cache<readonly [number], string> {
    return this.manager.cache<readonly [number], string>('users');
  }
}

/** Waits until so many lookups have found nothing: their callers are about to load, or to join a load. */
async function missed({ manager }: Process, count: number): Promise<void> {
  while (manager.statistics().misses < count) await settle();
  await settle();
}

class Users {
  constructor(
    readonly cacheManager: CacheManager,
    readonly source: GatedSource,
  ) {}

  @Cacheable({
    cache: 'users',
    key: (id: number) => id,
    tags: (id: number) => [`user:${id}`],
    tagsOf: (value: string) => [`value:${value}`],
  })
  async find(id: number): Promise<string> {
    return this.source.load(id);
  }

  @Cacheable({ cache: 'users', each: { arg: 0 }, tags: ['batch'] })
  async findAll(ids: readonly number[]): Promise<string[]> {
    return this.source.load(ids);
  }

  @CacheEvict({ cache: 'users', key: (id: number) => id })
  async evict(_id: number): Promise<void> {}

  @CacheEvict({ cache: 'users', keys: (id: number) => [id, id + 1] })
  async evictMany(_id: number): Promise<void> {}

  @CacheEvict({ cache: 'users', key: (id: number) => id, beforeInvocation: true })
  async evictEarly(_id: number): Promise<void> {}

  @CacheEvict({ cache: 'users', keyOf: (result: number) => result })
  async evictByResult(id: number): Promise<number> {
    return id;
  }

  @CacheEvict({ cache: 'users', allEntries: true })
  async evictAll(): Promise<void> {}

  @CacheEvict({ cache: 'other', tags: (id: number) => [`user:${id}`] })
  async evictTag(_id: number): Promise<void> {}

  @CacheEvict({ cache: 'users', pattern: (id: number) => `${id}*` })
  async evictPattern(id: number): Promise<number> {
    return id;
  }

  @CachePut({ cache: 'users', key: (id: number) => id })
  async put(_id: number, value: string): Promise<string> {
    return value;
  }

  @CachePut({ cache: 'users', key: (id: number) => id, ttl: 0 })
  async putNothing(_id: number): Promise<string> {
    return 'not kept';
  }

  @CachePut({ cache: 'users', keyOf: (_result: string, id: number) => id })
  async putByResult(_id: number, value: string): Promise<string> {
    return value;
  }

  @Caching({
    evict: [
      { cache: 'users', key: (id: number) => id },
      { cache: 'other', allEntries: true },
    ],
  })
  async evictBoth(_id: number): Promise<void> {}
}

interface Invalidation {
  readonly title: string;
  /** What is there afterwards; absent = nothing. */
  readonly leaves?: string;
  /** Redis refuses to invalidate by all of several tags. */
  readonly isForMemoryOnly?: true;
  readonly run: (process: Process) => Promise<unknown>;
}

/** Everything that makes the key 1 untrue, while its load, which will give 'old', is under way. */
const INVALIDATIONS: readonly Invalidation[] = [
  { title: 'delete', run: ({ cache }) => cache.delete(1) },
  { title: 'deleteMany', run: ({ cache }) => cache.deleteMany([5, 1]) },
  { title: 'deletePattern', run: ({ cache }) => cache.deletePattern('*') },
  { title: 'clear', run: ({ cache }) => cache.clear() },
  { title: 'clearAll', run: ({ manager }) => manager.clearAll() },
  { title: 'expire with 0', run: ({ cache }) => cache.expire(1, 0) },
  { title: 'expire with less than 0', run: ({ cache }) => cache.expire(1, -1) },
  { title: 'a tag known before', run: ({ cache }) => cache.invalidateTags('user:1') },
  {
    title: 'a tag known from the result',
    run: ({ manager }) => manager.invalidateTags('value:old'),
  },
  {
    title: 'all of several tags',
    isForMemoryOnly: true,
    run: ({ manager }) => manager.invalidateTags({ all: ['user:1', 'value:old'] }),
  },
  { title: 'set', leaves: 'set', run: ({ cache }) => cache.set(1, 'set') },
  { title: 'setMany', leaves: 'set', run: ({ cache }) => cache.setMany([[1, 'set']]) },
  { title: 'set with a ttl of 0', run: ({ cache }) => cache.set(1, 'set', { ttl: 0 }) },
  { title: '@CacheEvict by key', run: ({ users }) => users.evict(1) },
  { title: '@CacheEvict by keys', run: ({ users }) => users.evictMany(0) },
  { title: '@CacheEvict by the result', run: ({ users }) => users.evictByResult(1) },
  { title: '@CacheEvict before the method', run: ({ users }) => users.evictEarly(1) },
  { title: '@CacheEvict of all entries', run: ({ users }) => users.evictAll() },
  { title: '@CacheEvict by tag', run: ({ users }) => users.evictTag(1) },
  { title: '@CacheEvict by pattern', run: ({ users }) => users.evictPattern(1) },
  { title: '@Caching with two evicts', run: ({ users }) => users.evictBoth(1) },
  { title: '@CachePut', leaves: 'put', run: ({ users }) => users.put(1, 'put') },
  {
    title: '@CachePut by the result',
    leaves: 'put',
    run: ({ users }) => users.putByResult(1, 'put'),
  },
  { title: '@CachePut with a ttl of 0', run: ({ users }) => users.putNothing(1) },
];

/** The invalidations that can hit an entry whose only tags are those of the way of filling it. */
const UNTAGGED = INVALIDATIONS.filter(({ title }) => !/tag/.test(title));

/** The ways of loading 'old' under the key 1. */
const FILLS: readonly {
  readonly title: string;
  readonly invalidations: readonly Invalidation[];
  readonly start: (process: Process) => Promise<unknown>;
  readonly finish: (source: GatedSource) => void;
  readonly result: unknown;
}[] = [
  {
    title: '@Cacheable',
    invalidations: INVALIDATIONS,
    start: ({ users }) => users.find(1),
    finish: (source) => source.finish(1, 'old'),
    result: 'old',
  },
  {
    title: '@Cacheable with each',
    invalidations: UNTAGGED,
    start: ({ users }) => users.findAll([1, 2]),
    finish: (source) => source.finish(1, ['old', 'two']),
    result: ['old', 'two'],
  },
  {
    title: 'getOrSet',
    invalidations: INVALIDATIONS,
    start: ({ cache, source }) =>
      cache.getOrSet(1, () => source.load(1), { tags: ['user:1', 'value:old'] }),
    finish: (source) => source.finish(1, 'old'),
    result: 'old',
  },
  {
    title: 'getOrSet with a refresh',
    invalidations: UNTAGGED,
    start: ({ cache, source }) => cache.getOrSet(1, () => source.load(1), { refresh: true }),
    finish: (source) => source.finish(1, 'old'),
    result: 'old',
  },
  {
    title: 'getOrSetMany',
    invalidations: UNTAGGED,
    start: async ({ cache, source }) => [
      ...(await cache.getOrSetMany([1, 2], () => source.load([1, 2]))).values(),
    ],
    finish: (source) =>
      source.finish(
        1,
        new Map([
          [1, 'old'],
          [2, 'two'],
        ]),
      ),
    result: ['old', 'two'],
  },
  {
    title: 'warm',
    invalidations: UNTAGGED,
    start: ({ cache, source }) => cache.warm([[1, () => source.load(1)]]),
    finish: (source) => source.finish(1, 'old'),
    result: { stored: 1, failed: 0 },
  },
];

for (const { name, isShared, start } of BACKENDS_UNDER_TEST) {
  describe(`The fence ${name}`, () => {
    let place: BackendPlace;
    let managers: CacheManager[];
    before(async () => (place = await start()));
    after(() => place.stop());
    beforeEach(() => (managers = []));
    afterEach(() => Promise.all(managers.map((manager) => manager.close())));

    /** As many processes as asked for, on one store. */
    function processes(size: number): Process[] {
      managers = place
        .cluster(size)
        .map((backend) => new CacheManager({ backend, logger: silentLogger, onError: 'throw' }));
      return managers.map((manager) => new Process(manager));
    }

    const origins = isShared ? ['this process', 'another process'] : ['this process'];
    for (const origin of origins) {
      for (const fill of FILLS) {
        describe(`a load by ${fill.title}, ended by ${origin}`, () => {
          for (const { title, leaves, run, isForMemoryOnly } of fill.invalidations) {
            if (isShared && isForMemoryOnly === true) continue;
            it(`stores nothing, when ${title} comes meanwhile`, async () => {
              const [one, two = one] = processes(isShared ? 2 : 1) as [Process, Process?];
              const loading = fill.start(one);
              await one.source.started(1);
              await run(origin === 'this process' ? one : two);
              fill.finish(one.source);
              const result = await loading;
              if (fill.title !== 'warm') expect(result).to.deep.equal(fill.result);
              expect(await one.cache.get(1), 'afterwards').to.equal(leaves);
              expect(await two.cache.get(1), 'afterwards, elsewhere').to.equal(leaves);
            });
          }

          it('stores, when nothing comes meanwhile', async () => {
            const [one, two = one] = processes(isShared ? 2 : 1) as [Process, Process?];
            const loading = fill.start(one);
            await one.source.started(1);
            await two.cache.delete(77);
            await two.cache.deletePattern('8*');
            await two.manager.cache('other').clear();
            await two.manager.invalidateTags('unrelated');
            fill.finish(one.source);
            expect(await loading).to.deep.equal(fill.result);
            expect(await two.cache.get(1)).to.equal('old');
          });
        });
      }
    }

    describe('a put', () => {
      for (const method of ['put', 'putByResult'] as const) {
        it(`by ${method} is void, when its key is evicted while its method runs`, async () => {
          const [one, two = one] = processes(isShared ? 2 : 1) as [Process, Process?];
          await one.cache.set(1, 'before');
          const { users } = one;
          const gate = new GatedSource();
          const slow = new SlowPuts(one.manager, gate);
          const putting = slow[method](1);
          await gate.started(1);
          await two.cache.delete(1);
          gate.finish(1, 'put');
          expect(await putting).to.equal('put');
          expect(await two.cache.get(1)).to.equal(undefined);
          expect(await users.put(1, 'later')).to.equal('later');
          expect(await two.cache.get(1)).to.equal('later');
        });

        it(`by ${method} is void, when another one overtakes it`, async () => {
          const [one, two = one] = processes(isShared ? 2 : 1) as [Process, Process?];
          const gate = new GatedSource();
          const slow = new SlowPuts(one.manager, gate);
          const putting = slow[method](1);
          await gate.started(1);
          await two.users.put(1, 'overtaking');
          gate.finish(1, 'overtaken');
          expect(await putting).to.equal('overtaken');
          expect(await two.cache.get(1), 'nobody knows which is newer').to.equal(undefined);
        });

        it(`by ${method} holds, when another key is evicted meanwhile`, async () => {
          const [one, two = one] = processes(isShared ? 2 : 1) as [Process, Process?];
          const gate = new GatedSource();
          const putting = new SlowPuts(one.manager, gate)[method](1);
          await gate.started(1);
          await two.cache.delete(2);
          await two.cache.deletePattern('3*');
          await two.users.put(4, 'four');
          gate.finish(1, 'put');
          await putting;
          expect(await two.cache.get(1)).to.equal('put');
        });
      }
    });

    describe('concurrent callers of a cold key', () => {
      it('share one load, and its value', async () => {
        const [one] = processes(1) as [Process];
        const calls = Array.from({ length: 100 }, () => one.users.find(1));
        await one.source.started(1);
        const late = Array.from({ length: 100 }, () => one.users.find(1));
        await missed(one, 200);
        one.source.finish(1, 'value');
        expect(new Set(await Promise.all([...calls, ...late]))).to.deep.equal(new Set(['value']));
        expect(one.source.count).to.equal(1);
        expect(one.manager.statistics().loads).to.equal(1);
      });

      it('share one rejection, the same object, and nothing is stored', async () => {
        const [one] = processes(1) as [Process];
        const error = new RangeError('the origin failed');
        const calls = Array.from({ length: 100 }, () => one.users.find(1));
        await one.source.started(1);
        one.source.fail(1, error);
        const results = await Promise.allSettled(calls);
        for (const result of results) {
          expect(result.status).to.equal('rejected');
          expect((result as PromiseRejectedResult).reason).to.equal(error);
        }
        expect(one.source.count).to.equal(1);
        expect(await one.cache.has(1)).to.equal(false);
        const again = one.users.find(1);
        await one.source.started(2);
        one.source.finish(2, 'value');
        expect(await again).to.equal('value');
      });

      it('start a new load after an evict, and the old load cannot store, in whichever order they end', async () => {
        for (const order of ['old first', 'new first']) {
          const [one] = processes(1) as [Process];
          const early = one.users.find(1);
          await one.source.started(1);
          await one.users.evict(1);
          const late = one.users.find(1);
          await one.source.started(2);
          const ends = [
            async () => {
              one.source.finish(1, 'old');
              expect(await early).to.equal('old');
            },
            async () => {
              one.source.finish(2, 'new');
              expect(await late).to.equal('new');
            },
          ];
          if (order === 'new first') ends.reverse();
          for (const end of ends) await end();
          expect(await one.cache.get(1), order).to.equal('new');
          expect(await one.users.find(1), order).to.equal('new');
          expect(one.source.count, order).to.equal(2);
          await one.manager.close();
        }
      });

      it('load each id of overlapping lists once', async () => {
        const [one] = processes(1) as [Process];
        const first = one.users.findAll([1, 2, 3]);
        await one.source.started(1);
        const second = one.users.findAll([2, 3, 4]);
        const alone = one.users.find(3);
        await one.source.started(2);
        await missed(one, 7);
        one.source.finish(2, ['four']);
        one.source.finish(1, ['one', 'two', 'three']);
        expect(await first).to.deep.equal(['one', 'two', 'three']);
        expect(await second).to.deep.equal(['two', 'three', 'four']);
        expect(await alone).to.equal('three');
        expect(one.source.arguments).to.deep.equal([[[1, 2, 3]], [[4]]]);
      });

      it('of overlapping lists reject together, when the load that they share does', async () => {
        const [one] = processes(1) as [Process];
        const error = new RangeError('the origin failed');
        const first = one.users.findAll([1, 2]);
        await one.source.started(1);
        const calls = [first, one.users.findAll([2]), one.users.find(1)];
        await missed(one, 4);
        const settled = Promise.allSettled(calls);
        one.source.fail(1, error);
        // Where others may have changed what the load failed of, those who came during it try once more.
        const again = isShared ? [2, 3] : [];
        for (const number of again) {
          await one.source.started(number);
          one.source.fail(number, error);
        }
        for (const result of await settled) {
          expect((result as PromiseRejectedResult).reason).to.equal(error);
        }
        expect(one.source.count).to.equal(1 + again.length);
      });

      it('load an evicted id of a list again, and only that one', async () => {
        const [one] = processes(1) as [Process];
        const first = one.users.findAll([1, 2]);
        await one.source.started(1);
        await one.users.evict(1);
        const second = one.users.findAll([1, 2]);
        await one.source.started(2);
        one.source.finish(1, ['old', 'two']);
        one.source.finish(2, ['new']);
        expect(await first).to.deep.equal(['old', 'two']);
        expect(await second).to.deep.equal(['new', 'two']);
        expect(one.source.arguments).to.deep.equal([[[1, 2]], [[1]]]);
        expect(await one.cache.get(1)).to.equal('new');
        expect(await one.cache.get(2)).to.equal('two');
      });

      if (isShared) {
        it('take no value whose load another process has made untrue before they came', async () => {
          const [one, two] = processes(2) as [Process, Process];
          const early = one.users.find(1);
          await one.source.started(1);
          await two.users.evict(1);
          const late = one.users.find(1);
          await missed(one, 2);
          expect(one.source.count, 'the later caller waits first').to.equal(1);
          one.source.finish(1, 'old');
          expect(await early).to.equal('old');
          await one.source.started(2);
          one.source.finish(2, 'new');
          expect(await late).to.equal('new');
          expect(await two.cache.get(1)).to.equal('new');
        });

        it('take no value of a list whose load another process has made untrue before they came', async () => {
          const [one, two] = processes(2) as [Process, Process];
          const early = one.users.findAll([1, 2]);
          await one.source.started(1);
          await two.users.evict(1);
          const late = one.users.findAll([1, 2]);
          await missed(one, 4);
          one.source.finish(1, ['old', 'two']);
          expect(await early).to.deep.equal(['old', 'two']);
          await one.source.started(2);
          one.source.finish(2, ['new']);
          expect(await late).to.deep.equal(['new', 'two']);
          expect(one.source.arguments[1]).to.deep.equal([[1]]);
        });

        it('are let go together by a second load, however many wait', async () => {
          const [one, two] = processes(2) as [Process, Process];
          const early = one.users.find(1);
          await one.source.started(1);
          await two.users.evict(1);
          const late = Array.from({ length: 50 }, () => one.users.find(1));
          await missed(one, 51);
          one.source.finish(1, 'old');
          await early;
          await one.source.started(2);
          one.source.finish(2, 'new');
          expect(new Set(await Promise.all(late))).to.deep.equal(new Set(['new']));
          expect(one.source.count).to.equal(2);
        });
      }
    });
  });
}

class SlowPuts {
  constructor(
    readonly cacheManager: CacheManager,
    readonly source: GatedSource,
  ) {}

  @CachePut({ cache: 'users', key: (id: number) => id })
  async put(id: number): Promise<string> {
    return this.source.load(id);
  }

  @CachePut({ cache: 'users', keyOf: (_result: string, id: number) => id })
  async putByResult(id: number): Promise<string> {
    return this.source.load(id);
  }
}
