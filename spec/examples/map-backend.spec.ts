import { expect } from 'chai';
import { describe, it } from 'mocha';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { describeBackend } from '#internal/testing/describe-backend.js';
import { ManualClock } from '#internal/testing/manual-clock.js';
import type { CacheBackend } from '#internal/cache/backend.js';
import { compileExamples } from '../support/example-program.js';
import { packageRoot } from '../support/package-root.js';

/** Compiled with the examples, as a user would have it. */
interface MapBackendModule {
  readonly MapBackend: new (options?: { readonly maxEntries?: number }) => CacheBackend;
}

describe('the example custom-backend', function () {
  this.timeout(120_000);
  let example: MapBackendModule;

  before(async () => {
    await compileExamples();
    example = (await import(
      `${packageRoot}build/examples/custom-backend/map-backend.js`
    )) as MapBackendModule;
  });

  it('keeps its bound: the oldest entry goes, and the manager is told', async () => {
    const manager = new CacheManager({ backend: new example.MapBackend({ maxEntries: 3 }) });
    const gone: string[] = [];
    manager.on('evict', ({ key }) => void gone.push(key));
    const cache = manager.cache('numbers');
    for (const key of ['a', 'b', 'a', 'c', 'd']) await cache.set(key, 1);
    expect(gone).to.deep.equal(['a']);
    expect(await cache.get('a')).to.equal(undefined);
    expect(await cache.get('d')).to.equal(1);
    await manager.close();
  });

  it('does not take a forgotten invalidation for none', async () => {
    const manager = new CacheManager({ backend: new example.MapBackend() });
    const cache = manager.cache('numbers');
    const load = async (): Promise<number> => {
      // More tags than are remembered, so that the mark of this one is forgotten while it loads.
      await manager.invalidateTags('mine');
      for (let tag = 0; tag <= 10_000; tag++) await manager.invalidateTags(`other-${tag}`);
      return 1;
    };
    expect(await cache.getOrSet('k', load, { tags: ['mine'] })).to.equal(1);
    expect(await cache.get('k')).to.equal(undefined);
    await manager.close();
  });

  describeBackend({ describe, it }, 'MapBackend', () => {
    const clock = new ManualClock();
    const advance = (ms: number): void => void clock.advance(ms);
    return { backend: new example.MapBackend(), clock, advance };
  });
});
