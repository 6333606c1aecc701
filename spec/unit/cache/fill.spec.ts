import { expect } from 'chai';
import { silentLogger } from '#internal/cache/cache-logger.js';
import type { Cache } from '#internal/cache/cache.js';
import type { LoadOutcome } from '#internal/cache/cache-events.js';
import { currentLoad } from '#internal/cache/load-context.js';
import { MemoryBackend } from '#internal/backends/memory/memory-backend.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import { GatedSource, settle } from '../../support/gated-source.js';
import { SharedFaultyBackend } from '../../support/shared-faulty-backend.js';

type NumberCache = Cache<readonly [number], string | null | undefined>;

describe('fill', () => {
  let clock: ManualClock;
  let source: GatedSource;
  let manager: CacheManager;
  beforeEach(() => {
    clock = new ManualClock();
    source = new GatedSource();
  });
  afterEach(() => manager.close());

  const open = (
    backend: ConstructorParameters<typeof SharedFaultyBackend>[0] | SharedFaultyBackend,
  ): NumberCache => {
    manager = new CacheManager({ backend, clock, logger: silentLogger });
    return manager.cache<readonly [number], string | null | undefined>('a');
  };
  const write = (value: unknown) => ({
    key: '1',
    entry: {
      value,
      kind: 'value' as const,
      tags: [],
      createdAt: 0,
      expiresAt: Infinity,
      retainedUntil: Infinity,
      loadCostMs: 0,
    },
    fence: { kind: 'set' as const },
  });

  describe('with a caller who joins, on a store that others share', () => {
    it('gives no entry that the store found before the caller came, for it may be void by now', async () => {
      const backend = new SharedFaultyBackend();
      const cache = open(backend);
      const get = backend.hold('get', 'response');
      const first = cache.getOrSet(1, () => source.load());
      await get.arrived();
      await backend.elsewhere('a').store([write('old')]);
      const begin = backend.hold('begin', 'response');
      get.release();
      await begin.arrived();
      await backend.elsewhere('a').delete(['1']);
      const late = cache.getOrSet(1, () => source.load());
      await settle();
      begin.release();
      expect(await first).to.equal('old');
      await source.started(1);
      source.finish(1, 'new');
      expect(await late).to.equal('new');
    });

    it('gives no value that the store accepted before the caller came', async () => {
      const backend = new SharedFaultyBackend();
      const cache = open(backend);
      const first = cache.getOrSet(1, () => source.load());
      await source.started(1);
      const store = backend.hold('store', 'response');
      source.finish(1, 'old');
      await store.arrived();
      await backend.elsewhere('a').delete(['1']);
      const late = cache.getOrSet(1, () => source.load());
      await settle();
      store.release();
      expect(await first).to.equal('old');
      await source.started(2);
      source.finish(2, 'new');
      expect(await late).to.equal('new');
      expect(await cache.get(1)).to.equal('new');
    });

    it('gives no value that could not be stored, for others may have invalidated it', async () => {
      const backend = new SharedFaultyBackend();
      const cache = open(backend);
      const first = cache.getOrSet(1, () => source.load());
      await source.started(1);
      await backend.elsewhere('a').delete(['1']);
      backend.fail('store', { times: 1 });
      backend.fail('get', { times: 1 });
      const late = cache.getOrSet(1, () => source.load());
      await settle();
      source.finish(1, 'old');
      expect(await first).to.equal('old');
      await source.started(2);
      source.finish(2, 'new');
      expect(await late).to.equal('new');
    });

    it('gives the value that the store accepted after the caller came', async () => {
      const backend = new SharedFaultyBackend();
      const cache = open(backend);
      const first = cache.getOrSet(1, () => source.load());
      await source.started(1);
      const late = cache.getOrSet(1, () => source.load());
      await settle();
      source.finish(1, 'value');
      expect(await Promise.all([first, late])).to.deep.equal(['value', 'value']);
      expect(source.count).to.equal(1);
    });

    it('asks the store again, when it comes while the value is being stored, and loads no second time', async () => {
      const backend = new SharedFaultyBackend();
      const cache = open(backend);
      const first = cache.getOrSet(1, () => source.load());
      await source.started(1);
      const store = backend.hold('store', 'request');
      source.finish(1, 'value');
      await store.arrived();
      const late = Array.from({ length: 10 }, () => cache.getOrSet(1, () => source.load()));
      await settle();
      store.release();
      expect(await first).to.equal('value');
      expect(new Set(await Promise.all(late))).to.deep.equal(new Set(['value']));
      expect(source.count).to.equal(1);
    });

    it('loads once more for all of them together, when the result was not to be stored', async () => {
      const backend = new SharedFaultyBackend();
      const cache = open(backend);
      const first = cache.getOrSet(1, () => source.load(), { ttl: 0 });
      await source.started(1);
      const late = [1, 2, 3].map(() => cache.getOrSet(1, () => source.load(), { ttl: 0 }));
      await settle();
      source.finish(1, 'first');
      expect(await first).to.equal('first');
      await source.started(2);
      source.finish(2, 'second');
      expect(await Promise.all(late)).to.deep.equal(['second', 'second', 'second']);
      expect(source.count).to.equal(2);
    });

    it('shares the load, when the caller comes before it has begun', async () => {
      const backend = new SharedFaultyBackend();
      const cache = open(backend);
      const begin = backend.hold('begin', 'response');
      const calls = [1, 2, 3].map(() => cache.getOrSet(1, () => source.load(), { ttl: 0 }));
      await begin.arrived();
      await settle();
      begin.release();
      await source.started(1);
      source.finish(1, 'value');
      expect(await Promise.all(calls)).to.deep.equal(['value', 'value', 'value']);
      expect(source.count).to.equal(1);
    });
  });

  describe('with a refresh', () => {
    it('does not take the value of a load that had begun before', async () => {
      const cache = open(new MemoryBackend());
      const plain = cache.getOrSet(1, () => source.load());
      await source.started(1);
      const refreshes = [1, 2].map(() => cache.getOrSet(1, () => source.load(), { refresh: true }));
      await settle();
      expect(source.count).to.equal(1);
      source.finish(1, 'old');
      expect(await plain).to.equal('old');
      await source.started(2);
      source.finish(2, 'new');
      expect(await Promise.all(refreshes)).to.deep.equal(['new', 'new']);
      expect(source.count).to.equal(2);
      expect(await cache.get(1)).to.equal('new');
    });

    it('shares the load of a refresh that was asked for at the same time', async () => {
      const cache = open(new MemoryBackend());
      await cache.set(1, 'old');
      const calls = [1, 2, 3].map(() => cache.getOrSet(1, () => source.load(), { refresh: true }));
      await source.started(1);
      source.finish(1, 'new');
      expect(await Promise.all(calls)).to.deep.equal(['new', 'new', 'new']);
      expect(source.count).to.equal(1);
    });
  });

  describe('within a load', () => {
    it('loads by itself, when it asks for its own key', async () => {
      const cache = open(new MemoryBackend());
      const value = await cache.getOrSet(
        1,
        async () => `outer of ${await cache.getOrSet(1, async () => 'inner')}`,
      );
      expect(value).to.equal('outer of inner');
      expect(await cache.get(1)).to.equal('outer of inner');
      expect(manager.core('a').flights.size).to.equal(0);
    });

    it('loads by itself, when a load further out has its key', async () => {
      const cache = open(new MemoryBackend());
      const value = await cache.getOrSet(1, () =>
        cache.getOrSet(2, () =>
          cache.getOrSet(3, () => cache.getOrSet(1, async () => 'innermost')),
        ),
      );
      expect(value).to.equal('innermost');
    });

    it('loads by itself, when the load that has its key waits for it, through others', async () => {
      const cache = open(new MemoryBackend());
      const next = async (key: number): Promise<string> => {
        await settle();
        return `${key} ${(await cache.getOrSet((key % 3) + 1, async () => `${(key % 3) + 1} by itself`)) ?? ''}`;
      };
      const values = await Promise.all(
        [1, 2, 3].map((key) => cache.getOrSet(key, () => next(key))),
      );
      for (const [index, value] of values.entries())
        expect(value).to.match(new RegExp(`^${index + 1} `));
      expect(values.filter((value) => value?.includes('by itself'))).to.not.equal([]);
      expect(manager.core('a').flights.size).to.equal(0);
    });

    it('joins other loads as anywhere', async () => {
      const cache = open(new MemoryBackend());
      const other = cache.getOrSet(2, () => source.load());
      await source.started(1);
      const value = cache.getOrSet(
        1,
        async () => `1 with ${await cache.getOrSet(2, () => source.load())}`,
      );
      await settle();
      source.finish(1, 'two');
      expect(await Promise.all([other, value])).to.deep.equal(['two', '1 with two']);
      expect(source.count).to.equal(1);
    });

    it('loads lists by itself, when they hold its own key', async () => {
      const cache = open(new MemoryBackend());
      const inner = (keys: readonly number[]) => new Map(keys.map((key) => [key, `inner ${key}`]));
      const value = await cache.getOrSet(1, async () => {
        const all = await cache.getOrSetMany<number>([1, 2], async (keys) => inner(keys));
        return [...all.values()].join();
      });
      expect(value).to.equal('inner 1,inner 2');
      expect(manager.core('a').flights.size).to.equal(0);
    });
  });

  it('lets a listener ask for the key that it is told about', async () => {
    const cache = open(new MemoryBackend({ sweepInterval: Infinity }));
    await cache.set(1, 'old', { ttl: 10 });
    clock.advance(10);
    let rewarmed: Promise<unknown> | undefined;
    manager.on('expire', () => (rewarmed = cache.getOrSet(1, async () => 'by the listener')));
    expect(await cache.getOrSet(1, async () => 'new', { refresh: true })).to.equal('new');
    expect(rewarmed).to.not.equal(undefined);
    expect(await rewarmed).to.be.oneOf(['new', 'by the listener']);
    expect(manager.core('a').flights.size).to.equal(0);
  });

  describe('gives every token back', () => {
    const held = (): unknown => (manager.backend.info() as { loading: number }).loading;

    it('after a value, a veto, nothing, and an error', async () => {
      const cache = open(new MemoryBackend());
      await cache.getOrSet(1, async () => 'stored');
      await cache.getOrSet(2, async () => 'not kept', { ttl: 0 });
      await cache.getOrSet(3, async () => undefined);
      await cache.getOrSet(4, async (context) => {
        context.doNotStore();
        return 'not kept';
      });
      await cache
        .getOrSet(5, async () => {
          throw new RangeError('failed');
        })
        .catch(() => undefined);
      await cache.getOrSetMany([6, 7], async () => new Map([[6, 'stored']]));
      await cache
        .getOrSetMany([8, 9], () => Promise.reject(new RangeError('failed')))
        .catch(() => undefined);
      expect(held()).to.equal(0);
      expect((await cache.keys()).keys).to.have.members(['1', '6']);
    });

    it('when the cache is switched off while the value loads', async () => {
      const cache = open(new MemoryBackend());
      const loading = cache.getOrSet(1, () => source.load());
      await source.started(1);
      manager.enabled = false;
      source.finish(1, 'value');
      expect(await loading).to.equal('value');
      expect(held()).to.equal(0);
    });
  });

  describe('lets the load decide', () => {
    it('its tags, beside those of the options', async () => {
      const cache = open(new MemoryBackend());
      await cache.getOrSet(
        1,
        async ({ tags }) => {
          tags.add('late', 'later');
          tags.add('late');
          return 'value';
        },
        { tags: ['early'] },
      );
      expect((await cache.getEntry(1)).tags).to.deep.equal(['early', 'late', 'later']);
    });

    it('its ttl, for null too', async () => {
      const cache = open(new MemoryBackend());
      for (const value of ['value', null]) {
        await cache.getOrSet(
          1,
          async (context) => {
            context.ttl = '2s';
            return value;
          },
          { ttl: '1m', nullTtl: '1h', refresh: true },
        );
        expect(await cache.ttl(1), String(value)).to.equal(2_000);
      }
    });

    it('nothing by mistake: a wrong ttl is reported, and the value is not cached', async () => {
      const cache = open(new MemoryBackend());
      const errors: string[] = [];
      manager.on('error', ({ error }) => errors.push(error.code));
      const value = await cache.getOrSet(1, async (context) => {
        context.ttl = -1;
        return 'value';
      });
      expect(value).to.equal('value');
      expect(await cache.has(1)).to.equal(false);
      expect(errors).to.deep.equal(['ERR_CACHE_INVALID_OPTION']);
    });

    it('through currentLoad, wherever the load calls', async () => {
      const cache = open(new MemoryBackend());
      const deeper = async (): Promise<void> => {
        await settle();
        currentLoad()?.tags.add('deep');
      };
      await cache.getOrSet(1, async () => {
        await deeper();
        return 'value';
      });
      expect((await cache.getEntry(1)).tags).to.deep.equal(['deep']);
      expect(currentLoad()).to.equal(undefined);
    });
  });

  it('passes on what a load throws at once, and takes a load that gives no promise', async () => {
    const cache = open(new MemoryBackend());
    const error = new RangeError('at once');
    const thrown = await cache
      .getOrSet(1, () => {
        throw error;
      })
      .catch((reason: unknown) => reason);
    expect(thrown).to.equal(error);
    expect(await cache.getOrSet(1, (() => 'plain') as never)).to.equal('plain');
    expect(await cache.get(1)).to.equal('plain');
  });

  it('tells what became of each load', async () => {
    const backend = new SharedFaultyBackend();
    const cache = open(backend);
    const outcomes: [string, LoadOutcome][] = [];
    manager.on('load', ({ key, outcome, durationMs }) => {
      expect(durationMs).to.be.at.least(0);
      outcomes.push([key, outcome]);
    });
    await cache.getOrSet(1, async () => 'value');
    await cache.getOrSet(2, async () => undefined);
    await cache.getOrSet(3, async () => {
      await cache.delete(3);
      return 'value';
    });
    await cache.getOrSet(4, () => Promise.reject(new RangeError('failed'))).catch(() => undefined);
    backend.fail('store');
    await cache.getOrSet(5, async () => 'value');
    backend.heal();
    await cache.getOrSetMany([6, 7], async () => new Map([[6, 'value']]));
    expect(outcomes).to.deep.equal([
      ['1', 'stored'],
      ['2', 'skipped'],
      ['3', 'refused'],
      ['4', 'rejected'],
      ['5', 'unavailable'],
      ['6', 'stored'],
    ]);
  });

  it('runs a load for each caller with sync false', async () => {
    const cache = open(new MemoryBackend());
    const calls = [1, 2].map(() => cache.getOrSet(1, () => source.load(), { sync: false }));
    await source.started(2);
    source.finish(1, 'one');
    source.finish(2, 'two');
    expect(await Promise.all(calls)).to.deep.equal(['one', 'two']);
    expect(await cache.get(1)).to.equal('two');
  });
});
