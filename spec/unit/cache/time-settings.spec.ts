import { expect } from 'chai';
import {
  expectAgreeingTimes,
  isTimed,
  PLAIN_TIMES,
  resolveTimes,
  retentionMs,
  type TimeChoice,
} from '#internal/cache/time-settings.js';
import { silentLogger } from '#internal/cache/cache-logger.js';
import { Cacheable } from '#internal/decorators/cacheable.js';
import { CacheConfig } from '#internal/decorators/cache-config.js';
import { bindCacheManager } from '#internal/manager/manager-locator.js';
import { InvalidOptionError } from '#internal/errors.js';
import { CacheManager } from '#internal/manager/cache-manager.js';

describe('resolveTimes', () => {
  it('gives the settings themselves, when nothing is laid over them', () => {
    expect(resolveTimes('a', { idleTtl: undefined }, PLAIN_TIMES)).to.equal(PLAIN_TIMES);
  });

  it('lays what is said over what is not', () => {
    const first = resolveTimes('a', { staleIfError: '1h', refreshAhead: 0.8 }, PLAIN_TIMES);
    expect(resolveTimes('a', { staleWhileRevalidate: 5, hardTimeout: '1s' }, first)).to.deep.equal({
      ...PLAIN_TIMES,
      staleIfErrorMs: 3_600_000,
      staleWhileRevalidateMs: 5,
      hardTimeoutMs: 1_000,
      refreshAhead: 0.8,
    });
    const off = { staleIfError: 0, refreshAhead: false } as const;
    expect(resolveTimes('a', off, first)).to.deep.equal(PLAIN_TIMES);
  });

  const bad: readonly [object, string][] = [
    [{ staleWhileRevalidate: -1 }, 'a.staleWhileRevalidate: expected a duration'],
    [{ staleIfError: 'long' }, 'a.staleIfError: expected a duration'],
    [{ staleThrottle: NaN }, 'a.staleThrottle: expected a duration'],
    [{ softTimeout: {} }, 'a.softTimeout: expected a duration'],
    [{ hardTimeout: 0 }, 'a.hardTimeout: expected a duration above 0, or Infinity for none, got 0'],
    [{ idleTtl: 0 }, 'a.idleTtl: expected a duration above 0, or Infinity for none, got 0'],
    [
      { refreshAhead: 0 },
      "a.refreshAhead: expected a fraction of the ttl between 0 and 1, 'xfetch'",
    ],
    [{ refreshAhead: 1 }, 'a.refreshAhead: expected a fraction'],
    [{ refreshAhead: true }, 'a.refreshAhead: expected a fraction'],
    [{ refreshAhead: 'always' }, 'a.refreshAhead: expected a fraction'],
  ];
  for (const [choice, message] of bad) {
    it(`refuses ${JSON.stringify(choice)}: ${message}`, () => {
      expect(() => resolveTimes('a', choice as TimeChoice, PLAIN_TIMES)).to.throw(
        InvalidOptionError,
        message,
      );
    });
  }
});

describe('expectAgreeingTimes', () => {
  const agree = (choice: TimeChoice) => () =>
    expectAgreeingTimes('a', resolveTimes('a', choice, PLAIN_TIMES));

  it('asks for something stale to serve at a soft timeout', () => {
    expect(agree({ softTimeout: 1 })).to.throw(
      InvalidOptionError,
      /a\.softTimeout: .*staleIfError/,
    );
    agree({ softTimeout: 1, staleIfError: 1 })();
    agree({ softTimeout: 1, staleWhileRevalidate: 1 })();
    agree({ softTimeout: Infinity })();
  });

  it('lets nothing idle be served stale or refreshed', () => {
    for (const other of [
      { staleIfError: 1 },
      { staleWhileRevalidate: 1 },
      { refreshAhead: 0.5 },
    ] as const) {
      expect(agree({ idleTtl: 1, ...other })).to.throw(InvalidOptionError, 'a.idleTtl: ');
    }
    agree({ idleTtl: 1, staleIfError: 0, refreshAhead: false, hardTimeout: 1 })();
    agree({ idleTtl: Infinity, staleIfError: 1 })();
  });
});

