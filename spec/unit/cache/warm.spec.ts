import { expect } from 'chai';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { InvalidOptionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';
import { GatedSource, settle } from '../../support/gated-source.js';

describe('Cache.warm', () => {
  let manager: CacheManager;
  beforeEach(() => (manager = new CacheManager({ logger: silentLogger })));
  afterEach(() => manager.close());

  it('stores values and loads functions', async () => {
    const cache = manager.cache('a');
    const result = await cache.warm(
      [
        [1, 'one'],
        [2, async () => 'two'],
        [['x', 3], null],
      ],
      { ttl: '1m', tags: ['warm'] },
    );
    expect(result).to.deep.equal({ stored: 3, failed: 0 });
    expect(await cache.get(2)).to.equal('two');
    expect(await cache.get(['x', 3])).to.equal(null);
    expect(await cache.ttl(1)).to.be.within(59_000, 60_000);
    expect((await cache.getEntry(2)).tags).to.deep.equal(['warm']);
  });

  it('takes factories and asynchronous iterables', async () => {
    const cache = manager.cache<readonly [number], string>('a');
    async function* entries(): AsyncGenerator<readonly [number, string]> {
      yield [1, 'one'];
      yield [2, 'two'];
    }
    expect(await cache.warm(async () => entries())).to.deep.equal({ stored: 2, failed: 0 });
  });

  it('loads as many at a time as it is told', async () => {
    const cache = manager.cache<readonly [number], string>('a');
    const source = new GatedSource();
    const warming = cache.warm(
      [1, 2, 3, 4].map((key) => [key, (): Promise<string> => source.load(key)] as const),
      { concurrency: 2 },
    );
    await source.started(2);
    await settle();
    expect(source.count).to.equal(2);
    source.finish(1, 'one');
    await source.started(3);
    await settle();
    expect(source.count).to.equal(3);
    source.finish(2, 'two');
    source.finish(3, 'three');
    await source.started(4);
    source.finish(4, 'four');
    expect(await warming).to.deep.equal({ stored: 4, failed: 0 });
  });

  it('replaces what is there', async () => {
    const cache = manager.cache('a');
    await cache.set(1, 'old');
    await cache.warm([[1, async () => 'new']]);
    expect(await cache.get(1)).to.equal('new');
  });

  it('counts what failed, and goes on', async () => {
    const errors: unknown[] = [];
    manager.on('error', ({ error }) => errors.push(error.cause));
    const failure = new RangeError('failed');
    const result = await manager.cache('a').warm([
      [1, () => Promise.reject(failure)],
      [2, async () => undefined],
      [3, 'three'],
    ]);
    expect(result).to.deep.equal({ stored: 1, failed: 2 });
    expect(errors).to.deep.equal([failure]);
  });

  it('does not reject, when the entries themselves cannot be had', async () => {
    const result = await manager.cache('a').warm(() => Promise.reject(new RangeError('failed')));
    expect(result).to.deep.equal({ stored: 0, failed: 1 });
  });

  it('refuses wrong options at once', async () => {
    for (const options of [{ concurrency: 0 }, { concurency: 2 }, { ttl: -1 }]) {
      const error = await manager
        .cache('a')
        .warm([[1, 'one']], options)
        .catch((reason: unknown) => reason);
      expect(error, JSON.stringify(options)).to.be.instanceOf(InvalidOptionError);
    }
    expect(await manager.cache('a').has(1)).to.equal(false);
  });

  it('does nothing, when the cache is off', async () => {
    manager.enabled = false;
    let runs = 0;
    const result = await manager.cache('a').warm([[1, async () => ++runs]]);
    expect(result).to.deep.equal({ stored: 0, failed: 0 });
    expect(runs).to.equal(0);
  });
});
