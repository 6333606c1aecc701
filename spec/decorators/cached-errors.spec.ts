import { expect } from 'chai';
import { CacheManager, Cacheable, silentLogger, type StoredError } from 'cachewell';
import { BACKENDS_UNDER_TEST, type BackendPlace } from '../support/backends-under-test.js';

class NotFoundError extends Error {
  override readonly name = 'NotFoundError';
  constructor(
    message: string,
    readonly id: number,
  ) {
    super(message);
  }
  static revive({ message, data }: StoredError): NotFoundError {
    return new NotFoundError(message, data['id'] as number);
  }
}

class TimedOutError extends Error {
  override readonly name = 'TimedOutError';
}

for (const { name, isShared, start } of BACKENDS_UNDER_TEST) {
  describe(`Cached errors ${name}`, () => {
    let place: BackendPlace;
    let manager: CacheManager;
    let runs: number;
    before(async () => (place = await start()));
    after(() => place.stop());
    beforeEach(() => {
      manager = new CacheManager({ backend: place.backend(), logger: silentLogger });
      runs = 0;
    });
    afterEach(() => manager.close());

    class Service {
      readonly cacheManager = manager;

      @Cacheable({
        cache: 'found',
        cacheErrors: [
          { error: NotFoundError, ttl: '1m', revive: NotFoundError.revive },
          { error: TimedOutError },
        ],
        tags: ['errors'],
      })
      async find(id: number): Promise<string> {
        runs++;
        if (id === 404) throw new NotFoundError('there is no such thing', id);
        if (id === 408) throw new TimedOutError('too late');
        if (id === 500) throw new RangeError('a defect');
        return `value ${id}`;
      }
    }
    const service = (): Service => Object.assign(new Service(), { cacheManager: manager });
    const thrownBy = async (call: Promise<unknown>): Promise<Error> =>
      call.then(
        () => expect.fail('nothing was thrown'),
        (error: unknown) => error as Error,
      );

    it('are thrown again without a call', async () => {
      const first = await thrownBy(service().find(404));
      const second = await thrownBy(service().find(404));
      expect(runs).to.equal(1);
      expect(second).to.be.instanceOf(NotFoundError);
      expect(second).to.include({ message: 'there is no such thing', id: 404 });
      if (!isShared) expect(second).to.equal(first);
    });

    it('are of the listed classes only', async () => {
      await thrownBy(service().find(500));
      await thrownBy(service().find(500));
      expect(runs).to.equal(2);
    });

    it('without a revive stay within memory', async () => {
      await thrownBy(service().find(408));
      expect(await thrownBy(service().find(408))).to.be.instanceOf(TimedOutError);
      expect(runs).to.equal(isShared ? 2 : 1);
    });

    it('are no values', async () => {
      await thrownBy(service().find(404));
      const cache = manager.cache('found');
      expect(await cache.get(404)).to.equal(undefined);
      expect(await cache.has(404)).to.equal(false);
      expect(await cache.getMany([404])).to.deep.equal(new Map());
      const entries: unknown[] = [];
      for await (const entry of cache) entries.push(entry);
      expect(entries).to.deep.equal([]);
    });

    it('go with their tags and keys', async () => {
      await thrownBy(service().find(404));
      await manager.invalidateTags('errors');
      await thrownBy(service().find(404));
      await manager.cache('found').delete(404);
      await thrownBy(service().find(404));
      expect(runs).to.equal(3);
    });

    it('are shared by concurrent callers', async () => {
      const errors = await Promise.all(
        Array.from({ length: 20 }, () => thrownBy(service().find(404))),
      );
      expect(runs).to.equal(1);
      for (const error of errors) expect(error).to.be.instanceOf(NotFoundError);
    });
  });
}
