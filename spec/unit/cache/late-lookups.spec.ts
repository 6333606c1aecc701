import { expect } from 'chai';
import { cacheable } from '#internal/decorators/cacheable.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { GatedSource, settle } from '../../support/gated-source.js';
import { SharedFaultyBackend } from '../../support/shared-faulty-backend.js';

describe('callers whose lookups end after a load has begun', () => {
  let backend: SharedFaultyBackend;
  let manager: CacheManager;
  let source: GatedSource;

  beforeEach(() => {
    backend = new SharedFaultyBackend();
    manager = new CacheManager({ backend, logger: silentLogger });
    source = new GatedSource();
  });

  afterEach(() => manager.close());

  const ways: Readonly<Record<string, (options: object) => () => Promise<unknown>>> = {
    getOrSet: (options) => () =>
      manager.cache<[number], string>('late').getOrSet(1, () => source.load(1), options),
    'getOrSet with stale values': (options) => {
      const cache = manager.cache<[number], string>('late', { staleIfError: '1m' });
      return () => cache.getOrSet(1, () => source.load(1), options);
    },
    getOrSetMany: (options) => {
      const cache = manager.cache<[number], string>('late');
      return async () => {
        const load = async (): Promise<Map<number, string>> => new Map([[1, await source.load(1)]]);
        return (await cache.getOrSetMany([1], load as never, options)).get(1 as never);
      };
    },
    cacheable: () => {
      const find = cacheable(async (id: number): Promise<string> => source.load(id), {
        cache: 'late',
        manager,
      });
      return () => find(1);
    },
  };

  for (const [name, wayOf] of Object.entries(ways)) {
    it(`take what was loaded since they came, though the store confirms nothing: ${name}`, async () => {
      const lookup = name === 'getOrSetMany' ? 'getMany' : 'get';
      const call = wayOf({});
      for (const operation of [lookup, 'begin', 'store'] as const) backend.fail(operation);
      const late = backend.hold(lookup);
      const second = call();
      await late.arrived();
      // From here on lookups fail at once.
      const first = backend.hold(lookup);
      const early = call();
      await first.arrived();
      first.release();
      await source.started(1);
      late.release();
      await settle();
      source.finish(1, 'loaded');
      expect(await Promise.all([early, second])).to.deep.equal(['loaded', 'loaded']);
      expect(source.count).to.equal(1);
    });
  }

  it('load anew when they came after it had begun', async () => {
    const cache = manager.cache<[number], string>('late');
    for (const operation of ['get', 'begin', 'store'] as const) backend.fail(operation);
    const first = cache.getOrSet(1, () => source.load(1));
    await source.started(1);
    const second = cache.getOrSet(1, () => source.load(1));
    await settle();
    source.finish(1, 'before');
    await source.started(2);
    source.finish(2, 'after');
    expect(await Promise.all([first, second])).to.deep.equal(['before', 'after']);
  });
});
