import { expect } from 'chai';
import { TieredBackend } from '#internal/backends/tiered/tiered-backend.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { CallBudget } from '#internal/cache/call-budget.js';
import { CacheConnectionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { SharedFaultyBackend } from '../../support/shared-faulty-backend.js';

/** A shared store whose calls have a time limit, as those of a remote one. */
class RemoteBackend extends SharedFaultyBackend {
  override get callTimeoutMs(): number {
    return 250;
  }
}

describe('a store that goes on alone', () => {
  it('ends no call at its first failure, as others do', () => {
    const failure = new CacheConnectionError('away');
    const alone = new CallBudget(250, true);
    alone.note(failure);
    expect(alone.failure).to.equal(undefined);
    const other = new CallBudget(250);
    other.note(failure);
    expect(other.failure).to.equal(failure);
  });

  it('keeps in the own tier what is loaded while the shared one is out of reach', async () => {
    const l2 = new RemoteBackend();
    await using manager = new CacheManager({
      backend: new TieredBackend({ l2 }),
      logger: silentLogger,
    });
    for (const operation of ['get', 'getMany', 'begin', 'store'] as const) l2.fail(operation);
    const cache = manager.cache<[id: number], number>('items');
    let loads = 0;
    const load = async (): Promise<number> => ++loads;
    expect(await cache.getOrSet(1, load)).to.equal(1);
    expect(await cache.getOrSet(1, load)).to.equal(1);
    expect(loads).to.equal(1);
  });
});