describe('retentionMs', () => {
  it('is the ttl and the longer staleness, or the shorter of ttl and idle time', () => {
    const times = (choice: TimeChoice) => resolveTimes('a', choice, PLAIN_TIMES);
    expect(retentionMs(10, PLAIN_TIMES)).to.equal(10);
    expect(retentionMs(Infinity, PLAIN_TIMES)).to.equal(Infinity);
    expect(retentionMs(10, times({ staleIfError: 5, staleWhileRevalidate: 3 }))).to.equal(15);
    expect(retentionMs(10, times({ idleTtl: 4 }))).to.equal(4);
    expect(retentionMs(3, times({ idleTtl: 4 }))).to.equal(3);
    expect(retentionMs(Infinity, times({ idleTtl: 4 }))).to.equal(4);
  });
});

describe('options of time', () => {
  it('make a read a timed one only where it has more to do than usual', () => {
    const timed = (choice: TimeChoice) => isTimed(resolveTimes('a', choice, PLAIN_TIMES));
    expect(timed({ hardTimeout: 1, staleThrottle: 1 })).to.equal(false);
    for (const choice of [
      { staleIfError: 1 },
      { refreshAhead: 'xfetch' },
      { idleTtl: 1 },
    ] as const) {
      expect(timed(choice)).to.equal(true);
    }
  });

  it('have to agree over all levels', async () => {
    const refused = (make: () => unknown): string => {
      try {
        make();
        return '';
      } catch (error) {
        expect(error).to.be.instanceOf(InvalidOptionError);
        return (error as Error).message;
      }
    };
    expect(refused(() => new CacheManager({ softTimeout: 1 }))).to.include(
      'CacheManager.softTimeout',
    );
    await using manager = new CacheManager({ staleIfError: '1h', logger: silentLogger });
    manager.cache('sound', { softTimeout: '1s' });
    expect(refused(() => manager.cache('a', { idleTtl: 5 }))).to.include("cache 'a'.idleTtl");
    manager.cache('idle', { idleTtl: 5, staleIfError: 0 });
    const gone = await manager
      .cache('b')
      .getOrSet(1, async () => 1, { idleTtl: 5 })
      .catch((error: unknown) => error);
    expect(gone).to.be.instanceOf(InvalidOptionError);

    @CacheConfig({ staleIfError: 0 })
    class Service {
      @Cacheable({ cache: 'c', softTimeout: 10 })
      async find(id: number): Promise<number> {
        return id;
      }
    }
    const service = new Service();
    bindCacheManager(service, manager);
    const error = await service.find(1).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(InvalidOptionError);
    expect((error as Error).message).to.include("'find' with cache 'c'.softTimeout");
    expect(
      refused(() => {
        class Wrong {
          @Cacheable({ idleTtl: '1s', staleIfError: '1s' } as object)
          async find(id: number): Promise<number> {
            return id;
          }
        }
        return Wrong;
      }),
    ).to.include("@Cacheable on 'find'.idleTtl");
  });

  it('are refused where they mean nothing', async () => {
    await using manager = new CacheManager({ logger: silentLogger });
    const cache = manager.cache<[number], number>('a');
    const error = await cache.set(1, 1, { softTimeout: 1 } as object).catch((e: unknown) => e);
    expect((error as Error).message).to.include('softTimeout: there is no such option');
    const signal = { signal: 'now' } as object;
    const wrong = await cache.getOrSet(1, async () => 1, signal).catch((e: unknown) => e);
    expect((wrong as Error).message).to.include('expected an AbortSignal');
    expect(() => manager.cache('b', { tiers: 'l3' as never })).to.throw("'both' or 'l1' or 'l2'");
    expect(() => manager.cache('b', { l1Ttl: -1 })).to.throw(InvalidOptionError, 'l1Ttl');
  });
});
